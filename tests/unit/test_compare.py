"""The comparison of two observations: what is equal, what differs and where, what is left out and why."""

from __future__ import annotations

import gzip
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.evidence.compare import MAX_DIFFERENCES, Verdict, compare
from api_gateway.evidence.difference import MASK, SHOWN
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import Rules
from api_gateway.routes import Ignore, Intended

RULES = Rules()


def answer(body: bytes | str, media: str = "text/plain", status: int = 200, **headers: str) -> Observation:
    pairs = [(b"content-type", media.encode())] if media else []
    pairs += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Observation.answer(status, pairs, body.encode() if isinstance(body, str) else body)


def found(control: Observation, candidate: Observation, rules: Rules = RULES) -> list[tuple[str, str]]:
    return [(d.path, d.kind) for d in compare(control, candidate, rules).differences]


class TestVerdict:
    def test_equal_bytes_match(self) -> None:
        assert compare(answer("OK|1"), answer("OK|1"), RULES).verdict is Verdict.match

    def test_another_status_is_a_mismatch(self) -> None:
        comparison = compare(answer("x"), answer("x", status=404), RULES)
        assert comparison.verdict is Verdict.mismatch
        assert [d.as_json() for d in comparison.differences] == [
            {"path": "status", "kind": "status", "control": "200", "candidate": "404"}
        ]

    @pytest.mark.parametrize("control", [Observation.failed(Failure.incomplete), answer("boom", status=500)])
    def test_a_control_that_failed_is_inconclusive(self, control: Observation) -> None:
        assert compare(control, answer("x"), RULES).verdict is Verdict.inconclusive

    def test_a_candidate_that_could_not_run_is_inconclusive(self) -> None:
        assert compare(answer("x"), Observation.failed(Failure.unavailable), RULES).verdict is Verdict.inconclusive

    @pytest.mark.parametrize("failure", [Failure.raised, Failure.timed_out, Failure.exited, Failure.too_large])
    def test_a_candidate_that_failed_is_a_mismatch_naming_the_failure(self, failure: Failure) -> None:
        comparison = compare(answer("x"), Observation.failed(failure, "KeyError"), RULES)
        assert comparison.verdict is Verdict.mismatch
        assert comparison.differences[0].candidate == f"{failure}: KeyError"

    def test_the_bodies_of_head_answers_do_not_count(self) -> None:
        assert compare(answer(""), answer("x"), RULES, method="HEAD").verdict is Verdict.match


class TestHeaders:
    def test_noise_of_the_protocol_does_not_count(self) -> None:
        control = answer(
            "x", date="Mon", server="gunicorn", set_cookie="a=1", connection="close", x_frame_options="DENY"
        )
        assert compare(control, answer("x", date="Tue"), RULES).verdict is Verdict.match

    def test_any_other_header_counts(self) -> None:
        assert found(answer("x", location="/a"), answer("x")) == [("header.location", "header")]

    def test_browser_headers_count_for_a_page(self) -> None:
        assert found(answer("x", "text/html", x_frame_options="DENY"), answer("x", "text/html")) == [
            ("header.x-frame-options", "header")
        ]

    def test_spellings_of_one_content_type_are_equal(self) -> None:
        assert found(answer("x", "text/xml; charset=ISO-8859-1"), answer("x", 'Text/XML;charset="latin1"')) == []

    def test_another_charset_differs(self) -> None:
        assert ("header.content-type", "header") in found(
            answer("x", "text/plain; charset=latin-1"), answer("x", "text/plain; charset=utf-8")
        )


class TestCoding:
    def test_gzip_on_one_side_only_is_equal(self) -> None:
        assert found(answer(gzip.compress(b"OK"), content_encoding="gzip"), answer("OK")) == []

    def test_a_broken_gzip_candidate_is_malformed(self) -> None:
        assert found(answer("OK"), answer(b"\x1f\x8bnope", content_encoding="gzip")) == [("body", "malformed")]

    def test_text_is_read_in_its_charset(self) -> None:
        control = answer("Köln".encode("latin-1"), "text/plain; charset=latin-1")
        candidate = answer("Koln".encode("latin-1"), "text/plain; charset=latin-1")
        assert compare(control, candidate, RULES).differences[0].control == "Köln"


class TestJson:
    @pytest.mark.parametrize(
        ("control", "candidate", "expected"),
        [
            ('{"a":1,"b":2}', '{ "b": 2, "a": 1 }', []),
            ('{"a":1.50}', '{"a":1.5}', []),
            ('{"a":1}', '{"a":"1"}', [("$.a", "type")]),
            ('{"a":true}', '{"a":1}', [("$.a", "type")]),
            ('{"a":null}', "{}", [("$.a", "missing")]),
            ("{}", '{"a":null}', [("$.a", "extra")]),
            ('{"o":[{"t":"1"},{"t":"2"}]}', '{"o":[{"t":"1"},{"t":"3"}]}', [("$.o[1].t", "value")]),
            ("[1,2,3,4]", "[1,3,4]", [("$[1]", "missing")]),
            ("[1,3]", "[1,2,3]", [("$[1]", "extra")]),
            ('{"a":1,"a":2}', '{"a":2}', [("$", "type")]),
            ('{"a":1}', "not json", [("body", "malformed")]),
            ("not json", '{"a":1}', [("line[1]", "value")]),
            ("[" * 50_000 + "]" * 50_000, "[]", [("line[1]", "value")]),
        ],
    )
    def test_differences_are_named_by_their_place(
        self, control: str, candidate: str, expected: list[tuple[str, str]]
    ) -> None:
        assert found(answer(control, "application/json"), answer(candidate, "application/json")) == expected

    def test_spellings_of_numbers_count_when_the_rules_say_so(self) -> None:
        rules = Rules(numbers="exact")
        sides = answer('{"a":1.50}', "application/json"), answer('{"a":1.5}', "application/json")
        assert found(*sides, rules) == [("$.a", "value")]

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
        )
    )
    def test_a_document_equals_itself_however_it_is_spaced(self, document: object) -> None:
        import json

        sides = (answer(json.dumps(document, indent=i), "application/json") for i in (None, 2))
        assert found(*sides) == []


class TestXml:
    @pytest.mark.parametrize(
        ("control", "candidate", "expected"),
        [
            ('<o a="1" b="2"><x/></o>', "<o b='2' a='1'>\n  <x></x>\n</o>", []),
            ("<o><x>1</x></o>", "<o><x>2</x></o>", [("/o/x[1]", "value")]),
            ('<o><x n="1"/></o>', "<o><x/></o>", [("/o/x[1]/@n", "missing")]),
            ("<o><x/></o>", '<o><x n="1"/></o>', [("/o/x[1]/@n", "extra")]),
            ("<o><x>1</x><x>2</x><x>3</x></o>", "<o><x>1</x><x>3</x></o>", [("/o/x[2]", "missing")]),
            ("<o/>", "<p/>", [("/o", "value")]),
            ("<o/>", "<o", [("body", "malformed")]),
            ('<?xml version="1.0" encoding="ISO-8859-1"?><o/>', "<o/>", [("/", "encoding")]),
            ("<o/>", '<!DOCTYPE o [<!ENTITY e "x">]><o>&e;</o>', [("body", "malformed")]),
        ],
    )
    def test_differences_are_named_by_their_place(
        self, control: str, candidate: str, expected: list[tuple[str, str]]
    ) -> None:
        assert found(answer(control, "text/xml"), answer(candidate, "text/xml")) == expected


class TestTables:
    @pytest.mark.parametrize(
        ("control", "candidate", "expected"),
        [
            ('a;b\r\n1;"2"\r\n', "a;b\r\n1;2\r\n", []),
            ("a;b\r\n1;2\r\n", "a;b\n1;2\n", [("line-endings", "line-endings")]),
            ("a;b\n1;2\n", "a;b\n1;3\n", [("row[2].b", "value")]),
            ("a;b\n1;2\n3;4\n5;6\n", "a;b\n1;2\n5;6\n", [("row[3]", "missing")]),
            ("a;b\n1;2\n", "a;b\n1\n", [("row[2].b", "missing")]),
        ],
    )
    def test_differences_are_named_by_row_and_column(
        self, control: str, candidate: str, expected: list[tuple[str, str]]
    ) -> None:
        assert found(answer(control, "text/csv"), answer(candidate, "text/csv")) == expected


class TestTextAndBinary:
    def test_trailing_blanks_count_in_text(self) -> None:
        assert found(answer("a \nb"), answer("a\nb")) == [("line[1]", "value")]

    def test_a_missing_last_line_end_counts(self) -> None:
        assert ("line-endings", "line-endings") in found(answer("OK\n"), answer("OK"))

    def test_binary_is_told_by_length_and_hash_only(self) -> None:
        comparison = compare(answer(b"\0secret", "application/pdf"), answer(b"\0other", "application/pdf"), RULES)
        assert [d.path for d in comparison.differences] == ["body"]
        assert "secret" not in (comparison.differences[0].control or "")

    def test_two_unrelated_answers_cost_a_bounded_number_of_differences(self) -> None:
        control, candidate = ("\n".join(f"{side}{i}" for i in range(5000)) for side in "ab")
        assert len(compare(answer(control), answer(candidate), RULES).differences) == MAX_DIFFERENCES


class TestRules:
    BOTH = answer('{"id":1,"at":"10:00"}', "application/json"), answer('{"id":1,"at":"10:01"}', "application/json")

    def test_an_ignored_difference_is_counted_with_its_reason(self) -> None:
        comparison = compare(*self.BOTH, Rules(ignore=(Ignore("$.at", "clock of the answer"),)))
        assert comparison.verdict is Verdict.ignored
        assert comparison.ignored == (("$.at", "clock of the answer"),)

    def test_an_ignore_rule_ends_with_its_last_day(self) -> None:
        rule = Ignore("$.at", "clock", expires="2026-03-31")
        on_time, late = (Rules.of([rule], today=day) for day in (date(2026, 3, 31), date(2026, 4, 1)))
        assert compare(*self.BOTH, on_time).verdict is Verdict.ignored
        assert compare(*self.BOTH, late).verdict is Verdict.mismatch

    def test_an_intended_difference_names_who_signed_it(self) -> None:
        comparison = compare(*self.BOTH, Rules(intended=(Intended("$.at", "bug 12", "Dale"),)))
        assert comparison.verdict is Verdict.intended
        assert comparison.ignored == (("$.at", "bug 12 (Dale)"),)

    def test_a_difference_beside_an_ignored_one_is_still_a_mismatch(self) -> None:
        control, candidate = answer("[1,2]", "application/json"), answer("[3,4]", "application/json")
        comparison = compare(control, candidate, Rules(ignore=(Ignore("$[0]", "known"),)))
        assert comparison.verdict is Verdict.mismatch
        assert [d.path for d in comparison.differences] == ["$[1]"]

    @pytest.mark.parametrize(
        ("pattern", "path", "expected"),
        [
            ("$.o[*].t", "$.o[12].t", True),
            ("$.o[*].t", "$.o[1].x.t", False),
            ("$.**", "$.o[1].x.t", True),
            ("/orders/order[*]/date[*]", "/orders/order[3]/date[1]", True),
            ("header.x-*", "header.x-built-at", True),
            ("$.a", "$.ab", False),
        ],
    )
    def test_a_star_stays_within_one_step(self, pattern: str, path: str, expected: bool) -> None:
        rules = Rules(ignore=(Ignore(pattern, "r"),))
        assert (rules.ignored_by(path) is not None) is expected


class TestMasking:
    def test_values_of_secret_names_are_never_shown(self) -> None:
        sides = (answer(f'{{"api_tok":"{value}"}}', "application/json") for value in ("abc123", "xyz789"))
        difference = compare(*sides, RULES).differences[0]
        assert (difference.control, difference.candidate) == (MASK, MASK)

    def test_masked_names_of_the_contract_are_never_shown(self) -> None:
        sides = (answer(f"<o><Email>{value}</Email></o>", "text/xml") for value in ("a@x", "b@x"))
        difference = compare(*sides, Rules.of([], today=date(2026, 1, 1), masked=["email"])).differences[0]
        assert (difference.control, difference.candidate) == (MASK, MASK)

    def test_the_callers_secret_is_hidden_wherever_it_appears(self) -> None:
        rules = Rules.of([], today=date(2026, 1, 1), secrets=["s3cr3t-token"])
        comparison = compare(answer("hello s3cr3t-token!"), answer("hello"), rules)
        assert comparison.differences[0].control == f"hello {MASK}!"

    def test_long_values_are_cut_and_control_characters_spelled_out(self) -> None:
        difference = compare(answer("a" * 1000), answer("b\0\x1b[31m"), RULES).differences[0]
        assert len(difference.control or "") == SHOWN + 1
        assert difference.candidate == "b\\x00\\x1b[31m"

"""The comparison as a property: what is equal differs in nothing; one thing changed is one difference, at its place."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api_gateway.evidence.compare import Verdict, compare
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import Rules

WORDS = st.text(st.characters(codec="latin-1", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8)
NAMES = st.sampled_from(["id", "total", "lines", "name", "qty"])
LEAVES = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | WORDS
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4))
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "identity": bytes,
}  # fmt: skip


def answer(body: bytes | str, media: str = "text/plain", **headers: str) -> Observation:
    pairs = {"content-type": media, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = body.encode() if isinstance(body, str) else body
    return Observation.answer(200, [(name.encode(), value.encode("latin-1")) for name, value in pairs.items()], raw)


def paths(one: Observation, other: Observation) -> list[str]:
    return [difference.path for difference in compare(one, other, Rules()).differences]


def leaves(document: Any, path: str = "$") -> list[str]:
    if isinstance(document, dict):
        return [leaf for name, item in document.items() for leaf in leaves(item, f"{path}.{name}")]
    if isinstance(document, list):
        return [leaf for n, item in enumerate(document) for leaf in leaves(item, f"{path}[{n}]")]
    return [path]


def changed(document: Any, place: str, path: str = "$") -> Any:
    if place == path:
        return "‹changed›"
    if isinstance(document, dict):
        return {name: changed(item, place, f"{path}.{name}") for name, item in document.items()}
    if isinstance(document, list):
        return [changed(item, place, f"{path}[{n}]") for n, item in enumerate(document)]
    return document


class TestJson:
    @given(DOCUMENTS, st.randoms(use_true_random=False))
    def test_order_of_members_and_layout_do_not_count(self, document: Any, drawn: Any) -> None:
        def shuffled(value: Any) -> Any:
            if isinstance(value, dict):
                names = list(value)
                drawn.shuffle(names)
                return {name: shuffled(value[name]) for name in names}
            return [shuffled(item) for item in value] if isinstance(value, list) else value

        one, other = json.dumps(document), json.dumps(shuffled(copy.deepcopy(document)), indent=1, ensure_ascii=False)
        assert paths(answer(one, "application/json"), answer(other, "application/json")) == []

    @given(DOCUMENTS, st.data())
    def test_one_changed_value_is_one_difference_at_its_place(self, document: Any, data: st.DataObject) -> None:
        assume(places := leaves(document))
        place = data.draw(st.sampled_from(places))
        one, other = json.dumps(document), json.dumps(changed(document, place))
        assert paths(answer(one, "application/json"), answer(other, "application/json")) == [place]

    @given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.data())
    def test_also_where_it_becomes_like_its_neighbours(self, numbers: list[int], data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(numbers) - 1))
        other = [*numbers[:at], (numbers[at] + 1) % 4, *numbers[at + 1 :]]
        sides = (answer(json.dumps(side), "application/json") for side in (numbers, other))
        assert paths(*sides) == [f"$[{at}]"]

    @given(st.lists(st.dictionaries(NAMES, LEAVES, max_size=3), min_size=1, max_size=6), st.data())
    def test_one_lost_item_is_one_difference(self, items: list[Any], data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(items) - 1))
        sides = (answer(json.dumps(side), "application/json") for side in (items, items[:at] + items[at + 1 :]))
        assert len(paths(*sides)) == 1


TABLES = st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=6)


def table(rows: list[list[str]], delimiter: str = ",", quoting: Any = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows([["a", "b", "c"], *rows])
    return text.getvalue()


class TestCsv:
    @given(TABLES, st.sampled_from(";,\t|"))
    def test_quoting_does_not_count(self, rows: list[list[str]], delimiter: str) -> None:
        one, other = (table(rows, delimiter, quoting) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        assert paths(answer(one, "text/csv"), answer(other, "text/csv")) == []

    @given(TABLES, st.data())
    def test_one_changed_cell_is_one_difference(self, rows: list[list[str]], data: st.DataObject) -> None:
        row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 2))
        other = copy.deepcopy(rows)
        other[row][column] += "!"
        found = paths(answer(table(rows), "text/csv"), answer(table(other), "text/csv"))
        assert found == [f"row[{row + 2}].{'abc'[column]}"]

    def test_another_delimiter_is_a_difference(self) -> None:
        one, other = (table([["1", "2", "3"]], delimiter) for delimiter in ";,")
        assert paths(answer(one, "text/csv"), answer(other, "text/csv")) != []


class TestXml:
    @given(st.lists(WORDS, min_size=1, max_size=5))
    def test_prefixes_order_of_attributes_and_layout_do_not_count(self, words: list[str]) -> None:
        from xml.sax.saxutils import escape, quoteattr

        one = "".join(f'<p:o xmlns:p="urn:x" a="1" n={quoteattr(word)}>{escape(word)}</p:o>' for word in words)
        other = "".join(f'\n <o xmlns="urn:x" n={quoteattr(word)} a="1">{escape(word)}</o>' for word in words)
        sides = (answer(f"<all>{inner}</all>", "application/xml") for inner in (one, other))
        assert paths(*sides) == []

    @given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), st.data())
    def test_one_changed_text_or_attribute_is_one_difference(
        self, rows: list[tuple[str, str]], data: st.DataObject
    ) -> None:
        from xml.sax.saxutils import escape, quoteattr

        at, attribute = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.booleans())

        def document(rows: list[tuple[str, str]]) -> Observation:
            return answer(
                f"<all>{''.join(f'<o n={quoteattr(name)}>{escape(text)}</o>' for name, text in rows)}</all>",
                "application/xml",
            )

        name, text = rows[at]
        other = [*rows[:at], (f"{name}!", text) if attribute else (name, f"{text}!"), *rows[at + 1 :]]
        assert paths(document(rows), document(other)) == [f"/all/o[{at + 1}]{'/@n' if attribute else ''}"]

    def test_another_namespace_is_a_difference(self) -> None:
        one, other = (answer(f'<o xmlns="urn:{name}"/>', "text/xml") for name in "xy")
        assert paths(one, other) != []


class TestText:
    @given(st.lists(WORDS, min_size=1, max_size=6), st.data())
    def test_one_changed_line_is_one_difference(self, lines: list[str], data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(lines) - 1))
        other = [*lines[:at], f"{lines[at]}!", *lines[at + 1 :]]
        assert paths(answer("\n".join(lines)), answer("\n".join(other))) == [f"line[{at + 1}]"]

    @given(st.lists(WORDS, min_size=1, max_size=6), st.data())
    def test_one_changed_cell_of_a_page_is_one_difference(self, cells: list[str], data: st.DataObject) -> None:
        from html import escape

        at = data.draw(st.integers(0, len(cells) - 1))
        other = [*cells[:at], f"{cells[at]}!", *cells[at + 1 :]]
        one, two = (
            answer(f"<p>{'<p>'.join(map(escape, side))}", "text/html; charset=utf-8") for side in (cells, other)
        )
        assert paths(one, two) == [f"/html/body[1]/p[{at + 1}]/text()"]


class TestBytes:
    @given(st.binary(max_size=2000), st.sampled_from(sorted(CODINGS)), st.sampled_from(sorted(CODINGS)))
    def test_the_content_coding_does_not_count(self, content: bytes, one: str, other: str) -> None:
        sides = (answer(CODINGS[name](content), "application/pdf", content_encoding=name) for name in (one, other))
        assert compare(*sides, Rules()).verdict is Verdict.match

    @given(st.binary(min_size=1, max_size=500), st.sampled_from(sorted(CODINGS)))
    def test_one_changed_byte_is_one_difference(self, content: bytes, coding: str) -> None:
        other = bytes([content[0] ^ 1]) + content[1:]
        sides = (answer(CODINGS[coding](side), "image/png", content_encoding=coding) for side in (content, other))
        assert paths(*sides) == ["body"]

    @pytest.mark.parametrize("coding", ["gzip", "br"])
    def test_coded_content_that_is_cut_is_malformed(self, coding: str) -> None:
        cut = CODINGS[coding](b"whole" * 99)[:-5]
        assert paths(answer("whole" * 99), answer(cut, content_encoding=coding)) == ["body"]

    @given(WORDS)
    def test_a_charset_declared_is_the_charset_read(self, word: str) -> None:
        utf8, latin = (answer(word.encode(name), f"text/plain; charset={name}") for name in ("utf-8", "iso-8859-1"))
        assert paths(latin, latin) == []
        assert [path for path in paths(latin, utf8) if path != "header.content-type"] == []

    @given(WORDS)
    def test_utf_16_is_read_by_its_byte_order_mark(self, word: str) -> None:
        little, big = (
            answer(mark + word.encode(name), "text/plain; charset=utf-16")
            for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
        )
        assert paths(little, big) == []
        assert paths(little, answer(f"{word}!".encode("utf-16"), "text/plain; charset=utf-16")) == ["line[1]"]

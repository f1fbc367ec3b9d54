"""The gate: which criteria are missing, and when they will be there at the present rate."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api_gateway.evidence.gate import Criterion, Evidence, Verified, criteria, missing
from api_gateway.thresholds import Gate

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
THREE_SHAPES = {"GET token=code": 10, "GET page=integer token=code": 6, "GET since=date token=code": 4}


def by_name(evidence: Evidence, *, has_mimic: bool = True, is_read: bool = True) -> dict[str, Criterion]:
    return {c.criterion: c for c in criteria(evidence, has_mimic=has_mimic, is_read=is_read, now=NOW)}


def test_enough_clean_comparisons_of_enough_shapes_miss_nothing() -> None:
    evidence = Evidence(matches=19, ignored=1, shapes=THREE_SHAPES, first=NOW - timedelta(hours=1))
    assert missing(list(by_name(evidence).values())) == []


def test_inconclusive_comparisons_count_for_nothing() -> None:
    evidence = Evidence(matches=19, inconclusive=500, shapes=THREE_SHAPES, first=NOW - timedelta(hours=1))
    assert [(c.criterion, c.have, c.need) for c in missing(list(by_name(evidence).values()))] == [
        ("comparisons", 19, 20)
    ]


def test_one_mismatch_refuses_and_no_waiting_mends_it() -> None:
    evidence = Evidence(matches=1000, mismatches=1, shapes=THREE_SHAPES, first=NOW - timedelta(hours=1))
    assert [c.as_json() for c in missing(list(by_name(evidence).values()))] == [
        {"criterion": "mismatches", "have": 1, "need": 0, "eta": None}
    ]


def test_what_is_missing_comes_at_the_rate_since_the_first_comparison() -> None:
    evidence = Evidence(matches=10, shapes={"a": 10}, first=NOW - timedelta(hours=1))
    assert by_name(evidence)["comparisons"].eta == NOW + timedelta(hours=1)
    assert by_name(evidence)["request shapes"].eta == NOW + timedelta(hours=2)


def test_before_the_first_comparison_the_calls_of_the_day_are_the_rate() -> None:
    assert by_name(Evidence(calls=20))["comparisons"].eta == NOW + timedelta(days=1)


def test_nobody_calls_so_nobody_knows_when() -> None:
    assert by_name(Evidence())["comparisons"].eta is None


def test_a_rate_of_once_a_decade_is_no_promise() -> None:
    evidence = Evidence(matches=1, shapes={"a": 1}, first=NOW - timedelta(days=365))
    assert by_name(evidence)["comparisons"].eta is None


def test_a_route_without_mimic_is_refused_without_a_date() -> None:
    wanted = by_name(Evidence(calls=100), has_mimic=False)
    assert not wanted["mimic"].met
    assert {c.eta for c in wanted.values()} == {None}


class TestVerified:
    PROVED = Verified(asked=210, inconclusive=10, wrote=30, shapes={"a": 100, "b": 50, "c": 50})

    def test_a_write_is_proved_by_verify_alone(self) -> None:
        live = Evidence(matches=1000, shapes=THREE_SHAPES, first=NOW)
        assert {c.criterion for c in missing(list(by_name(live, is_read=False).values()))} == {
            "verified requests",
            "verified writes",
        }
        assert missing(list(by_name(Evidence(verified=self.PROVED), is_read=False).values())) == []

    def test_a_write_that_hardly_ever_wrote_is_not_proved(self) -> None:
        idle = replace(self.PROVED, wrote=3)
        [unmet] = missing(list(by_name(Evidence(verified=idle), is_read=False).values()))
        assert (unmet.criterion, unmet.have, unmet.need, unmet.eta) == ("verified writes", 3, 20, None)

    def test_a_read_that_verify_has_proved_needs_fewer_live_comparisons(self) -> None:
        few = Evidence(matches=5, shapes={"a": 5}, first=NOW, verified=self.PROVED)
        assert missing(list(by_name(few).values())) == []
        none = Evidence(calls=20, verified=self.PROVED)
        assert by_name(none)["comparisons"].eta == NOW + timedelta(hours=6)

    def test_what_verify_could_not_judge_proves_nothing(self) -> None:
        vague = replace(self.PROVED, inconclusive=100)
        assert by_name(Evidence(matches=5, verified=vague))["comparisons"].need == 20

    @pytest.mark.parametrize("is_read", [True, False])
    def test_one_difference_of_verify_refuses(self, is_read: bool) -> None:
        wrong = replace(self.PROVED, mismatches=1)
        evidence = Evidence(matches=100, shapes=THREE_SHAPES, first=NOW, verified=wrong)
        assert [c.criterion for c in missing(list(by_name(evidence, is_read=is_read).values()))] == [
            "mismatches of verify"
        ]


def test_the_thresholds_are_values() -> None:
    evidence = Evidence(matches=2, mismatches=1, shapes={"a": 2}, first=NOW)
    limits = Gate(comparisons=3, shapes=1, mismatches=1)
    assert missing(criteria(evidence, has_mimic=True, is_read=True, now=NOW, gate=limits)) == []

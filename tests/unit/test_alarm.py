"""When modern has crossed a threshold, and when it has not, however bad it looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.evidence.alarm import Alarm, alarm
from api_gateway.evidence.pulses import Beat, Outcome, Times
from api_gateway.evidence.sequential import bound, e_value, fails_too_often
from api_gateway.thresholds import Rollback

LIMITS = Rollback()
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def beat(outcome: Outcome, count: int, ms: float = 10.0, *, ago: float = 5.0, version: int = 7) -> Beat:
    times = Times()
    for number in range(count):
        times.add(ms * (1.1 if number % 2 else 0.9))
    return Beat(NOW - timedelta(seconds=ago), version, outcome, times)


def asked(
    *modern: Beat, compared: tuple[Beat, ...] = (), legacy: tuple[Beat, ...] = (), limits: Rollback = LIMITS
) -> Alarm | None:
    return alarm(modern, compared, legacy, limits, since=7, now=NOW)


def test_a_candidate_that_only_fails_is_noticed_at_the_least_volume() -> None:
    assert asked(beat("failed", 4)) is None
    found = asked(beat("failed", 5))
    assert found is not None
    assert found.threshold == "errors"
    assert found.evidence["failed"] == 5
    assert "5 of 5 calls failed in modern" in found.said


def test_one_failure_among_few_calls_is_no_alarm() -> None:
    assert asked(beat("failed", 1), beat("ok", 4)) is None
    assert asked(beat("failed", 1), beat("ok", 19)) is None


def test_where_legacy_fails_as_often_it_is_not_the_candidates_doing() -> None:
    mine = (beat("failed", 30), beat("ok", 70))
    assert asked(*mine) is not None
    assert asked(*mine, legacy=(beat("failed", 30, version=0), beat("ok", 70, version=0))) is None


def test_what_was_before_the_present_stage_counts_no_more() -> None:
    assert asked(beat("failed", 50, version=6), beat("ok", 3)) is None


def test_a_partner_with_twenty_calls_a_day_is_looked_after_too() -> None:
    hours = [beat("failed", 1, ago=3600 * hour) for hour in range(1, 6)]
    assert asked(*hours) is not None
    assert asked(*hours[:4]) is None


def test_where_many_call_only_the_window_counts() -> None:
    assert asked(beat("ok", 100), beat("failed", 100, ago=600)) is None


def test_a_mismatch_is_one_too_many_unless_the_route_allows_it() -> None:
    compared = (beat("mismatch", 1), beat("match", 40))
    found = asked(compared=compared)
    assert found is not None
    assert found.threshold == "mismatches"
    assert asked(compared=compared, limits=Rollback(mismatches=1)) is None


def test_modern_may_be_slower_but_not_by_so_much() -> None:
    legacy = (beat("ok", 40, 40, version=0),)
    assert asked(beat("ok", 40, 100), legacy=legacy) is None
    found = asked(beat("ok", 40, 200), legacy=legacy)
    assert found is not None
    assert found.threshold == "latency"
    assert asked(beat("ok", 40, 200), legacy=legacy, limits=Rollback(slower=0)) is None


def test_milliseconds_that_nobody_notices_are_no_reason() -> None:
    assert asked(beat("ok", 40, 30), legacy=(beat("ok", 40, 2, version=0),)) is None


def test_few_durations_say_nothing() -> None:
    assert asked(beat("ok", 10, 500), legacy=(beat("ok", 10, 2, version=0),)) is None


def test_a_route_names_only_what_is_otherwise() -> None:
    assert Rollback(volume=9).but(Rollback(errors=0.5)) == Rollback(volume=9, errors=0.5)
    assert Rollback(volume=9).but(None) == Rollback(volume=9)


@given(st.floats(0.001, 0.5), st.integers(1, 25))
def test_while_no_more_fails_than_may_the_e_value_is_one_on_average(may_fail: float, count: int) -> None:
    """Which is what bounds false alarms at 1/threshold, however often one looks (Ville's inequality)."""
    average, chance = 0.0, (1 - may_fail) ** count
    for failed in range(count + 1):
        average += chance * e_value(failed, count, may_fail)
        chance *= (count - failed) / (failed + 1) * may_fail / (1 - may_fail)
    assert average == pytest.approx(1.0, rel=1e-6)


def test_the_bound_narrows_as_clean_calls_come() -> None:
    bounds = [bound(count, 0.05) for count in (0, 20, 100, 1000)]
    assert bounds[0] == 1.0
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[1] < 0.35
    assert bounds[3] < 0.01
    assert bound(100, 0.05, failed=20) > 0.2


def test_a_certain_excess_is_certain_and_a_chance_one_is_not() -> None:
    assert fails_too_often(20, 100, 0.05, 0.001)
    assert not fails_too_often(8, 100, 0.05, 0.001)
    assert not fails_too_often(0, 0, 0.05, 0.001)

"""How the console puts values into words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from api_gateway.console import words

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (-3, "just now"),
        (12, "12 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "yesterday"),
        (6 * 86_400, "6 days ago"),
        (31 * 86_400, "1 Feb 2026"),
        (-90, "in 1 min"),
        (-86_400, "in 1 day"),
        (-3 * 3600, "in 3 h"),
    ],
)
def test_a_time_is_said_as_a_distance_from_now(seconds: float, said: str) -> None:
    assert words.ago(NOON - timedelta(seconds=seconds), NOON) == said


def test_a_machine_reads_utc_whatever_zone_the_value_has() -> None:
    assert words.iso(NOON.astimezone(timezone(timedelta(hours=-5)))) == "2026-03-04T12:00:00Z"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "–"), (0, 9, "0 %"), (1, 5000, "< 1 %"), (1, 2, "50 %"), (4999, 5000, "> 99 %"), (9, 9, "100 %")],
)
def test_a_share_is_nothing_or_all_only_when_it_is(part: int, whole: int, said: str) -> None:
    assert words.percent(part, whole) == said


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Bolt & Söhne", "Bolt & Söhne"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("line\nbreak\x1b[31m", "line\\u000abreak\\u001b[31m"),
        ("x" * 130, "x" * 120 + "…"),
    ],
)
def test_what_cannot_be_seen_in_a_strangers_text_is_made_visible(text: str, seen: str) -> None:
    assert words.shown(text) == seen


@pytest.mark.parametrize(("seconds", "said"), [(12, "12 s"), (90, "2 min"), (300, "5 min"), (301, "6 min")])
def test_a_wait_is_rounded_up(seconds: int, said: str) -> None:
    assert words.until(seconds) == said

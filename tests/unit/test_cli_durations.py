"""Durations as operators type and read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api_gateway.cli.durations import duration, written
from api_gateway.errors import UsageError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("36h", timedelta(hours=36)),
        ("90d", timedelta(days=90)),
    ],
)
def test_what_is_typed_is_what_is_shown(text: str, meant: timedelta) -> None:
    assert duration(text) == meant
    assert written(meant.total_seconds()) == text


def test_it_is_shown_in_the_largest_unit_that_leaves_no_rest() -> None:
    assert (written(86400), written(5400), written(0.5)) == ("1d", "90m", "0.5s")


@pytest.mark.parametrize("text", ["", "5", "d", "-1d", "1w", "1.5h", "٣d", "1234567d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration"):
        duration(text)

"""What two sides wrote: the net effect of each, and where they differ."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api_gateway.verify.writes import Row, Verb, differences, settled

NOW = datetime(2026, 11, 28, 9, 0, 0, tzinfo=UTC)


def row(verb: Verb, before: dict[str, Any] | None, after: dict[str, Any] | None, place: str = "public.orders") -> Row:
    return Row(place, verb, before, after)


def made(**after: Any) -> Row:
    return row("insert", None, after)


def found(control: list[Row], candidate: list[Row]) -> list[tuple[str, str]]:
    return [(each.path, each.kind) for each in differences(control, candidate, NOW)]


class TestNetEffect:
    def test_a_row_written_twice_counts_once(self) -> None:
        once, again = {"id": 1, "total": 0}, {"id": 1, "total": 5}
        assert settled([row("insert", None, once), row("update", once, again)]) == [row("insert", None, again)]

    def test_a_row_that_was_made_and_taken_away_is_nothing(self) -> None:
        image = {"id": 1}
        assert settled([row("insert", None, image), row("delete", image, None)]) == []

    def test_a_row_that_was_changed_and_changed_back_is_nothing(self) -> None:
        one, two = {"id": 1, "n": 1}, {"id": 1, "n": 2}
        assert settled([row("update", one, two), row("update", two, one)]) == []

    def test_a_row_that_was_changed_and_then_deleted_is_deleted_as_it_was(self) -> None:
        one, two = {"id": 1, "n": 1}, {"id": 1, "n": 2}
        assert settled([row("update", one, two), row("delete", two, None)]) == [row("delete", one, None)]

    def test_equal_rows_of_two_tables_are_two_rows(self) -> None:
        image = {"id": 1}
        rows = [row("insert", None, image), row("delete", image, None, "public.archive")]
        assert settled(rows) == rows


class TestDifferences:
    def test_the_order_of_writing_does_not_count(self) -> None:
        one, two = made(id=1, item="A"), made(id=2, item="B")
        assert found([one, two], [two, one]) == []

    def test_columns_that_an_update_leaves_as_they_are_do_not_count(self) -> None:
        narrow = row("update", {"id": 1, "n": 1}, {"id": 1, "n": 2})
        assert found([narrow], [narrow]) == []
        assert found([narrow], [row("update", {"id": 1, "n": 1}, {"id": 1, "n": 3})]) == [
            ("written.public.orders[1].n", "value")
        ]

    @pytest.mark.parametrize(
        ("control", "candidate", "expected"),
        [
            ([made(id=1)], [], [("written.public.orders[1]", "missing")]),
            ([], [made(id=1)], [("written.public.orders[1]", "extra")]),
            ([made(id=1, total=5)], [made(id=1, total=5.01)], [("written.public.orders[1].total", "value")]),
            ([made(id=1, note=None)], [made(id=1, note="")], [("written.public.orders[1].note", "value")]),
        ],
    )
    def test_a_difference_is_named_by_table_row_and_column(
        self, control: list[Row], candidate: list[Row], expected: list[tuple[str, str]]
    ) -> None:
        assert found(control, candidate) == expected

    def test_a_lost_line_is_one_difference(self) -> None:
        lines = [made(id=1, line=number) for number in range(1, 6)]
        assert found(lines, [line for line in lines if line.after != {"id": 1, "line": 3}]) == [
            ("written.public.orders[3]", "missing")
        ]

    def test_a_clock_that_was_read_then_is_no_difference_and_another_zone_is(self) -> None:
        one, later = made(id=1, at="2026-11-28T09:00:01.5"), made(id=1, at="2026-11-28T09:00:02")
        local, yesterday = made(id=1, at="2026-11-28T04:00:01"), made(id=1, at="2026-11-27T09:00:01")
        assert found([one], [later]) == []
        assert found([one], [local]) == [("written.public.orders[1].at", "value")]
        assert found([one], [yesterday]) == [("written.public.orders[1].at", "value")]

"""Keys that each side draws by itself are one key under two names; every other value must be equal."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from api_gateway.evidence.compare import Verdict, compare
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import Rules
from api_gateway.verify.calls import Call
from api_gateway.verify.keys import KeyColumns, Keys
from api_gateway.verify.writes import Row, differences

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
COLUMNS = KeyColumns(
    frozenset({("public.orders", "id")}),
    {
        ("public.lines", "order_ref"): ("public.orders", "id"),
        ("public.tax", "line_order"): ("public.lines", "order_ref"),
    },
)
ONE, OTHER, THIRD = (str(uuid.UUID(int=n << 64 | 4711)) for n in (5, 6, 7))


def insert(place: str, **values: object) -> Row:
    return Row(f"public.{place}", "insert", None, values)


def places(control: list[Row], candidate: list[Row], columns: KeyColumns = COLUMNS) -> list[str]:
    keys = Keys(columns)
    keys.learn(control, candidate)
    found = differences(control, keys.renamed(candidate), NOW)
    return [each.path for each in found if not keys.same(each.control, each.candidate)]


def test_a_number_of_a_sequence_is_followed_through_foreign_keys_names_and_texts() -> None:
    def rows(number: int) -> list[Row]:
        return [
            insert("orders", id=number, total=12),
            insert("lines", order_ref=number, n=1),
            insert("tax", line_order=number),
            insert("audit", id=number, what=f"NEW order {number}"),
        ]

    assert places(rows(14), rows(6)) == []


def test_a_row_that_refers_to_another_key_is_a_difference() -> None:
    control = [insert("orders", id=14, total=12), insert("lines", order_ref=14, n=1)]
    candidate = [insert("orders", id=6, total=12), insert("lines", order_ref=7, n=1)]
    assert places(control, candidate) == ["written.public.lines[1].order_ref"]


def test_numbers_that_are_no_keys_must_be_equal() -> None:
    control, candidate = [insert("orders", id=14, total=14)], [insert("orders", id=6, total=7)]
    assert "written.public.orders[1].total" in places(control, candidate)
    assert places([insert("stock", n=14)], [insert("stock", n=6)]) == ["written.public.stock[1].n"]


def test_uuids_are_keys_wherever_they_stand() -> None:
    control, candidate = ([insert("t", code=key, x=1), insert("u", ref=key)] for key in (ONE, OTHER))
    assert places(control, candidate, KeyColumns()) == []
    assert places(control, [insert("t", code=OTHER, x=1), insert("u", ref=THIRD)], KeyColumns()) == [
        "written.public.u[1].ref"
    ]


def test_answers_tell_keys_by_their_own_names_and_later_requests_are_translated() -> None:
    keys = Keys(KeyColumns())
    assert not keys.learn([insert("t", id=ONE)], [insert("t", id=OTHER)])
    answers = [
        Observation.answer(
            201, [(b"location", f"/o/{key}".encode()), (b"content-type", b"text/plain")], f"OK|{key}".encode()
        )
        for key in (ONE, OTHER)
    ]
    assert compare(*answers, Rules(), same=keys.same).verdict is Verdict.match
    assert compare(*reversed(answers), Rules(), same=keys.same).verdict is Verdict.mismatch
    call = Call("r", "POST", path=(("id", ONE),), form=(("ref", f"order {ONE}"), ("n", "1")), body=None)
    assert keys.for_modern(call) == Call(
        "r", "POST", path=(("id", OTHER),), form=(("ref", f"order {OTHER}"), ("n", "1"))
    )


def test_a_number_under_two_names_asks_for_fresh_copies() -> None:
    assert Keys(COLUMNS).learn([insert("orders", id=14)], [insert("orders", id=6)])


def test_clocks_kept_as_numbers_are_clocks() -> None:
    seconds = int(NOW.timestamp())
    rows = ([insert("orders", id=key, at=seconds + n)] for n, key in enumerate((14, 6)))
    assert places(*rows) == []
    assert (
        places([insert("t", at=seconds, ms=seconds * 1000)], [insert("t", at=seconds + 1, ms=seconds * 1000 + 9)]) == []
    )
    assert places([insert("t", at=seconds)], [insert("t", at=seconds - 3600)]) == ["written.public.t[1].at"]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), max_size=5))
def test_equal_rows_teach_nothing(images: list[dict[str, int]]) -> None:
    rows = [insert("orders", **image) for image in images]
    keys = Keys(COLUMNS)
    assert not keys.learn(rows, rows)
    assert not keys.same("1", "2")
    assert keys.renamed(rows) == rows

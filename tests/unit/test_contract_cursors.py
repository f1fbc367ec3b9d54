"""Cursors say nothing, and open only where they were written; query strings never do more than be refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.api.cursors import Cursors, Position
from api_gateway.api.query import query_pairs
from api_gateway.errors import Problem

CURSORS = Cursors("a secret")
values = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=5).map(tuple)


@given(values, st.integers(0, 1000), st.text())
def test_a_cursor_opens_to_what_was_written(texts: tuple[str | None, ...], skip: int, context: str) -> None:
    assert CURSORS.open(CURSORS.write(Position(texts, skip), context), context) == Position(texts, skip)


@given(st.text(), st.text(), st.text())
def test_under_another_secret_or_context_it_does_not_open(text: str, context: str, other: str) -> None:
    token = CURSORS.write(Position((text.encode("utf-8", "replace").decode(),)), context)
    with pytest.raises(ValueError):
        Cursors("another").open(token, context)
    if other != context:
        with pytest.raises(ValueError):
            CURSORS.open(token, other)


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_what_was_not_written_by_us_does_not_open(token: str) -> None:
    with pytest.raises(ValueError):
        CURSORS.open(token, "")


def test_a_cursor_does_not_show_what_it_holds() -> None:
    assert "4711" not in CURSORS.write(Position(("4711",)), "x")
    assert CURSORS.write(Position(("4711",)), "x") != CURSORS.write(Position(("4712",)), "x")


@given(st.binary(max_size=200))
def test_any_query_is_parsed_or_refused(query: bytes) -> None:
    refused, pairs = None, []
    try:
        pairs = query_pairs(query)
    except Problem as problem:
        refused = problem.status
    assert refused in (None, 400, 414)
    assert all("\0" not in name + value for name, value in pairs)

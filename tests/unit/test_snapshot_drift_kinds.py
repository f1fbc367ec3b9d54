"""What drift says of keys, policies, views, types and functions: breaking for whom the contract serves, or additive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared_models.digests import body_digest, query_digest
from shared_models.drift import compare
from shared_models.snapshot import (
    Collation,
    Composite,
    Enum,
    ForeignKey,
    Function,
    Policy,
    Query,
    Rule,
    Sequence,
    Snapshot,
    Table,
    Unique,
)

_KEY = ForeignKey("fk", ("up",), "s", "t", ("id",))
_OPEN, _CLOSED = Policy("p", "select", True, ("public",)), Policy("p", "select", False, ("public",))
_TABLE = Table("s", "t", primary_key=("id",), primary_key_name="t_pkey", foreign_keys=(_KEY,))
_SECURED = replace(_TABLE, row_security="enabled")
_VIEW = Table("s", "v", kind="view", query=Query("1"))
_FUNCTION = Function("s", "f", "integer", "integer", "sql", digest="1")
_ROW = Composite("s", "c", (("street", "text"), ("nr", "integer")))


def _kinds(before: Table | Snapshot, after: Table | Snapshot) -> list[str]:
    old, new = (side if isinstance(side, Snapshot) else Snapshot(("s",), (side,)) for side in (before, after))
    found = compare(old, new)
    assert found or old == new, "a difference that nobody is told of"
    return [drift.kind for drift in found]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (_TABLE, replace(_TABLE, primary_key_deferrable=True), "breaking"),
        (replace(_TABLE, primary_key_deferrable=True), _TABLE, "additive"),
        (_TABLE, replace(_TABLE, primary_key_name="t_pk"), "additive"),
        (_TABLE, replace(_TABLE, foreign_keys=(replace(_KEY, on_delete="cascade"),)), "additive"),
        (_TABLE, replace(_TABLE, foreign_keys=(replace(_KEY, initially="deferred"),)), "additive"),
        (_TABLE, replace(_TABLE, foreign_keys=(replace(_KEY, enforced=False),)), "breaking"),
        (_TABLE, replace(_TABLE, foreign_keys=(replace(_KEY, target_columns=("nr",)),)), "breaking"),
        (_TABLE, replace(_TABLE, foreign_keys=(replace(_KEY, period=True),)), "breaking"),
        (_TABLE, replace(_TABLE, foreign_keys=()), "breaking"),
        (_TABLE, replace(_TABLE, uniques=(Unique("u", ("id",)),)), "additive"),
        (_TABLE, replace(_TABLE, rules=(Rule("r", "delete", True, "…"),)), "additive"),
        (_TABLE, replace(_TABLE, policies=(_CLOSED,)), "additive"),
        (_SECURED, replace(_SECURED, policies=(_OPEN,)), "additive"),
        (_SECURED, replace(_SECURED, policies=(_CLOSED,)), "breaking"),
        (replace(_SECURED, policies=(_OPEN,)), _SECURED, "breaking"),
        (replace(_SECURED, policies=(_CLOSED,)), _SECURED, "additive"),
        (replace(_SECURED, policies=(_OPEN,)), replace(_SECURED, policies=(replace(_OPEN, using="x"),)), "breaking"),
        (_TABLE, replace(_TABLE, partition_key="LIST (id)"), "additive"),
        (_TABLE, replace(_TABLE, unlogged=True), "additive"),
        (_TABLE, replace(_TABLE, server="elsewhere"), "additive"),
        (_TABLE, replace(_TABLE, extension="x"), "additive"),
        (_TABLE, replace(_TABLE, accepts=("insert",)), "breaking"),
        (replace(_TABLE, accepts=("insert",)), _TABLE, "additive"),
        (_VIEW, replace(_VIEW, query=Query("2")), "additive"),
        (_VIEW, replace(_VIEW, query=Query("1", security_invoker=True)), "breaking"),
        (replace(_VIEW, query=Query("1", security_invoker=True)), _VIEW, "additive"),
        (_VIEW, replace(_VIEW, query=Query("1", check_option="local")), "breaking"),
        (_VIEW, replace(_VIEW, query=Query("1", security_barrier=True)), "additive"),
        (_VIEW, replace(_VIEW, reads=(("s", "t"),)), "additive"),
    ],
)
def test_a_table_that_behaves_otherwise(before: Table, after: Table, kind: str) -> None:
    assert _kinds(before, after) == [kind]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"security_definer": True}, "additive"),
        ({"open": False}, "breaking"),
        ({"digest": "2"}, "additive"),
        ({"volatility": "stable"}, "additive"),
        ({"result": "bigint"}, "additive"),
    ],
)
def test_a_function_that_is_called(changes: dict[str, object], kind: str) -> None:
    before = Snapshot(("s",), functions=(_FUNCTION,))
    assert _kinds(before, replace(before, functions=(replace(_FUNCTION, **changes),))) == [kind]


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ((*_ROW.fields, ("zip", "text")), ["additive"]),
        (_ROW.fields[::-1], ["additive"]),
        (_ROW.fields[:1], ["breaking"]),
        ((_ROW.fields[0], ("nr", "text")), ["breaking"]),
    ],
)
def test_a_row_type_breaks_when_a_field_goes_or_turns(fields: tuple[tuple[str, str], ...], kinds: list[str]) -> None:
    before = Snapshot(("s",), composites=(_ROW,))
    assert _kinds(before, replace(before, composites=(replace(_ROW, fields=fields),))) == kinds


def test_comments_sequences_and_collations_are_worth_a_look() -> None:
    plain = Snapshot(
        ("s",),
        enums=(Enum("s", "e", ("a",)),),
        composites=(_ROW,),
        collations=(Collation("s", "c", "icu", "de"),),
        sequences=(Sequence("s", "q", "bigint", 1, 1, 1, 9),),
    )
    assert _kinds(plain, replace(plain, enums=(Enum("s", "e", ("a",), "words"),))) == ["additive"]
    assert _kinds(plain, replace(plain, composites=(replace(_ROW, comment="words"),))) == ["additive"]
    assert _kinds(plain, replace(plain, collations=(Collation("s", "c", "icu", "de", False),))) == ["additive"]
    assert _kinds(plain, replace(plain, sequences=())) == ["additive"]


def test_a_query_is_the_same_however_a_server_spells_it() -> None:
    older = " SELECT t.a,\n    s.f(t.\"B c\") AS x\n   FROM s.t\n  WHERE t.note = 'x.y  z''s'::s.label;"
    newer = " SELECT a,\n s.f(\"B c\") AS x\n FROM s.t\n WHERE note = 'x.y  z''s'::s.label;"
    assert query_digest(older) == query_digest(newer)


@pytest.mark.parametrize(
    "other",
    [
        "SELECT a, s.f(b) AS x FROM s.t WHERE note = 'x.y z'",
        "SELECT a, s.f(b) AS x FROM s.t WHERE note = 'y  z'",
        "SELECT a, r.f(b) AS x FROM s.t WHERE note = 'x.y  z'",
        "SELECT b, s.f(b) AS x FROM s.t WHERE note = 'x.y  z'",
    ],
)
def test_another_query_has_another_digest(other: str) -> None:
    assert query_digest(other) != query_digest("SELECT a, s.f(b) AS x FROM s.t WHERE note = 'x.y  z'")


def test_a_body_is_told_by_its_source_or_by_what_was_parsed_of_it() -> None:
    assert body_digest("SELECT 1", None) != body_digest("SELECT 2", None)
    assert body_digest("", "SELECT t.a FROM s.t") == body_digest("", "SELECT a\n FROM s.t")

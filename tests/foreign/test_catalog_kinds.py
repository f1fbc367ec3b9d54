"""Every kind of thing in the catalogs is in the snapshot, and an older and a newer server give the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from shared_models.catalog import read_snapshot, user_schemas
from shared_models.drift import compare
from shared_models.snapshot import Collation, Column, Privilege, Query, Snapshot, Table
from tests.support.debian_postgres import DebianServer
from tests.support.foreign import psql

_SCRIPT = Path(__file__).with_name("every_kind.sql").read_text("utf-8")
_CHILD = ("Two-2", "Child Rows")


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str]) -> str:
    made = clone("template1")
    psql(made, _SCRIPT)
    return made


@pytest.fixture(scope="module")
def snapshot(url: str) -> Snapshot:
    return _read(url)


def _read(url: str) -> Snapshot:
    with psycopg.connect(url, autocommit=True) as connection:
        return read_snapshot(connection, user_schemas(connection))


def _table(snapshot: Snapshot, name: str, schema: str = "one") -> Table:
    table = snapshot.table(schema, name)
    assert table is not None
    return table


def _column(snapshot: Snapshot, table: str, name: str) -> Column:
    column = _table(snapshot, table).column(name)
    assert column is not None
    return column


def test_an_older_server_gives_an_equal_snapshot(snapshot: Snapshot, debian_server: DebianServer) -> None:
    with psycopg.connect(debian_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE every_kind")
    psql(debian_server.url("every_kind"), _SCRIPT)
    older = _read(debian_server.url("every_kind"))
    assert older.server_version // 10000 < snapshot.server_version // 10000
    assert [(drift.table, drift.message) for drift in compare(older, snapshot)] == []
    assert older == snapshot
    assert older.to_json() == snapshot.to_json()


def test_the_file_holds_everything_that_is_compared(snapshot: Snapshot) -> None:
    assert Snapshot.from_json(snapshot.to_json()) == snapshot


def test_reading_again_after_rows_came_changes_nothing_in_the_file(url: str, snapshot: Snapshot) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO one.scratch SELECT 'x' FROM generate_series(1, 5000); ANALYZE one.scratch")
    after = _read(url)
    assert _table(after, "scratch").row_estimate == 5000 > _table(snapshot, "scratch").row_estimate
    assert _table(after, "scratch").size > _table(snapshot, "scratch").size
    assert after.to_json() == snapshot.to_json()


def test_types_are_resolved_and_described(snapshot: Snapshot) -> None:
    assert (snapshot.enums[0].labels, snapshot.enums[0].comment) == (("new", "in work", ""), "where it stands")
    (address,) = (composite for composite in snapshot.composites if composite.name == "address")
    assert address.fields == (("street", "text"), ("codes", "one.sku[]"), ("valid", "one.price_range"))
    assert address.comment == "postal"
    prices = _column(snapshot, "parent", "prices").type
    assert (prices.kind, prices.name, prices.subtype) == ("multirange", "many_prices", "numeric")
    homes = _column(snapshot, "parent", "homes").type
    assert (homes.kind, homes.arrays, homes.sql) == ("composite", 1, "one.address[]")
    assert _column(snapshot, "parent", "at").type.precision == 3


def test_collations_say_where_they_come_from(snapshot: Snapshot) -> None:
    assert _column(snapshot, "parent", "Free Text").collation == "one.plain"
    assert snapshot.collations == (Collation("one", "plain", "libc", "C"),)


def test_keys_say_when_they_are_checked(snapshot: Snapshot) -> None:
    parent = _table(snapshot, "parent")
    assert (parent.primary_key, parent.primary_key_deferrable) == (("a", "b"), True)
    assert {(u.name, u.deferrable, u.nulls_distinct) for u in parent.uniques} == {
        ("nr_once", False, False),
        ("code_once", True, True),
    }
    assert parent.unique_keys() == (("nr",),), "what is checked late names no row while a transaction runs"
    assert [(e.name, "&&" in e.definition) for e in parent.exclusions] == [("no_meeting", True)]


def test_foreign_keys_are_whole(snapshot: Snapshot) -> None:
    keys = {key.name: key for key in _table(snapshot, _CHILD[1], _CHILD[0]).foreign_keys}
    across, clearing = keys["across"], keys["clearing"]
    assert (across.target_schema, across.target_table, across.match, across.on_update) == (
        "one",
        "parent",
        "full",
        "cascade",
    )
    assert (across.deferrable, across.initially) == (True, "deferred")
    assert (clearing.columns, clearing.on_delete, clearing.clears, clearing.validated) == (
        ("nr", "a"),
        "set null",
        ("a",),
        False,
    )


def test_checks_and_indexes_are_whole(snapshot: Snapshot) -> None:
    checks = {check.name: check for check in _table(snapshot, "parent").checks}
    assert (checks["a_positive"].inherited, checks["a_positive"].columns) == (False, ("a",))
    assert not checks["late"].validated
    indexes = {index.name: index for index in _table(snapshot, "parent").indexes}
    part = indexes["part"]
    assert (part.columns, part.operator_classes) == ((None, "Free Text"), (None, "text_pattern_ops"))
    assert (part.predicate, "DESC NULLS LAST" in part.definition) == ("(a > 1)", True)
    assert (indexes["nr_key"].include, indexes["nr_key"].operator_classes) == (("at",), ())
    assert indexes["gin_states"].method == "gin"


def test_an_index_that_failed_to_be_built_is_not_valid(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)")
    (index,) = _table(_read(database_url), "t", "public").indexes
    assert (index.name, index.unique, index.valid) == ("broken", True, False)


def test_triggers_say_when_and_as_whom_they_run(snapshot: Snapshot) -> None:
    triggers = {trigger.name: trigger for trigger in _table(snapshot, "parent").triggers}
    stamped = triggers["stamped"]
    assert (stamped.timing, stamped.events, stamped.columns) == ("before", ("insert", "update"), ("code", "at"))
    assert (stamped.arguments, stamped.security_definer, stamped.condition) == (("a", "it's (b)"), True, "(new.a > 3)")
    assert {(t.name, t.fires, t.enabled) for t in triggers.values()} == {
        ("stamped", "origin", True),
        ("noted", "always", True),
        ("off", "never", False),
        ("on_replica", "replica", False),
    }
    assert [t.constraint for t in _table(snapshot, _CHILD[1], _CHILD[0]).triggers] == ["deferred"]
    assert [t.name for t in _table(snapshot, "log_2026_a").triggers] == ["each_part"]


def test_rules_and_policies_are_whole(snapshot: Snapshot) -> None:
    (rule,) = _table(snapshot, "scratch").rules
    assert (rule.event, rule.instead, rule.fires) == ("delete", True, "never")
    (policy,) = _table(snapshot, "heir").policies
    assert (policy.command, policy.permissive, policy.roles) == ("update", False, ("every_kind_clerk",))
    assert (policy.using, policy.check) == ("(body = one.next_code())", "(more > 0)")


def test_partitions_and_heirs_know_their_place(snapshot: Snapshot) -> None:
    log, year, part = (_table(snapshot, name) for name in ("log", "log_2026", "log_2026_a"))
    assert (log.partition_key, log.kind) == ("RANGE (day, lower(kind))", "partitioned table")
    assert (year.partition_of, year.partition_key) == (("one", "log"), "LIST (kind)")
    assert part.partition_bound == "FOR VALUES IN ('a', NULL)"
    assert _table(snapshot, "log_rest").partition_bound == "DEFAULT"
    assert (log.row_estimate, year.row_estimate) == (3, 1), "as many as their analyzed partitions have"
    assert _table(snapshot, "heir").inherits == (("one", "scratch"),)
    assert _table(snapshot, "scratch").unlogged


def test_a_foreign_table_names_its_server_and_no_options(snapshot: Snapshot) -> None:
    far = _table(snapshot, "far")
    assert (far.kind, far.server) == ("foreign table", "elsewhere")
    assert "must not be read" not in snapshot.to_json()


def test_views_say_whose_rights_count_and_what_may_be_written_through_them(snapshot: Snapshot) -> None:
    careful = _table(snapshot, "careful").query
    assert careful == Query(careful.digest if careful else "", True, True, "local")
    accepts = {table.name: table.accepts for table in snapshot.tables if table.is_view}
    assert accepts == {
        "by_trigger": ("insert",),
        "careful": ("insert", "update", "delete"),
        "computed": (),
        "kept": (),
        "over_far": (),
        "plain_view": ("insert", "update", "delete"),
        "stacked": ("insert", "update", "delete"),
    }
    assert _column(snapshot, "stacked", "number").origin == ("one", "parent", "nr")
    assert not _table(snapshot, "kept").is_filled


def test_functions_that_are_called_are_there_with_their_rights_and_no_others(snapshot: Snapshot) -> None:
    functions = {function.name: function for function in snapshot.functions}
    assert set(functions) == {"stamp", "note", "twice", "next_code"}
    assert (functions["stamp"].security_definer, functions["note"].security_definer) == (True, False)
    assert (functions["twice"].volatility, functions["next_code"].volatility) == ("immutable", "stable")
    assert (functions["twice"].open, functions["next_code"].open) == (True, False)


def test_sequences_know_their_owner(snapshot: Snapshot) -> None:
    sequences = {sequence.name: sequence for sequence in snapshot.sequences}
    assert (sequences["ticket"].increment, sequences["ticket"].cycle, sequences["ticket"].owned_by) == (-2, True, None)
    assert sequences["parent_nr_seq"].owned_by == ("one", "parent", "nr")
    assert sequences["Child Rows_id_seq"].owned_by == (*_CHILD, "id")


def test_privileges_are_there_but_for_one_that_only_newer_servers_have(snapshot: Snapshot) -> None:
    granted = {privilege.privilege for privilege in _table(snapshot, "scratch").privileges}
    assert granted == {"select", "insert", "update", "delete", "truncate", "references", "trigger"}
    assert _table(snapshot, "parent").privileges == (
        Privilege("public", "select", "nr"),
        Privilege("public", "update", "code"),
    )


def test_what_only_the_newest_server_has(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "CREATE EXTENSION btree_gist;"
            "CREATE TABLE room (nr int, during daterange, PRIMARY KEY (nr, during WITHOUT OVERLAPS));"
            "CREATE TABLE stay (nr int, during daterange, loose int, proven int NOT NULL, "
            " doubled int GENERATED ALWAYS AS (loose * 2) VIRTUAL,"
            " CONSTRAINT small CHECK (loose < 9) NOT ENFORCED,"
            " CONSTRAINT in_room FOREIGN KEY (nr, PERIOD during) REFERENCES room (nr, PERIOD during));"
            "ALTER TABLE stay ADD CONSTRAINT claimed NOT NULL loose NOT VALID"
        )
    snapshot = _read(database_url)
    stay = _table(snapshot, "stay", "public")
    columns = {column.name: column for column in stay.columns}
    assert (columns["doubled"].generated, columns["doubled"].is_writable) == ("virtual", False)
    assert (columns["loose"].nullable, columns["proven"].nullable) == (True, False)
    assert [(check.name, check.enforced) for check in stay.checks] == [("small", False)]
    assert [(key.name, key.period) for key in stay.foreign_keys] == [("in_room", True)]
    assert _table(snapshot, "room", "public").primary_key == ("nr", "during")


def test_a_part_of_a_schema_is_the_same_part_of_the_whole(url: str, snapshot: Snapshot) -> None:
    wanted = [("one", "stacked"), _CHILD, ("one", "nothing of this name")]
    with psycopg.connect(url, autocommit=True) as connection:
        part = read_snapshot(connection, ["one", "Two-2"], only=wanted)
    assert part.tables == (_table(snapshot, _CHILD[1], _CHILD[0]), _table(snapshot, "stacked"))
    assert [sequence.name for sequence in part.sequences] == ["Child Rows_id_seq"]
    assert [function.name for function in part.functions] == ["note"]

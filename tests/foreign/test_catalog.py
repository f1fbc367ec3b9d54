"""What a snapshot says of the cases that broke other tools, on the embedded PostgreSQL and on the distribution's."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from shared_models.catalog import read_snapshot, user_schemas
from shared_models.snapshot import Column, ForeignKey, Snapshot, Table
from tests.support.debian_postgres import DebianServer
from tests.support.foreign import loads


@pytest.fixture(scope="module")
def snapshot(clone: Callable[[str], str]) -> Snapshot:
    url = clone("template1")
    loads()["corner_cases"](url)
    return _read(url)


@pytest.fixture(scope="module")
def older(debian_server: DebianServer) -> Snapshot:
    with psycopg.connect(debian_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE corner_cases")
    url = debian_server.url("corner_cases")
    loads()["corner_cases"](url)
    return _read(url)


def _read(url: str) -> Snapshot:
    with psycopg.connect(url, autocommit=True) as connection:
        return read_snapshot(connection, user_schemas(connection))


def _table(snapshot: Snapshot, schema: str, name: str) -> Table:
    table = snapshot.table(schema, name)
    assert table is not None
    return table


def _column(snapshot: Snapshot, schema: str, table: str, name: str) -> Column:
    column = _table(snapshot, schema, table).column(name)
    assert column is not None
    return column


def test_two_major_versions_of_the_server_give_the_same_snapshot(snapshot: Snapshot, older: Snapshot) -> None:
    assert snapshot.server_version // 10000 > older.server_version // 10000
    assert snapshot.to_json() == older.to_json()


def test_a_foreign_key_to_a_partitioned_table_is_seen_once_with_all_its_columns(snapshot: Snapshot) -> None:
    (key,) = _table(snapshot, "c01", "bill").foreign_keys
    assert (key.columns, key.target_table, key.target_columns) == (
        ("branch", "on_day", "nr"),
        "visit",
        ("branch", "on_day", "nr"),
    )
    assert _table(snapshot, "c01", "visit").kind == "partitioned table"
    assert _table(snapshot, "c01", "visit_a").partition_of == ("c01", "visit")
    assert len(_table(snapshot, "c01", "visit_a").foreign_keys) == 1


def test_a_views_columns_know_where_they_come_from(snapshot: Snapshot) -> None:
    assert _column(snapshot, "c02", "v_booking", "hour").origin == ("c02", "booking", "hour")
    assert _column(snapshot, "c07", "v", "dept").origin == _column(snapshot, "c07", "v", "unit").origin
    assert _column(snapshot, "c09", "v", "total").origin is None
    assert _table(snapshot, "c04", "sales").reads == (("c04_shop", "items"),)


def test_foreign_key_columns_are_paired_as_declared_and_not_by_position(snapshot: Snapshot) -> None:
    (key,) = _table(snapshot, "c05", "b").foreign_keys
    assert (key.columns, key.target_columns) == (("nr", "flag"), ("nr", "flag"))
    assert _table(snapshot, "c05", "a").primary_key == ("nr", "flag")


def test_lengths_survive_for_characters_bits_and_their_arrays(snapshot: Snapshot) -> None:
    lengths = {column.name: column.type.length for column in _table(snapshot, "c08", "code").columns}
    assert lengths == {"c": 5, "b": 5, "vb": 9, "one": 1, "v": 3}
    assert _column(snapshot, "c08", "code", "c").type.is_padded
    assert _column(snapshot, "c08", "code", "v").type.is_array


def test_enums_of_one_name_in_two_schemas_are_two(snapshot: Snapshot) -> None:
    assert _column(snapshot, "c11", "job", "state").type.labels == ("new", "done")
    assert _column(snapshot, "c11", "door", "state").type.labels == ("open", "shut")
    assert _column(snapshot, "c20", "t", "a").type.labels == ("foo", "bar")
    assert _column(snapshot, "c20", "t", "b").type.labels == ("x",)


def test_enum_labels_are_exact_however_odd(snapshot: Snapshot) -> None:
    labels = ("Test", "Another Test", " ", "", "it's", "a,b", "{x}", "NULL", "Ünïcode")
    assert _column(snapshot, "c18", "t", "one").type.labels == labels
    assert _column(snapshot, "c18", "t", "many").type.labels == labels


def test_identity_and_generated_columns_are_told_apart(snapshot: Snapshot) -> None:
    columns = {column.name: column for column in _table(snapshot, "c12", "t").columns}
    assert (columns["id"].identity, columns["alt"].identity) == ("always", "by default")
    assert (columns["fts"].generated, columns["fts"].default) == ("stored", None)
    assert not columns["id"].is_writable
    assert columns["alt"].is_writable


def test_a_domain_is_resolved_to_its_base_and_keeps_its_name_and_not_null(snapshot: Snapshot) -> None:
    column = _column(snapshot, "c14", "t", "b")
    assert (column.type.name, column.type.domain, column.nullable) == ("text", "c14.lang_nn", False)
    domain = next(domain for domain in snapshot.domains if domain.name == "lang")
    assert domain.checks[0].name == "valid_lang"


def test_domains_over_arrays_are_arrays_and_arrays_of_them_are_two_layers(snapshot: Snapshot) -> None:
    layers = {column.name: column.type.arrays for column in _table(snapshot, "c17", "t").columns}
    assert layers == {"id": 0, "a": 1, "g": 1, "d": 2}


def test_names_that_need_quotes_come_back_as_they_are(snapshot: Snapshot) -> None:
    table = _table(snapshot, "c19.Some Schema", "Order.Details")
    assert [column.name for column in table.columns] == ["Order ID", "Unit-Price", "100%", 'a"b', "ключ"]


def test_composite_types_name_their_fields(snapshot: Snapshot) -> None:
    bundle = next(composite for composite in snapshot.composites if composite.name == "bundle")
    assert bundle.fields == (("name", "character varying(255)"), ("files", "c26.files"))
    assert _column(snapshot, "c26", "t", "fs").type.kind == "composite"


def test_a_table_without_a_sound_key_has_none(snapshot: Snapshot) -> None:
    for name in ("link", "nullable", "expr", "nonpk"):
        assert _table(snapshot, "c28", name).unique_keys() == (), name


def test_precision_and_scale_are_read_also_when_negative(snapshot: Snapshot) -> None:
    measures = {c.name: (c.type.precision, c.type.scale) for c in _table(snapshot, "c29", "t").columns}
    assert (measures["n"], measures["n2"], measures["nn"]) == ((None, None), (12, 2), (3, -2))


def test_a_dropped_column_leaves_no_trace_and_its_name_can_be_used_again(snapshot: Snapshot) -> None:
    assert [column.name for column in _table(snapshot, "c30", "cust").columns] == ["id", "name", "gone"]
    assert _column(snapshot, "c30", "cust", "gone").type.name == "int4"


def test_inheritance_rules_disabled_triggers_and_unvalidated_keys_are_there(snapshot: Snapshot) -> None:
    assert _table(snapshot, "c30", "pay_2026").inherits == (("c30", "pay"),)
    (rule,) = _table(snapshot, "c30", "pay").rules
    assert (rule.event, rule.instead) == ("insert", True)
    (trigger,) = _table(snapshot, "c30", "cust").triggers
    assert (trigger.enabled, trigger.timing, trigger.events, trigger.function) == (
        False,
        "before",
        ("insert",),
        "c30.tf",
    )
    assert not trigger.security_definer
    assert _table(snapshot, "c30", "inv").foreign_keys == (
        ForeignKey("inv_cust_fkey", ("cust",), "c30", "cust", ("id",), validated=False),
    )


def test_indexes_say_what_they_are_over(snapshot: Snapshot) -> None:
    indexes = {index.name: index for index in _table(snapshot, "c32", "t").indexes}
    assert any(index.columns == (None,) for index in indexes.values())
    assert any(index.include == ("b",) and index.columns == ("a",) for index in indexes.values())
    assert any(not index.nulls_distinct for index in indexes.values())
    assert len(_table(snapshot, "c32", "t").exclusions) == 1


def test_row_security_policies_and_other_roles_privileges_are_there_and_banyans_own_are_not(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE clerk")
        connection.execute("DO $$BEGIN CREATE ROLE banyan_probe; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
        connection.execute("CREATE TABLE t (id int, mine text)")
        connection.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY own ON t FOR SELECT TO clerk USING (mine = current_user)")
        connection.execute(
            "GRANT SELECT (id) ON t TO clerk; GRANT INSERT ON t TO public; GRANT SELECT ON t TO banyan_probe"
        )
        try:
            table = _table(read_snapshot(connection, ["public"]), "public", "t")
        finally:
            connection.execute("DROP TABLE t; DROP ROLE clerk; DROP ROLE banyan_probe")
    assert table.row_security == "forced"
    (policy,) = table.policies
    assert (policy.name, policy.command, policy.roles, policy.using) == (
        "own",
        "select",
        ("clerk",),
        "(mine = CURRENT_USER)",
    )
    assert {(p.grantee, p.privilege, p.column) for p in table.privileges} == {
        ("clerk", "select", "id"),
        ("public", "insert", None),
    }


def test_what_belongs_to_an_extension_says_so(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        assert _table(read_snapshot(connection, ["public"]), "public", "pg_stat_statements").extension

"""Copies of any schema: what is written is captured whatever the role, and sequences go on together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from api_gateway.verify.copies import Copies, copies
from api_gateway.verify.writes import differences, settled

pytestmark = pytest.mark.xdist_group("verify")

SCHEMA = """
CREATE TABLE "Odd Table" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "a b" text, n numeric(12, 4));
CREATE TABLE part (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
CREATE TABLE audit (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO public.audit VALUES (TG_OP); NEW.n := round(NEW.n, 2); RETURN NEW; END$$;
CREATE TRIGGER note BEFORE INSERT ON "Odd Table" FOR EACH ROW EXECUTE FUNCTION note();
CREATE SCHEMA "Other"; CREATE TABLE "Other".t (x int); CREATE SEQUENCE counter;
GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT INSERT ON "Odd Table" TO PUBLIC; GRANT INSERT ON audit TO PUBLIC;
INSERT INTO "Odd Table" ("a b") VALUES ('old');
"""


@pytest.fixture(scope="module")
def made(clone: Callable[[str], str]) -> Iterator[Copies]:
    source = clone("template1")
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(SCHEMA)
    with copies(source, ("public", "Other"), ["DROP ROLE IF EXISTS verify_clerk", "CREATE ROLE verify_clerk"]) as both:
        yield both
        with psycopg.connect(source, autocommit=True) as connection:
            connection.execute("DROP ROLE verify_clerk")


@pytest.fixture
def fresh(made: Copies) -> Copies:
    made.renew()
    return made


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_rows_are_captured_with_what_triggers_made_of_them(fresh: Copies) -> None:
    run(fresh.legacy_url, 'INSERT INTO "Odd Table" ("a b", n) VALUES (\'x\', 1.005)')
    legacy, modern = fresh.written()
    assert modern == []
    assert {(row.place, row.verb) for row in legacy} == {("public.Odd Table", "insert"), ("public.audit", "insert")}
    [image] = [row.after for row in legacy if row.place == "public.Odd Table"]
    assert image == {"id": 2, "a b": "x", "n": 1.01}


def test_a_role_that_may_hardly_anything_is_captured_too(fresh: Copies) -> None:
    run(fresh.modern_url, "SET ROLE verify_clerk", 'INSERT INTO "Odd Table" ("a b") VALUES (\'y\')')
    _, modern = fresh.written()
    assert ("public.Odd Table", "insert") in {(row.place, row.verb) for row in modern}


def test_partitions_other_schemas_and_truncation_are_captured_once(fresh: Copies) -> None:
    run(fresh.legacy_url, "INSERT INTO part VALUES (1, '2024-05-05')", 'INSERT INTO "Other".t VALUES (1)')
    run(fresh.legacy_url, 'TRUNCATE "Odd Table"')
    legacy, _ = fresh.written()
    assert [(row.place, row.verb) for row in legacy] == [
        ("public.part", "insert"),
        ("Other.t", "insert"),
        ("public.Odd Table", "truncate"),
    ]


def test_what_is_rolled_back_is_not_written(fresh: Copies) -> None:
    run(fresh.legacy_url, "BEGIN", "INSERT INTO audit VALUES ('x')", "ROLLBACK")
    assert fresh.written() == ([], [])


def test_a_number_that_one_side_drew_in_vain_does_not_tear_them_apart(fresh: Copies) -> None:
    from datetime import UTC, datetime

    run(fresh.legacy_url, "SELECT nextval('counter')", "SELECT nextval('counter')")
    assert fresh.align_sequences() == 1
    for url in (fresh.legacy_url, fresh.modern_url):
        run(url, "INSERT INTO \"Other\".t VALUES (nextval('counter'))")
    legacy, modern = fresh.written()
    assert [row.after for row in legacy] == [{"x": 3}]
    assert list(differences(settled(legacy), settled(modern), datetime.now(UTC))) == []


def test_copies_made_anew_are_as_the_source_was(fresh: Copies) -> None:
    run(fresh.modern_url, 'DELETE FROM "Odd Table"')
    fresh.renew()
    with psycopg.connect(fresh.modern_url) as connection:
        assert connection.execute('SELECT count(*) FROM "Odd Table"').fetchone() == (1,)
    assert fresh.written() == ([], [])

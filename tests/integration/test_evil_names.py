"""Operators, functions and types that somebody has put before PostgreSQL's own are never run: with our rights they
could read and write what the API may. Triggers of the host still find what they need on the same path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway.api.contract import load_contract
from api_gateway.consumers import Consumer
from api_gateway.draft.refresh import refresh_generated, refresh_snapshot
from api_gateway.postgres import Server
from api_gateway.project import load_project
from tests.support.api import Api, prepare, serving
from tests.support.commands import Banyan

SCHEMA = """
CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
CREATE TABLE customer (no int PRIMARY KEY, nm varchar(40) NOT NULL, code ext.citext NOT NULL UNIQUE, since timestamp,
  note text, gone char(1) NOT NULL DEFAULT 'N', kind char(2) NOT NULL DEFAULT 'A', data jsonb, tags text[],
  at timestamptz, period daterange);
CREATE TABLE orders (no int PRIMARY KEY, customer_code varchar(20) NOT NULL, total numeric(10,2), owner varchar(10));
CREATE TABLE line (order_no int, no int, text varchar(20), PRIMARY KEY (order_no, no));
CREATE TABLE seen (what text);
INSERT INTO customer SELECT n, 'Customer ' || n, 'Code' || n, '2024-01-01', 'a note', 'N', 'A', '{"a":1}', '{x,y}',
  '2024-01-01Z', '[2024-01-01,2024-02-01)' FROM generate_series(1, 9) n;
INSERT INTO orders SELECT n, 'cODE' || n, n * 1.5, 'acme' FROM generate_series(1, 9) n;
INSERT INTO line SELECT n, m, 'line' FROM generate_series(1, 9) n, generate_series(1, 3) m;
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
  $$BEGIN INSERT INTO seen VALUES (NEW.no::pg_catalog.text); RETURN NEW; END$$;
CREATE TRIGGER look AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION look();
"""

# Before PostgreSQL's own on the path: the same operators and functions, and types of the same names.
EVIL = """
CREATE SCHEMA evil;
CREATE FUNCTION evil.caught() RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'caught'; END$$;
DO $do$
DECLARE o record; f record;
BEGIN
  FOR o IN SELECT oprname, oprleft::regtype l, oprright::regtype r, oprresult::regtype result FROM pg_operator
            WHERE oprkind = 'b' AND oprnamespace = 'pg_catalog'::regnamespace
              AND oprname IN ('=', '<>', '<', '<=', '>', '>=', '~~', '~~*', '||', '->', '->>', '@>', '@@', '/', '%',
                '~', '!~', '-')
              AND oprleft::regtype::text IN ('text', 'character', 'integer', 'bigint', 'numeric', 'jsonb', 'json',
                'timestamp with time zone', 'timestamp without time zone', 'boolean', 'tsvector', 'name', 'uuid')
              AND oprright::regtype::text NOT LIKE 'any%' LOOP
    EXECUTE format('CREATE FUNCTION evil.op_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION ''caught''; END$$', md5(o.oprname), o.l, o.r, o.result);
    EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.op_%s)',
      o.oprname, o.l, o.r, md5(o.oprname));
  END LOOP;
  FOR o IN SELECT unnest(ARRAY['=', '<>', '<', '<=', '>', '>=', '~~', '~~*']) name LOOP
    EXECUTE format('CREATE FUNCTION evil.vc_%s(varchar, varchar) RETURNS bool LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION ''caught''; END$$', md5(o.name));
    EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = evil.vc_%s)',
      o.name, md5(o.name));
  END LOOP;
  FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) args, prorettype::regtype result, proretset
             FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0
              AND proname IN ('row_to_json', 'to_jsonb', 'timezone', 'md5', 'length', 'lower', 'upper', 'now', 'encode',
                'replace', 'chr', 'to_tsvector', 'websearch_to_tsquery', 'json_array_elements', 'set_config',
                'pg_current_xact_id', 'pg_current_xact_id_if_assigned', 'current_setting', 'jsonb_to_recordset') LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION ''caught''; END$$', f.proname, f.args,
        CASE WHEN f.proretset THEN 'SETOF' ELSE '' END, f.result);
    EXCEPTION WHEN others THEN NULL;  -- some pseudo types are for C alone
    END;
  END LOOP;
END $do$;
CREATE FUNCTION evil.caught_state(json, json) RETURNS json LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'caught'; END$$;
CREATE AGGREGATE evil.json_agg(json) (SFUNC = evil.caught_state, STYPE = json, INITCOND = '[]');
CREATE AGGREGATE evil.count(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '1000');
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.caught());
CREATE DOMAIN evil.jsonb AS pg_catalog.jsonb CHECK (evil.caught());
CREATE DOMAIN evil.json AS pg_catalog.json CHECK (evil.caught());
CREATE DOMAIN evil.date AS pg_catalog.date CHECK (evil.caught());
CREATE DOMAIN evil.uuid AS pg_catalog.uuid CHECK (evil.caught());
GRANT USAGE ON SCHEMA evil TO PUBLIC;
"""

FILES = {
    "banyan.toml": 'name = "evil"\n',
    "routes.py": "routes = []\n",
    "contract.py": """
from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from shared_models.contract import (
    Children, Codes, Column, Key, LocalTime, Parent, Resource, Rows, Search, SoftDelete, principal,
)

WRITES = ("list", "get", "create", "update", "delete")

class Customer(
    Resource, table="customer", path="customers", rows=Rows.all(), verbs=(*WRITES, "upsert"),
    soft_delete=SoftDelete("gone"), totals=("exact", "estimated"), search=Search("name", "note"), natural_key="code",
):
    number: Annotated[int, Key("no", write="create")]
    name: Annotated[str, Column("nm", write=True)]
    code: Annotated[str, Column("code", write="create")]
    since: Annotated[datetime | None, LocalTime("since", zone="Europe/Berlin", write=True)]
    note: Annotated[str | None, Column("note", write=True)]
    kind: Annotated[Literal["private", "company"] | None, Codes("kind", {"A": "private", "B": "company"}, write=True)]
    data: Annotated[Any, Column("data", write=True)]
    tags: Annotated[list[str] | None, Column("tags", write=True)]
    at: Annotated[datetime | None, Column("at", write=True)]
    period: Annotated[str | None, Column("period")]
    orders: Annotated[list[Order], Children(on="customer_code", to="code")] = []

class Line(Resource, table="line"):
    number: Annotated[int, Key("no", write="create")]
    text: Annotated[str | None, Column("text", write="create")]

class Order(Resource, table="orders", path="orders", rows=Rows.where(owner=principal.code), verbs=WRITES):
    number: Annotated[int, Key("no", write="create")]
    code: Annotated[str, Column("customer_code", write=True)]
    total: Annotated[float | None, Column("total", write=True)]
    customer: Annotated[Customer | None, Parent("customer_code", to="code")] = None
    lines: Annotated[list[Line], Children(on="order_no", writable=True)] = []
""",
    "operations/__init__.py": """
from fastapi import Response
from sqlalchemy import case, delete, func, insert, select, tuple_, update

from api_gateway.api.operations import operation
from api_gateway.api.transactions import Write
from shared_models.grants import touches

from ..tables import customer, line

@operation("tidyings", scope="orders:write")
@touches(
    select={"customer": ["no", "nm", "code", "kind"], "line": ["order_no", "no", "text"]},
    update={"customer": ["nm"]}, insert={"line": ["order_no", "no", "text"]}, delete=["line"],
)
async def tidy(tx: Write) -> Response:
    found = await tx.rows(
        select(customer.c.no, func.lower(customer.c.nm).label("low"), func.count().over().label("n")).where(
            customer.c.nm == "Customer 1", customer.c.nm.in_(["Customer 1", "x"]), customer.c.nm.like("Cust%"),
            customer.c.nm.not_in(["y"]), customer.c.nm.between("A", "Z"), customer.c.kind.is_distinct_from("B"),
            customer.c.code == "CODE1", customer.c.no.not_in([]),
            tuple_(customer.c.no, customer.c.nm).in_([(1, "Customer 1"), (2, "x")]),
            tuple_(customer.c.no, customer.c.nm).not_in([(2, "Customer 1")]),
            tuple_(customer.c.no, customer.c.nm).in_(select(customer.c.no, customer.c.nm)),
            customer.c.nm.regexp_match("^cust", flags="ix"), ~customer.c.nm.regexp_match("^x", flags="i"),
            customer.c.nm.regexp_replace("C", "K") == "Kustomer 1", customer.c.no / 2 < 1, customer.c.no // 2 == 0,
            customer.c.no % 2 == 1, -customer.c.no == -1, ~customer.c.no.between(2, 9), customer.c.nm.icontains("CUST"),
            case({1: "one"}, value=customer.c.no) == "one", func.nullif(customer.c.no, 2) == 1,
            customer.c.nm + "-" + customer.c.kind + "-" == "Customer 1-A-", customer.c.note.match("note"),
        )
    )
    await tx.execute(update(customer).where(customer.c.nm == "Customer 1").values(nm="Customer 1"))
    await tx.execute(insert(line).values(order_no=1, no=99, text="x"))
    await tx.execute(delete(line).where(line.c.text == "x"))
    return Response(f"{found[0]['low']} {found[0]['n']} {len(found)}")

operations = [tidy]
""",
}


@pytest.fixture(scope="module")
def url(clone: Callable[[str], str]) -> str:
    made = clone("template1")
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evil") / "evil_api"


@pytest.fixture(scope="module")
def api(url: str, server: Server, folder: Path) -> Iterator[Api]:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    operations = folder / "operations"
    operations.rename(folder / "later")  # it imports what is generated below
    bare = load_project(folder)
    refresh_snapshot(bare, url)
    refresh_generated(bare)
    (folder / "later").rename(operations)
    project = load_project(folder)
    contract = load_contract(project)
    prepare(url, project, contract)
    name = url.rsplit("/", 1)[1]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(EVIL.encode())
        for role in ("banyan_api", "banyan_read"):
            connection.execute(
                f'ALTER ROLE {role} IN DATABASE "{name}" SET search_path = evil, public, pg_catalog'.encode()
            )
    caller = Consumer("acme", "Acme", frozenset(contract.scopes()))
    with serving(server.url(name, user="banyan_api"), [caller], project=project, contract=contract) as served:
        yield served


def test_the_evil_names_are_in_force(url: str, server: Server, api: Api) -> None:
    """Else the other tests would prove nothing."""
    with psycopg.connect(server.url(url.rsplit("/", 1)[1], user="banyan_api"), autocommit=True) as connection:
        for statement in ("SELECT 'a'::varchar = 'b'::varchar", "SELECT 1 = 2", "SELECT lower('A'::pg_catalog.text)"):
            with pytest.raises(psycopg.errors.RaiseException, match="caught"):
                connection.execute(statement.encode())


READS = [
    "customers", "customers/1", "customers?name=Customer 1", "customers?name[in]=Customer 1,x", "customers?name[ne]=x",
    "customers?name[gt]=A&name[lte]=Z", "customers?name[like]=Cust%25", "customers?name[ilike]=cust%25",
    "customers?kind=private", "customers?kind[null]=false", "customers?since[gte]=2023-01-01T00:00:00Z",
    "customers?tags[contains]=x", 'customers?data[contains]={"a":1}', "customers?period[contains]=2024-01-05",
    "customers?at[lt]=2030-01-01T00:00:00Z", "customers?q=customer note", "customers?total=exact&number[lt]=5",
    "customers?total=estimated", "customers?sort=-name,kind", "customers?or=(name=Customer 1,not(note=x))",
    "customers?include=orders.lines&orders.where=(total[gt]=0)&orders.sort=-total&orders.limit=2",
    "orders?include=customer,lines&lines.where=(text=line)", "orders?customer.name=Customer 1",
    "customers?fields=name", "customers?code=cODE1",
]  # fmt: skip


@pytest.mark.parametrize("path", READS)
def test_reads_filters_orders_searches_and_counts_are_postgresqls_own(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document.get("data", [document])
    assert "total" not in document or document["total"] < 10


def test_pages_go_on(api: Api) -> None:
    for sort in ("name", "-kind,name", "code", "-since"):
        assert len(api.all(f"customers?limit=2&sort={sort}")) == 9, sort


def test_a_relation_over_citext_compares_without_case_both_ways(api: Api) -> None:
    assert [order["customer"]["number"] for order in api.all("orders?include=customer")] == list(range(1, 10))
    assert [len(one["orders"]) for one in api.all("customers?include=orders")] == [1] * 9
    assert [one["number"] for one in api.all("orders?customer.code=CODE7")] == [7]
    assert [one["number"] for one in api.all("customers?code[in]=code3,CODE4")] == [3, 4]
    assert [one["number"] for one in api.all("customers?code[like]=cODE%25&number[lt]=3")] == [1, 2]


def test_writes_and_their_journal_are_postgresqls_own_and_triggers_find_their_tables(api: Api, url: str) -> None:
    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = api.ask(method, path, json=body, headers=headers)
        assert answer.status_code < 300, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    lines = [{"number": 1, "text": "a"}, {"number": 2}]
    made = ask(
        "POST", "orders?", {"number": 50, "code": "code1", "total": 2.5, "lines": lines}, **{"idempotency-key": "k"}
    )
    assert [line["number"] for line in made["lines"]] == [1, 2]
    assert ask("PATCH", "orders/50", {"total": 3}, **{"content-type": "application/json"})["total"] == 3
    ask("DELETE", "orders/9")
    new = {"number": 60, "name": "N", "code": "c60", "kind": "company", "since": "2024-05-01T10:00:00Z", "tags": ["a"]}
    ask("POST", "customers", [new, {**new, "number": 61, "code": "c61"}])
    assert ask("PUT", "customers/by-code/C61", {"name": "M", "code": "c61", "number": 61})["name"] == "M"
    ask("DELETE", "customers/60")
    assert api.ask("POST", "customers", json={**new, "number": 62, "code": "C61"}).status_code == 409
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT what FROM seen").fetchall() == [("50",), ("50",)]
        row = connection.execute("SELECT count(*) FROM banyan.journal").fetchone()
    assert row is not None
    assert row[0] >= 6


def test_an_operations_own_statements_are_postgresqls_own(api: Api) -> None:
    answer = api.ask("POST", "tidyings", headers={"idempotency-key": "t"})
    assert (answer.status_code, answer.text) == (200, "customer 1 1 1")


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (("check", "--project", "evil_api", "--write"), (0, 1)),
        (("grants", "--apply"), (0,)),
        (("doctor", "--no-edge"), (0, 1)),
        (("init", "drafted_api"), (0,)),
        (("migrate", "down", "base", "--yes"), (0,)),
        (("migrate", "up"), (0,)),
    ],
    ids=lambda value: value[0] + value[-1] if isinstance(value[0], str) else "",
)
def test_an_administrators_commands_run_none_of_it(
    api: Api, url: str, folder: Path, words: tuple[str, ...], codes: tuple[int, ...]
) -> None:
    """Their login is the most dangerous of all."""
    evil = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Devil%2Cpublic%2Cpg_catalog"
    answer = Banyan(folder.parent, {"BANYAN_DATABASE_URL": evil, "BANYAN_PROJECT": str(folder)})(*words)
    assert answer.code in codes, answer.out + answer.err
    assert "caught" not in answer.out + answer.err
    assert "RaiseException" not in answer.out + answer.err

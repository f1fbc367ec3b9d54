"""What `banyan check` finds in the rows, the triggers, the indexes and the consumers of a database."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api_gateway import consumers
from api_gateway.check.documents import differences
from api_gateway.check.triggers import touched
from api_gateway.postgres import Server
from shared_models.snapshot import Snapshot, Table
from tests.support.commands import Answer, Banyan
from tests.support.shop import Shop, open_shop

CONTRACT = """
from typing import Annotated

from shared_models.contract import Codes, Column, Flag, Key, NoneWhen, Parent, Resource, Rows


class Customer(Resource, table="customer", path="customers", rows=Rows.all()):
    number: Annotated[int, Key("cust_no")]
    name: Annotated[str, Column("nm")]
    phone: Annotated[str | None, Column("tel")]


class Order(Resource, table="ord_hdr", path="orders", rows=Rows.where(stat=10)):
    number: Annotated[int, Key("ord_no")]
    status: Annotated[str | None, Codes("stat", {10: "open", 20: "shipped"}), NoneWhen(0)]
    customer: Annotated[Customer | None, Parent("cust_no")] = None


class Item(Resource, table="item", path="items", rows=Rows.all()):
    number: Annotated[int, Key("item_no")]
    text: Annotated[str, Column("descr", filter=False, sort=False)]


class BestSeller(Resource, table="best_seller", path="best-sellers", rows=Rows.all()):
    number: Annotated[int, Key("item_no")]
    text: Annotated[str | None, Column("descr")]
"""


@pytest.fixture(scope="module")
def shop(server: Server, state_template: str, clone: Any, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = open_shop(server, clone(state_template), tmp_path_factory.mktemp("shop"))
    made.execute(
        """
        INSERT INTO ord_hdr VALUES (100, 1, 77), (101, 1, 77), (102, 1, 0), (103, 4711, 10);
        DROP MATERIALIZED VIEW best_seller;
        CREATE MATERIALIZED VIEW best_seller AS SELECT item_no, descr FROM item UNION ALL SELECT NULL, 'no number';
        """
    )
    folder = made.folder.parent / "shop_checked_api"  # under a new name, for Python keeps modules
    _copied(made, folder, CONTRACT)
    return replace(made, folder=folder)


def check(shop: Shop, *words: str) -> Answer:
    return Banyan(shop.folder.parent, {})("check", "--project", str(shop.folder), "--database-url", shop.url, *words)


@pytest.fixture(scope="module")
def found(shop: Shop) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = check(shop, "--json").json["findings"]
    return answer


def of(found: list[dict[str, Any]], code: str) -> list[dict[str, Any]]:
    return [one for one in found if one["code"] == code]


def test_unknown_codes_are_counted_with_keys_and_sentinels_are_none_of_them(found: list[dict[str, Any]]) -> None:
    (one,) = of(found, "rows_unknown_code")
    assert one["details"] == {"count": 2, "keys": ["100", "101"]}
    assert (one["table"], one["column"], one["severity"], one["file"]) == (
        "public.ord_hdr",
        "stat",
        "warning",
        "contract.py",
    )
    assert CONTRACT.splitlines()[one["line"] - 1].strip().startswith("status:")


def test_orphans_are_counted_where_no_foreign_key_forbids_them(found: list[dict[str, Any]]) -> None:
    (one,) = of(found, "rows_orphaned")
    assert one["details"] == {"count": 1, "keys": ["103"]}


def test_nulls_that_a_view_lets_through_are_counted(found: list[dict[str, Any]]) -> None:
    (one,) = of(found, "rows_null")
    assert (one["table"], one["details"]) == ("public.best_seller", {"count": 1, "keys": ["null"]})


def test_no_data_reads_no_row(shop: Shop) -> None:
    assert [one for one in check(shop, "--json", "--no-data").json["findings"] if one["code"].startswith("rows_")] == []


def test_a_key_that_names_two_rows_is_told(shop: Shop) -> None:
    shop.execute("CREATE MATERIALIZED VIEW twice AS SELECT item_no, descr FROM item UNION ALL SELECT 1, 'twin'")
    text = CONTRACT + CONTRACT[CONTRACT.index("class BestSeller") :].replace("BestSeller", "Twice").replace(
        "best_seller", "twice"
    ).replace("best-sellers", "twice")
    folder = shop.folder.parent / "shop_twice_api"
    _copied(shop, folder, text)
    answer = Banyan(folder.parent, {})(
        "check", "--project", str(folder), "--database-url", shop.url, "--write", "--json"
    )
    (one,) = of(answer.json["findings"], "rows_key_repeated")
    assert one["details"] == {"count": 1, "keys": ["1"]}
    shop.execute("DROP MATERIALIZED VIEW twice")


def _copied(shop: Shop, folder: Path, contract: str) -> None:
    folder.mkdir()
    for path in shop.folder.glob("*.*"):
        (folder / path.name).write_text(path.read_text("utf-8"), "utf-8")
    (folder / "contract.py").write_text(contract, "utf-8")
    (folder / "operations").mkdir()
    (folder / "operations/__init__.py").write_text((shop.folder / "operations/__init__.py").read_text("utf-8"))


def test_a_trigger_that_lacks_a_right_is_told_with_the_table_it_names(shop: Shop) -> None:
    shop.execute(
        """
        CREATE TABLE audit_log (txt text);
        CREATE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS
          $$BEGIN /* insert into item */ INSERT INTO audit_log VALUES ('delete from customer'); RETURN NEW; END$$;
        CREATE TRIGGER logs AFTER UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION logs();
        CREATE TRIGGER aside AFTER INSERT ON customer FOR EACH ROW EXECUTE FUNCTION logs();
        """
    )
    (one,) = of(check(shop, "--json", "--no-data").json["findings"], "trigger_rights")
    assert (one["table"], one["severity"]) == ("public.customer", "warning")
    assert one["details"] == {
        "trigger": "logs",
        "function": one["details"]["function"],
        "privilege": "INSERT",
        "touches": "public.audit_log",
    }
    with psycopg.connect(shop.url) as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL ROLE banyan_api")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="audit_log"):
            connection.execute("UPDATE customer SET nm = 'x' WHERE cust_no = 1")
    shop.execute("ALTER FUNCTION logs() SECURITY DEFINER")
    assert of(check(shop, "--json", "--no-data").json["findings"], "trigger_rights") == []
    shop.execute("DROP FUNCTION logs() CASCADE; DROP TABLE audit_log")


def test_what_a_trigger_builds_as_text_is_said_to_be_unseen(shop: Shop) -> None:
    shop.execute(
        """
        CREATE FUNCTION dynamic() RETURNS trigger LANGUAGE plpgsql AS
          $$BEGIN EXECUTE 'INSERT INTO item VALUES (1)'; RETURN NEW; END$$;
        CREATE TRIGGER dynamic AFTER UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION dynamic();
        """
    )
    (one,) = of(check(shop, "--json", "--no-data").json["findings"], "trigger_unseen")
    assert one["severity"] == "note"
    shop.execute("DROP FUNCTION dynamic() CASCADE")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("INSERT INTO public.b SELECT * FROM a", {("INSERT", "b"), ("SELECT", "a")}),
        ('UPDATE "Odd Name" SET x = 1', {("UPDATE", "Odd Name")}),
        ("DELETE FROM ONLY a WHERE x IN (SELECT x FROM b)", {("DELETE", "a"), ("SELECT", "b")}),
        ("-- insert into a\nPERFORM 'update b set x'", set()),
        ("SELECT x FROM nowhere JOIN B ON true", {("SELECT", "b")}),
    ],
)
def test_the_tables_that_a_function_names_are_read_out_of_its_text(body: str, names: set[tuple[str, str]]) -> None:
    tables = tuple(Table("public", name) for name in ("a", "b", "Odd Name"))
    assert touched(body, Snapshot(("public",), tables)) == {(what, ("public", name)) for what, name in names}


def test_filters_and_orders_of_a_large_table_want_indexes(shop: Shop) -> None:
    enlarge = "UPDATE pg_class SET reltuples = 5000000 WHERE relname = 'customer'"
    shop.execute(enlarge)
    found = of(check(shop, "--json", "--no-data").json["findings"], "index_missing")
    assert {one["column"] for one in found} == {"nm", "tel"}, "the key has its index"
    (name,) = [one for one in found if one["column"] == "nm"]
    assert name["details"]["statement"] == 'CREATE INDEX CONCURRENTLY ON "public"."customer" ("nm");'
    assert "filtered and sorted" in name["message"]
    shop.execute(name["details"]["statement"])
    shop.execute(enlarge)  # making an index counts the rows
    found = of(check(shop, "--json", "--no-data").json["findings"], "index_missing")
    assert {one["column"] for one in found} == {"tel"}


def test_a_search_of_a_large_table_wants_an_index_on_its_very_expression(shop: Shop) -> None:
    searched = CONTRACT.replace(
        'path="customers"', 'path="customers", search=Search("name", "phone", language="english")'
    )
    searched = searched.replace("Rows\n", "Rows, Search\n", 1)
    folder = shop.folder.parent / "shop_searched_api"
    _copied(shop, folder, searched)
    searching = replace(shop, folder=folder)
    enlarge = "UPDATE pg_class SET reltuples = 5000000 WHERE relname = 'customer'"

    def wanted() -> list[dict[str, Any]]:
        shop.execute(enlarge)  # making an index counts the rows
        findings = check(searching, "--json", "--no-data").json["findings"]
        return [one for one in of(findings, "index_missing") if "searched" in one["message"]]

    (missing,) = wanted()
    assert missing["column"] == "nm, tel"
    shop.execute("CREATE INDEX ON customer USING gin (to_tsvector('english', nm))")  # another expression
    assert len(wanted()) == 1
    shop.execute(missing["details"]["statement"])
    assert wanted() == []


def test_a_breaking_change_names_the_consumers_it_would_hit(shop: Shop) -> None:
    folder = shop.folder.parent / "shop_breaking_api"
    _copied(shop, folder, CONTRACT)
    assert Banyan(folder.parent, {})("check", "--project", str(folder), "--write").code == 0
    with psycopg.connect(shop.owner_url, autocommit=True) as owner:
        consumers.add_consumer(owner, "bolt", "Bolt", scopes=["items:read"])
    later = shop.folder.parent / "shop_broken_api"
    _copied(shop, later, CONTRACT.replace('    phone: Annotated[str | None, Column("tel")]\n', ""))
    with (later / "banyan.toml").open("a", encoding="utf-8") as toml:
        toml.write('[accounts.app]\ntable = "customer"\nid = "cust_no"\nusername = "nm"\n')
        toml.write('scopes = ["customers:read", "custmers:read"]\n')
    (later / "contract.openapi.json").write_text((folder / "contract.openapi.json").read_text("utf-8"))
    words = ("--database-url", shop.url, "--json", "--no-data")
    answer = Banyan(later.parent, {})("check", "--project", str(later), *words)
    assert answer.code == 1
    breaking = of(answer.json["findings"], "openapi_breaking")
    assert any("Customer.phone is gone" in one["message"] for one in breaking)
    for one in breaking:
        assert one["details"]["consumers"] == [{"code": "acme", "last_used": None}]
        assert "It would hit acme (never seen)." in one["message"]
        sources = ["accounts.app"] if "customers:read" in one["details"]["scopes"] else []
        assert (one["details"]["sources"], "everybody of accounts.app." in one["message"]) == (sources, bool(sources))
    assert any(one["details"]["sources"] for one in breaking)
    (unknown,) = of(answer.json["findings"], "scope_unknown")
    assert unknown["details"] == {"source": "accounts.app", "scope": "custmers:read"}


def schema(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def status(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "status", "in": "query", "schema": {"enum": ["open"]}, **more}]


def listed(*names: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "enum": list(names)}, "minItems": 1}


BASE: dict[str, Any] = {
    "paths": {
        "/api/v1/orders": {
            "get": {
                "parameters": status(),
                "responses": {"200": schema("Order")},
            },
            "post": {
                "requestBody": schema("NewOrder"),
                "responses": {"201": {}},
            },
        },
        "/api/v1/items": {"get": {"responses": {"200": {}}}},
    },
    "components": {
        "schemas": {
            "Order": {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a", "b"]},
            "NewOrder": {"properties": {"a": {"type": "string"}}},
        }
    },
}
NEW = ("components", "schemas", "NewOrder")


def changed(*steps: str, to: Any = None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(BASE))
    *way, last = steps
    part: Any = document
    for step in way:
        part = part[int(step) if isinstance(part, list) else step]
    if to is None:
        del part[int(last) if isinstance(part, list) else last]
    else:
        part[last] = to
    return document


ORDER_GET = ("paths", "/api/v1/orders", "get")
SEEDED = {
    "a path is gone": changed("paths", "/api/v1/items"),
    "a method is gone": changed("paths", "/api/v1/orders", "post"),
    "a parameter is gone": changed(*ORDER_GET, "parameters", "0"),
    "a parameter is required": changed(*ORDER_GET, "parameters", to=status(required=True)),
    "a value is refused": changed(*ORDER_GET, "parameters", to=status(schema={"enum": []})),
    "a media type is gone": changed(*ORDER_GET, "responses", "200", "content", "application/json"),
    "an answer is gone": changed(*ORDER_GET, "responses", "200"),
    "a field of an answer is gone": changed("components", "schemas", "Order", "properties", "b"),
    "a field has another type": changed("components", "schemas", "Order", "properties", "b", to={"type": "string"}),
    "a field may be missing": changed("components", "schemas", "Order", "required", to=["a"]),
    "a new field is demanded": changed(*NEW, to={"properties": {"a": {"type": "string"}, "c": {}}, "required": ["c"]}),
    "a field is demanded": changed(*NEW, "required", to=["a"]),
    "a body is demanded": changed("paths", "/api/v1/orders", "post", "requestBody", "required", to=True),
}
HARMLESS = {
    "nothing": BASE,
    "a new path": changed("paths", "/api/v1/new", to={"get": {}}),
    "a new parameter": changed(*ORDER_GET, "parameters", to=[*status(), {"name": "x", "in": "query"}]),
    "a further value is taken": changed(*ORDER_GET, "parameters", to=status(schema={"enum": ["open", "shut"]})),
    "a new field of an answer": changed("components", "schemas", "Order", "properties", "c", to={}),
    "a new field that may be left out": changed(*NEW, "properties", "c", to={}),
    "a description": changed("components", "schemas", "Order", "description", to="text"),
}


@pytest.mark.parametrize("change", SEEDED)
def test_every_seeded_break_of_an_openapi_document_is_found(change: str) -> None:
    assert any(one.breaking for one in differences(BASE, SEEDED[change]))


def test_a_list_of_names_may_take_more_and_not_less() -> None:
    few, more = (changed(*ORDER_GET, "parameters", to=status(schema=listed(*names))) for names in ("a", "ab"))
    assert not any(one.breaking for one in differences(few, more))
    assert any(one.breaking for one in differences(more, few))


@pytest.mark.parametrize("change", HARMLESS)
def test_nothing_harmless_is_taken_for_a_break(change: str) -> None:
    assert not any(one.breaking for one in differences(BASE, HARMLESS[change]))

"""Every row of a resource as the API gives it, and as PostgreSQL's own `to_json` gives it: brought to one form."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import psycopg
from psycopg import sql

from api_gateway.draft.plan import DraftResource
from shared_models.snapshot import ColumnType, Table
from tests.support.api import Api

Rows = Counter[str]
_NUMBERS = frozenset({"int2", "int4", "int8", "oid", "numeric", "float4", "float8"})


def rows_of_api(api: Api, resource: DraftResource, table: Table, consumer: str) -> Rows:
    names = {field.column: field.alias or field.attribute for field in resource.fields}
    kinds = _kinds(resource, table)
    return Counter(
        repr([_plain(row[names[column]], kind, base64.b64decode) for column, kind in kinds.items()])
        for page in _pages(api, f"/api/v1/{resource.path}?limit=200", consumer)
        for row in page
    )


def unordered(rows: Rows) -> Rows:
    """The letters of each row: for views whose values hang on the plan, as `string_agg` without an order does."""
    return Counter("".join(sorted(row)) for row in rows.elements())


def rows_of_sql(connection: psycopg.Connection[Any], resource: DraftResource, table: Table) -> Rows:
    """Whatever `to_json` says of each column, which none of our code has touched."""
    kinds = _kinds(resource, table)
    # money is the one type that `to_json` spells as the server's locale wants; PostgreSQL's own cast says its number
    spelling = {"money": "to_json({}::numeric::text)::text"}
    shown = sql.SQL(", ").join(
        sql.SQL(spelling.get(kind.name, "to_json({})::text")).format(sql.Identifier(column))
        for column, kind in kinds.items()
    )
    connection.execute("SET intervalstyle = iso_8601")
    connection.execute("SET timezone = UTC")
    statement = sql.SQL("SELECT {} FROM {}").format(shown, sql.Identifier(*resource.name))
    return Counter(
        repr([_plain(_loads(text), kind, _hex) for text, kind in zip(row, kinds.values(), strict=True)])
        for row in connection.execute(statement)
    )


def _pages(api: Api, target: str, consumer: str) -> Iterator[list[dict[str, Any]]]:
    while target:
        answer = api.client.get(target, headers={"x-api-key": consumer})
        assert answer.status_code == 200, f"{target}: {answer.text}"
        yield _loads(answer.text)["data"]
        target = answer.links.get("next", {}).get("url", "")


def _kinds(resource: DraftResource, table: Table) -> dict[str, ColumnType]:
    return {column.name: column.type for column in table.columns if column.name in {f.column for f in resource.fields}}


def _loads(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_float=Decimal)


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


def _plain(value: Any, kind: ColumnType | None, binary: Any) -> Any:
    """One spelling for what is one value: 1.50 and "1.50", two spellings of an instant, padding or none."""
    if isinstance(value, list):
        return [_plain(part, kind, binary) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part, None, binary) for name, part in sorted(value.items())}
    if value is None or isinstance(value, bool) or kind is None or kind.name in ("json", "jsonb"):
        return _number(value) if isinstance(value, Decimal) else value
    if kind.name in _NUMBERS:
        with suppress(InvalidOperation):
            return _number(Decimal(str(value)))
    if kind.name == "timestamptz":
        with suppress(ValueError):
            return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    if kind.name == "timestamp":
        return value.replace("T", " ")
    if kind.name == "bytea":
        return binary(value)
    return value.rstrip(" ") if kind.is_padded or kind.name == "bpchar" else value


def _number(value: Decimal) -> str:
    return str(value.normalize(Context(prec=20_000)))

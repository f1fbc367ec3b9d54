"""Rows of the legacy app's own tables of users, read by what banyan.toml says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import NullType

from api_gateway.consumers import Principal
from api_gateway.identities import DjangoSession, Elsewhere, Source
from shared_models.grants import Grant, place_of
from shared_models.spelling import Hosted, quoted
from shared_models.state import OWNER

Named = sa.FromClause
Value = bool | int | str


@dataclass(frozen=True, slots=True)
class Account:
    """One row of a source. `password` is the stored hash and stays in here: see `seal`."""

    source: str
    id: str
    username: str
    is_active: bool
    password: str | None = field(default=None, repr=False)
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return f"{self.source}:{self.id}"

    @property
    def seal(self) -> str:
        """Changes with the password, so that what was begun under another one ends."""
        return hashlib.sha256(f"banyan seal\0{self.password or ''}".encode()).hexdigest()[:32]

    def principal(self, settings: Source, per_minute: int | None) -> Principal:
        values = {"id": self.id, "username": self.username, **self.values}
        return Principal(settings.kind, self.code, frozenset(settings.scopes), values, per_minute)


Hosts = Mapping[str, str]
"""Columns whose type an extension brings along, such as citext, with the schema of its operators."""

_HOSTS = """
WITH RECURSIVE type AS (
  SELECT a.attname, t.oid, t.typtype, t.typbasetype, t.typnamespace FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
   WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(:name)
     AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
  UNION ALL
  SELECT d.attname, t.oid, t.typtype, t.typbasetype, t.typnamespace FROM type d
    JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) d.typbasetype
   WHERE d.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog."char")
SELECT attname::pg_catalog.text AS name, n.nspname::pg_catalog.text AS host
  FROM type JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) typnamespace
 WHERE typtype OPERATOR(pg_catalog.=) 'b'::pg_catalog."char"
   AND n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog'::pg_catalog.name
"""


def hosts_query(table: str) -> sa.Select[Any]:
    """Rows of `name`, `host`: see `Hosts`. An operator is named by its schema, so that one must be known."""
    found = sa.text(_HOSTS).bindparams(name=".".join(map(quoted, place_of(table))))
    typed = found.columns(sa.column("name", sa.Text), sa.column("host", sa.Text)).subquery("hosts")
    return sa.select(typed.c.name, typed.c.host)


def by_username(settings: Source, username: str, hosts: Hosts) -> sa.Select[Any]:
    name = username.lower() if settings.username_case == "lower" else username
    return _accounts(settings, settings.username, name, hosts)


def by_id(settings: Source, value: str, hosts: Hosts) -> sa.Select[Any]:
    return _accounts(settings, settings.id, value, hosts)


def account_of(source: str, settings: Source, row: Mapping[str, Any]) -> Account:
    values = {name: row[f"value_{name}"] for name in settings.values if row[f"value_{name}"] is not None}
    return Account(source, row["id"], row["username"], bool(row["is_active"]), row.get("password"), values)


def any_password(settings: Source) -> sa.Select[Any]:
    """Somebody's hash: what an ordinary one of this table costs."""
    table = _table(settings.table, [str(settings.password)])
    column = table.c[str(settings.password)]
    return sa.select(_text(column).label("password")).where(sa.func.length(_text(column)) > 20).limit(1)


def session_query(settings: DjangoSession, key: str) -> sa.Select[Any]:
    """The data of a session that has not expired, by the database's clock."""
    table = _table(settings.table, [settings.key, settings.data, settings.expires])
    alive = table.c[settings.expires] > sa.func.clock_timestamp()
    return sa.select(_text(table.c[settings.data]).label("data")).where(table.c[settings.key] == _given(key), alive)


def session_end(settings: DjangoSession, key: str) -> sa.Delete:
    table = _table(settings.table, [settings.key])
    return sa.delete(table).where(table.c[settings.key] == _given(key))


def owner_grants(sources: Iterable[Source]) -> list[Grant]:
    """What banyan_owner reads of the legacy app's tables: neither banyan_api nor banyan_read sees a password hash."""
    return sorted({Grant(OWNER, *place_of(table), column, "SELECT") for table, column in _read(sources)})


def owner_deletes(sources: Iterable[Source]) -> list[tuple[str, str]]:
    """Tables of which a row is deleted when somebody signs out."""
    return sorted({place_of(one.django_session.table) for one in sources if one.django_session is not None})


def _read(sources: Iterable[Source]) -> Iterator[tuple[str, str]]:
    for one in sources:
        own = [one.id, one.username, *([one.password] if one.password else []), *one.active]
        for value in one.values.values():
            if isinstance(value, Elsewhere):
                own += value.on.values()
                yield from ((value.table, column) for column in (value.column, *value.on))
            else:
                own.append(value)
        yield from ((one.table, column) for column in own)
        if (session := one.django_session) is not None:
            yield from ((session.table, column) for column in (session.key, session.data, session.expires))


def _accounts(settings: Source, column: str, value: str, hosts: Hosts) -> sa.Select[Any]:
    table = _table(settings.table, {name for place, name in _read([settings]) if place == settings.table}, hosts)
    columns: list[sa.ColumnElement[Any]] = [
        _text(table.c[settings.id]).label("id"),
        _text(table.c[settings.username]).label("username"),
        sa.func.coalesce(sa.and_(sa.true(), *_active(table, settings)), sa.false()).label("is_active"),
        *(_value(table, wanted).label(f"value_{name}") for name, wanted in settings.values.items()),
    ]
    if settings.password is not None:
        columns.append(_text(table.c[settings.password]).label("password"))
    # Two rows for one name would be two people: neither signs in.
    return sa.select(*columns).where(table.c[column] == _given(value)).limit(2)


def _active(table: Named, settings: Source) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for name, wanted in settings.active.items():
        several: Sequence[Value] = wanted if isinstance(wanted, (list, tuple)) else [wanted]  # type: ignore[list-item]  # text is no list here
        found.append(_text(table.c[name]).in_([_spelled(one) for one in several]))
    return found


def _value(table: Named, wanted: str | Elsewhere) -> sa.ColumnElement[Any]:
    if isinstance(wanted, str):
        return _text(table.c[wanted])
    other = _table(wanted.table, {wanted.column, *wanted.on}).alias()
    pairs = [other.c[theirs] == table.c[ours] for theirs, ours in wanted.on.items()]
    inside = sa.select(_text(other.c[wanted.column])).where(*pairs).limit(1)
    return inside.correlate(table).scalar_subquery()


def _table(name: str, columns: Iterable[str], hosts: Hosts | None = None) -> Any:
    schema, table = place_of(name)
    known = {column: Hosted("", host) for column, host in (hosts or {}).items()}
    return sa.table(table, *(sa.column(one, known.get(one)) for one in sorted(set(columns))), schema=schema)


def _text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """As PostgreSQL writes it; a padded char(n) without its padding."""
    return sa.cast(column, sa.Text)


def _given(value: str) -> sa.ColumnElement[Any]:
    """Text whose type is that of the column it is compared with: an index of it is used, citext stays citext."""
    return sa.literal(value, NullType())


def _spelled(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

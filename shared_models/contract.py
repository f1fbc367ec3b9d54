"""The contract: typed models that say what the API shows of the legacy schema, under which names and types.

    class Order(Resource, table="ord_hdr", path="orders", rows=Rows.where(prt_cd=principal.value("prt_cd"))):
        number: Annotated[int, Key("ord_no")]
        placed_at: Annotated[datetime, LocalTime("ord_dt", zone="America/New_York")]

Values only; no database, no framework. `shared_models.resources` binds a contract to a snapshot, and says there what
does not fit. A field without a marker is the column of the same name. The API calls a field by its pydantic alias if it
has one, else by its attribute: `copy_: Annotated[str, Column("copy"), Field(alias="copy")]`.
"""

from __future__ import annotations

import base64
import binascii
import keyword
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from shared_models.lifecycle import Deprecated
from shared_models.rows import Reference, Rows, principal

__all__ = [
    "Aggregates",
    "BigInt",
    "Bytes",
    "Children",
    "Codes",
    "Column",
    "Deprecated",
    "Flag",
    "Joined",
    "Json",
    "Key",
    "LocalTime",
    "NoneWhen",
    "Now",
    "Parent",
    "Resource",
    "Rows",
    "Search",
    "SoftDelete",
    "Total",
    "Verb",
    "attribute_name",
    "principal",
]

Verb = Literal["list", "get", "create", "update", "upsert", "delete"]
Stored = str | int | bool
Total = Literal["exact", "estimated"]
Function = Literal["sum", "avg", "min", "max"]
DEFAULT_DEPTH, MAX_DEPTH = 3, 5


@dataclass(frozen=True, slots=True)
class Column:
    """The field is this column. `filter`, `sort`: may a list be filtered, sorted by it?

    write: may a request give it, where the resource's verbs allow writing at all? "create": only for a new row.
    """

    column: str
    _: KW_ONLY
    filter: bool = True
    sort: bool = True
    write: bool | Literal["create"] = False


@dataclass(frozen=True, slots=True)
class Key(Column):
    """The column is the row's identity, or the next part of it: parts stand in the order of the fields.

    One key is addressed as `/orders/4711`, a key of several parts as `/order-lines/4711,2`; a comma inside a part is
    sent percent-encoded. A resource without a Key can be listed only.
    """


@dataclass(frozen=True, slots=True)
class LocalTime(Column):
    """A timestamp without zone is the wall clock of `zone` (IANA name; None: the project's `api.time_zone`)."""

    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Codes(Column):
    """Stored codes under the contract's names. A code that is not listed is read as `unknown` (null by default)."""

    values: Mapping[Any, Any]
    _: KW_ONLY
    unknown: Any = None


@dataclass(frozen=True, slots=True)
class Flag(Column):
    """A column with two meanings. Anything but `true` and `false` is read as `unknown` (null by default)."""

    _: KW_ONLY
    true: Stored = "Y"
    false: Stored = "N"
    unknown: bool | None = None


class Joined(Column):
    """Several columns of text as one value: `Joined("street", "city", separator=", ")`.

    Written, it is taken apart at the first separators. A list can be filtered by it, and not be sorted.
    """

    __slots__ = ("columns", "separator")
    columns: tuple[str, ...]
    separator: str

    def __init__(
        self,
        *columns: str,
        separator: str,
        filter: bool = True,  # noqa: A002 - the word that Column has
        write: bool | Literal["create"] = False,
    ) -> None:
        Column.__init__(self, columns[0] if columns else "", filter=filter, sort=False, write=write)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "separator", separator)


class NoneWhen:
    """Stored values that mean "none": `NoneWhen(date(1900, 1, 1))`, `NoneWhen("", "0")`. Beside a Column."""

    __slots__ = ("values",)

    def __init__(self, *values: Any) -> None:
        self.values = values


class Parent:
    """The one row that `columns` of this table point to, with or without a foreign key; None for an orphan.

    `to`: the columns they equal in the parent's table; default: the parent's key.
    """

    __slots__ = ("columns", "to")

    def __init__(self, *columns: str, to: str | tuple[str, ...] = ()) -> None:
        self.columns = columns
        self.to = (to,) if isinstance(to, str) else to


class Children:
    """The rows whose columns `on` point to this row, in the order of their key, at most `limit`.

    to        the columns of this table that they equal; default: this resource's key
    writable  a new row may bring them along, in the same transaction
    numbered  a field of theirs that counts them from 1 where the request does not
    """

    __slots__ = ("limit", "numbered", "on", "to", "writable")

    def __init__(
        self,
        on: str | tuple[str, ...],
        *,
        to: str | tuple[str, ...] = (),
        limit: int = 1000,
        writable: bool = False,
        numbered: str | None = None,
    ) -> None:
        self.on = (on,) if isinstance(on, str) else on
        self.to = (to,) if isinstance(to, str) else to
        self.limit = limit
        self.writable = writable
        self.numbered = numbered


@dataclass(frozen=True, slots=True)
class SoftDelete:
    """Rows whose `column` holds `deleted` are not there. DELETE writes it, and `also`: other columns, other values."""

    column: str
    deleted: Stored = "Y"
    also: Mapping[str, Stored] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Now:
    """The database's clock at the write, in a column that no request gives.

    In a timestamp without zone: on the wall of `zone` (IANA name; None: the project's `api.time_zone`).
    """

    zone: str | None = None
    _: KW_ONLY
    whole_seconds: bool = False


Fill = Stored | Decimal | datetime | date | Reference | Now


class Aggregates:
    """What a list may be summed up to at `/orders:aggregate`: how many rows there are, and besides

    sum, avg, min, max   of these fields
    by                   in groups by these fields, or by the calendar of a date or moment: `placed_at.month` (`day`,
                         `week`, `month`, `quarter`, `year`)
    """

    __slots__ = ("avg", "by", "max", "min", "sum")

    def __init__(
        self,
        *,
        by: str | tuple[str, ...] = (),
        sum: str | tuple[str, ...] = (),  # noqa: A002 - the word of SQL and of the API
        avg: str | tuple[str, ...] = (),
        min: str | tuple[str, ...] = (),  # noqa: A002 - the word of the contract
        max: str | tuple[str, ...] = (),  # noqa: A002 - the word of the contract
    ) -> None:
        self.by, self.sum, self.avg, self.min, self.max = (
            (given,) if isinstance(given, str) else given for given in (by, sum, avg, min, max)
        )


class Search:
    """`q=…` finds the words in these fields, by PostgreSQL's text search configuration `language`.

    stored   a column of type tsvector that the database keeps of them, and of whatever else; it is searched instead
    """

    __slots__ = ("fields", "language", "stored")

    def __init__(self, *fields: str, language: str = "simple", stored: str | None = None) -> None:
        self.fields = fields
        self.language = language
        self.stored = stored


@dataclass(frozen=True, slots=True)
class AsString:
    """In JSON the number is written as a string, exactly."""


def _bytes_of_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64 (RFC 4648, section 4)") from error


BigInt = Annotated[
    int,
    AsString(),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^-?[0-9]+$"}),
]
"""A 64-bit integer that is a string in JSON, because JavaScript cannot hold it beyond 2^53."""

Bytes = Annotated[
    bytes,
    BeforeValidator(_bytes_of_text),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes, base64 (RFC 4648, section 4) in JSON."""

Json = Any
"""A json or jsonb column, passed on as it is."""


@dataclass(frozen=True, slots=True)
class Definition:
    """The class keywords of one resource."""

    table: str
    schema: str
    path: str | None
    rows: Rows | None
    scope: str | None
    verbs: tuple[Verb, ...]
    soft_delete: SoftDelete | None
    sort: str | None
    include_depth: int
    totals: tuple[Total, ...]
    search: Search | None
    aggregates: Aggregates | None
    write_scope: str | None
    on_create: Mapping[str, Fill]
    on_write: Mapping[str, Fill]
    natural_key: tuple[str, ...]
    if_match: bool
    max_rows: int
    deprecated: Deprecated | None


class Resource(BaseModel):
    """A noun of the API, mapped on one table or view.

    table, schema  where the rows are
    path           `orders`: served at /api/v1/orders; None: reachable only as parent or children of another resource
    rows           which rows a principal sees. Required with `path`; without it, what the including row leads to
    scope          what a principal needs; default `orders:read`, made from the path
    verbs          what is served: `list`, `get`; and only where they are named `create`, `update`, `upsert`, `delete`
    soft_delete    rows that are not there
    include_depth  steps that `include`, and filters on parents, may take from here
    totals         how a list may say how many rows there are: `exact`, `estimated`
    search         which fields `q` searches for words
    aggregates     what a list may be summed up to, at `/orders:aggregate`
    sort           order of a list when none is asked for: `-placed_at,number`; default: the key

    write_scope    what a principal needs for writing; default `orders:write`
    on_create      columns that every new row gets from us: `{"crt_dt": Now(), "crt_by": principal.code}`
    on_write       columns that every write sets, creating ones too: `{"upd_dt": Now()}`
    natural_key    fields that name a row for its writer: `PUT /orders/by-reference/A-1`
    if_match       PATCH, PUT and DELETE must say which version they mean (428 without If-Match)
    max_rows       how many rows one POST may create
    deprecated     since when it should not be used any more: said in the API document and on its answers

    A subclass without `table` is a set of shared fields, no resource.
    """

    # Validators are built when an operation first uses them: of a thousand resources hardly one is ever instantiated.
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, from_attributes=True, defer_build=True
    )

    __definition__: ClassVar[Definition | None] = None

    def __init_subclass__(
        cls,
        *,
        table: str | None = None,
        schema: str = "public",
        path: str | None = None,
        rows: Rows | None = None,
        scope: str | None = None,
        verbs: tuple[Verb, ...] = ("list", "get"),
        soft_delete: SoftDelete | None = None,
        sort: str | None = None,
        include_depth: int = DEFAULT_DEPTH,
        totals: tuple[Total, ...] = (),
        search: Search | None = None,
        aggregates: Aggregates | None = None,
        write_scope: str | None = None,
        on_create: Mapping[str, Fill] | None = None,
        on_write: Mapping[str, Fill] | None = None,
        natural_key: str | tuple[str, ...] = (),
        if_match: bool = False,
        max_rows: int = 100,
        deprecated: Deprecated | None = None,
        **configuration: Any,
    ) -> None:
        super().__init_subclass__(**configuration)
        if table is None:
            cls.__definition__ = None
            return
        scope = scope if scope is not None or path is None else f"{path}:read"
        cls.__definition__ = Definition(
            table=table,
            schema=schema,
            path=path,
            rows=rows,
            scope=scope,
            verbs=tuple(verbs),
            soft_delete=soft_delete,
            sort=sort,
            include_depth=include_depth,
            totals=tuple(totals),
            search=search,
            aggregates=aggregates,
            write_scope=write_scope if write_scope is not None or path is None else f"{path}:write",
            on_create=on_create or {},
            on_write=on_write or {},
            natural_key=(natural_key,) if isinstance(natural_key, str) else natural_key,
            if_match=if_match,
            max_rows=max_rows,
            deprecated=deprecated,
        )


_TAKEN = frozenset(dir(Resource)) | frozenset(dir(type(Resource))) | {"model_config"}


def attribute_name(name: str) -> str:
    """`name` where it can be a field's attribute, else with an underscore behind it: `copy_`, `class_`.

    `name` must be an identifier that does not begin with an underscore.
    """
    return f"{name}_" if name in _TAKEN or keyword.iskeyword(name) or name.startswith("model_") else name

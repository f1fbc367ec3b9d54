"""From a list's shape to the COPY that gives all of its rows, as NDJSON or CSV, written by PostgreSQL itself.

COPY takes no parameters, so the values of the request become literals: as nodes of SQLAlchemy's tree, escaped, never by
replacing text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.sql.visitors import replacement_traverse

from api_gateway.api.select import every_row
from api_gateway.api.shapes import ListShape
from api_gateway.api.visible import Place
from shared_models.prepared import prepared
from shared_models.resources import BoundResource, Field, Resources
from shared_models.snapshot import ColumnType
from shared_models.values import Expression, as_text

Form = Literal["ndjson", "csv"]

# JSON text holds no control characters, so with these nothing is ever quoted or escaped
_NDJSON = r"FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02'"
_CSV = "FORMAT csv, HEADER"
_NUMBERS = frozenset({"int2", "int4", "int8", "oid", "numeric", "float4", "float8"})
_TIMES = frozenset({"date", "timestamp", "timestamptz", "time", "timetz"})
_ONE_LINE = _NUMBERS | _TIMES | {"bool", "text", "varchar", "bpchar", "uuid", "jsonb", "name", "citext"}


class Export:
    """The rows of one list. `places`: what the principal has to say; their values belong into `sql`'s too."""

    def __init__(self, resource: BoundResource, shape: ListShape, resources: Resources, *, limited: bool) -> None:
        self._resource, self._shape = resource, shape
        self._select, self.places = every_row(resource, shape, resources, limited=limited)

    places: Mapping[str, Place]

    def sql(self, form: Form, values: Mapping[str, str | None]) -> bytes:
        """The whole COPY, its values written into it."""
        rows = self._select.subquery("document")
        shown = self._as_json(rows) if form == "ndjson" else self._as_cells(rows)
        statement = sa.select(*shown).select_from(rows)

        def literal(element: Any, **_: Any) -> Any:
            return _literal(values[element.key]) if isinstance(element, sa.BindParameter) else None

        whole = cast("sa.Select[Any]", replacement_traverse(statement, {}, literal))
        return (
            b"COPY ("
            + prepared(whole).sql
            + b") TO STDOUT WITH ("
            + (_NDJSON if form == "ndjson" else _CSV).encode()
            + b")"
        )

    def _as_json(self, rows: sa.Subquery) -> list[Expression]:
        document: Expression = sa.cast(sa.func.row_to_json(sa.literal_column('"document".*')), sa.Text)
        if all(_is_one_line(field.column.type) for field in self._fields()) and not self._shape.include:
            return [document]
        # a stored json keeps its line ends, which are only blanks between values
        for character in ("chr(10)", "chr(13)"):
            document = sa.func.replace(document, sa.literal_column(character), sa.literal_column("' '"))
        return [document]

    def _as_cells(self, rows: sa.Subquery) -> list[Expression]:
        cells: list[Expression] = [_cell(field, rows.c[field.name]).label(field.name) for field in self._fields()]
        return cells + [as_text(rows.c[part.name]).label(part.name) for part in self._shape.include]

    def _fields(self) -> list[Field]:
        fields = self._resource.fields
        return [fields[name] for name in self._shape.fields] if self._shape.fields else list(fields.values())


def _is_one_line(column_type: ColumnType) -> bool:
    return column_type.name in _ONE_LINE and not column_type.is_array


def _literal(value: str | None) -> Expression:
    """E'…' means the same under every setting of the server."""
    if value is None:
        return sa.null()
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return sa.literal_column(f" E'{escaped}'")


def _cell(field: Field, value: Expression) -> Expression:
    """As in JSON, without the quotes. Text that a spreadsheet would run as a formula gets an apostrophe in front;
    numbers stay numbers."""
    stored, schema = field.column.type, field.value.schema
    plain = stored.name in _NUMBERS | _TIMES | {"bool", "uuid"} and not stored.is_array and "enum" not in schema
    if plain and schema.get("type") == "string" and stored.name in _TIMES - {"date"}:
        quote: Expression = sa.literal_column("'\"'")
        return sa.func.btrim(sa.cast(sa.func.to_json(value), sa.Text), quote)
    if plain:
        return as_text(value) if stored.name == "bool" else value
    text = as_text(value)
    first = sa.func.ascii(text)
    guarded = sa.literal_column("''''").op("||")(text)
    is_formula = first.in_([sa.literal_column(str(code), sa.Integer) for code in map(ord, "=+-@\t\r")])
    return sa.case((first > sa.literal_column("64", sa.Integer), text), (is_formula, guarded), else_=text)

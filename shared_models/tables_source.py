"""A project's `tables.py`, generated from its snapshot: SQLAlchemy Core tables whose columns a type checker knows."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from shared_models.snapshot import Column, ColumnType, Snapshot, Table

_HEADER = '''"""The legacy tables, typed. Generated from schema.lock.json by `banyan openapi --write`: do not edit."""

from __future__ import annotations

{imports}

metadata = sa.MetaData()
'''

# PostgreSQL's type: what SQLAlchemy calls it, and what Python holds
_TYPES = {
    "int2": ("sa.SmallInteger()", "int"),
    "int4": ("sa.Integer()", "int"),
    "int8": ("sa.BigInteger()", "int"),
    "oid": ("postgresql.OID()", "int"),
    "float4": ("sa.REAL()", "float"),
    "float8": ("sa.Double()", "float"),
    "bool": ("sa.Boolean()", "bool"),
    "text": ("sa.Text()", "str"),
    "citext": ("postgresql.CITEXT()", "str"),
    "name": ("sa.String(63)", "str"),
    "date": ("sa.Date()", "date"),
    "time": ("sa.Time()", "time"),
    "timestamp": ("sa.DateTime()", "datetime"),
    "timestamptz": ("sa.DateTime(timezone=True)", "datetime"),
    "interval": ("sa.Interval()", "timedelta"),
    "uuid": ("sa.Uuid()", "UUID"),
    "bytea": ("sa.LargeBinary()", "bytes"),
    "json": ("sa.JSON()", "Any"),
    "jsonb": ("postgresql.JSONB()", "Any"),
}
_IMPORTS = {
    "Any": "from typing import Any",
    "UUID": "from uuid import UUID",
    "Decimal": "from decimal import Decimal",
    **dict.fromkeys(("date", "time", "datetime", "timedelta"), "datetime"),
}


def tables_source(snapshot: Snapshot, only: Iterable[tuple[str, str]] | None = None) -> str:
    """`only`: (schema, name) of the tables wanted; default: all. Names that collide get their schema in front."""
    wanted = None if only is None else set(only)
    tables = [t for t in snapshot.tables if wanted is None or (t.schema, t.name) in wanted]
    names = _variable_names(tables)
    classes: dict[str, str] = {}
    for variable in names.values():
        classes[variable] = _class_name(variable, set(classes.values()))
    variables = [names[table.schema, table.name] for table in tables]
    bodies = [_table(table, name, classes[name]) for table, name in zip(tables, variables, strict=True)]
    return _HEADER.format(imports=_imports("\n".join(bodies))) + "".join(f"\n\n{body}" for body in bodies)


def _variable_names(tables: Iterable[Table]) -> dict[tuple[str, str], str]:
    names: dict[tuple[str, str], str] = {}
    for table in tables:
        name = identifier(table.name)
        if name in names.values() or name in _RESERVED:
            name = identifier(f"{table.schema}_{table.name}")
        while name in names.values():
            name += "_"
        names[table.schema, table.name] = name
    return names


_WIDTH = 121  # with its newline
_RESERVED = frozenset({"sa", "postgresql", "metadata", "date", "time", "datetime", "timedelta", *_IMPORTS})


def identifier(name: str) -> str:
    """A Python name for any name of PostgreSQL's: `rpt sales` is `rpt_sales`, `class` is `class_`."""
    text = re.sub(r"\W", "_", name).strip("_") or "column"
    text = f"n{text}" if text[0].isdigit() else text
    return f"{text}_" if keyword.iskeyword(text) else text


def _class_name(variable: str, taken: set[str]) -> str:
    """`lead_item` and `LeadItem` are two variables that would be one class."""
    name = "".join(part[:1].upper() + part[1:] for part in variable.split("_")) + "Columns"
    while name in taken:
        name += "_"
    return name


def _table(table: Table, variable: str, cls: str) -> str:
    taken: set[str] = set()
    lines = [_column(column, table, taken) for column in table.columns]
    comment = f'    """{table.qualified}"""\n\n'
    names = f'"{_escaped(table.name)}", metadata, {cls}, schema="{_escaped(table.schema)}"'
    definition = f"{variable} = sa.Table({names}, quote=True)\n"
    if len(definition) > _WIDTH:
        definition = f"{variable} = sa.Table(\n    {names}, quote=True\n)\n"
    return f"class {cls}(sa.TypedColumns):\n{comment}" + "".join(lines) + f"\n\n{definition}"


def _column(column: Column, table: Table, taken: set[str]) -> str:
    attribute = identifier(column.name)
    while attribute in taken:
        attribute += "_"
    taken.add(attribute)
    source, python = _type(column.type)
    arguments = [f'"{_escaped(column.name)}"', source]
    if column.name in table.primary_key:
        arguments += ["primary_key=True", "autoincrement=False"]
    if column.has_default:
        arguments.append("server_default=sa.FetchedValue()")
    annotation = f"{python} | None" if column.nullable and python != "Any" else python
    if attribute != column.name:
        arguments.append(f'key="{attribute}"')
    line = f"    {attribute}: sa.Named[{annotation}] = sa.Column({', '.join(arguments)})\n"
    return line if len(line) <= _WIDTH else line.replace("sa.Column(", "sa.Column(\n        ", 1)[:-2] + "\n    )\n"


def _type(column_type: ColumnType) -> tuple[str, str]:
    source, python = _element(column_type)
    return (f"sa.ARRAY({source})", f"list[{python}]") if column_type.is_array else (source, python)


def _element(column_type: ColumnType) -> tuple[str, str]:
    if column_type.name == "numeric":
        size = ", ".join(str(part) for part in (column_type.precision, column_type.scale) if part is not None)
        return f"sa.Numeric({size})", "Decimal"
    if column_type.name in ("varchar", "bpchar"):
        kind = "sa.String" if column_type.name == "varchar" else "Padded"
        return f"{kind}({column_type.length or ''})", "str"
    if column_type.name in _TYPES:
        return _TYPES[column_type.name]
    return f'Spelled("{_escaped(column_type.sql.split("[")[0])}")', "Any"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _imports(body: str) -> str:
    used = {name for name in _IMPORTS if re.search(rf"\b{name}\b(?=[\]\s|])", body)}
    times = sorted(name for name in used if _IMPORTS[name] == "datetime")
    standard = [f"from datetime import {', '.join(times)}"] if times else []
    standard += sorted(_IMPORTS[name] for name in used if name not in times)
    others = ["import sqlalchemy as sa"]
    if "postgresql." in body:
        others.append("from sqlalchemy.dialects import postgresql")
    ours = []
    if "Spelled(" in body:
        ours.append("from shared_models.spelling import Spelled")
    if "Padded(" in body:
        ours.append("from shared_models.tables import Padded")
    return "\n\n".join("\n".join(group) for group in (standard, others, ours) if group)

"""A project's `tables.py` and `tables.pyi`, generated from its snapshot: Core tables that a type checker knows.

At run time a table is made when an operation or a mimic first asks for it: a thousand at once would cost four seconds
and 135 MB.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from shared_models.snapshot import Column, Snapshot, Table

_SOURCE = '''\
"""The legacy tables, each made when it is asked for; their types: tables.pyi. Generated from schema.lock.json."""

from __future__ import annotations

import sqlalchemy as sa

from shared_models.project_tables import tables_beside

metadata = sa.MetaData()
__getattr__ = tables_beside(
    __file__,
    metadata,
    {{{places}}},
)
'''
_STUB = '''\
"""The legacy tables, typed. Generated from schema.lock.json by `banyan check --write`: do not edit."""

{imports}

metadata: sa.MetaData
{typed}'''

# PostgreSQL's type, and what Python holds
_TYPES = {
    "numeric": "Decimal",
    "varchar": "str",
    "bpchar": "str",
    "int2": "int",
    "int4": "int",
    "int8": "int",
    "oid": "int",
    "float4": "float",
    "float8": "float",
    "bool": "bool",
    "text": "str",
    "citext": "str",
    "name": "str",
    "date": "date",
    "time": "time",
    "timestamp": "datetime",
    "timestamptz": "datetime",
    "interval": "timedelta",
    "uuid": "UUID",
    "bytea": "bytes",
    "json": "Any",
    "jsonb": "Any",
}
_IMPORTS = {
    "Any": "typing",
    "UUID": "uuid",
    "Decimal": "decimal",
    **dict.fromkeys(("date", "time", "datetime", "timedelta"), "datetime"),
}
_BUILTINS = ("bool", "bytes", "float", "int", "list", "str")


def tables_source(snapshot: Snapshot) -> str:
    """What runs. Names that collide get their schema in front."""
    places = "".join(_place(variable, *place) for place, variable in _variable_names(snapshot.tables).items())
    return _SOURCE.format(places=f"\n{places}    " if places else "")


def tables_stub(snapshot: Snapshot) -> str:
    """What a type checker reads in its place, as PEP 484 has it: never loaded by a process that serves."""
    names = _variable_names(snapshot.tables)
    classes: dict[str, str] = {}
    taken: set[str] = set()
    for variable in names.values():
        classes[variable] = _class_name(variable, taken)
        taken.add(classes[variable])
    variables = [names[table.schema, table.name] for table in snapshot.tables]
    typed = [
        _table(table, name, classes[name], frozenset(variables))
        for table, name in zip(snapshot.tables, variables, strict=True)
    ]
    return _STUB.format(imports=_imports("".join(typed)), typed="".join(f"\n{each}" for each in typed))


def _variable_names(tables: Iterable[Table]) -> dict[tuple[str, str], str]:
    names: dict[tuple[str, str], str] = {}
    taken = set(_RESERVED)
    for table in tables:
        name = identifier(table.name)
        if name in taken:
            name = identifier(f"{table.schema}_{table.name}")
        while name in taken:
            name += "_"
        taken.add(name)
        names[table.schema, table.name] = name
    return names


_WIDTH = 121  # with its newline
_RESERVED = frozenset({"sa", "metadata", "annotations", "tables_beside", *_IMPORTS})


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


def attributes(table: Table) -> dict[str, str]:
    """Each column's name, and the attribute of `table.c` that it is."""
    taken: dict[str, None] = {}
    for column in table.columns:
        attribute = identifier(column.name)
        while attribute in taken:
            attribute += "_"
        taken[attribute] = None
    return dict(zip((column.name for column in table.columns), taken, strict=True))


def _table(table: Table, variable: str, cls: str, variables: frozenset[str]) -> str:
    names = attributes(table)
    hidden = variables | frozenset(names.values())
    sa = "_sa" if "sa" in hidden else "sa"
    lines = "".join(
        f"    {names[column.name]}: {sa}.Named[{_annotation(column, hidden)}]\n" for column in table.columns
    )
    head, value = f"class {cls}(sa.TypedColumns):\n", f"{variable}: sa.Table[{cls}]\n"
    if len(head) > _WIDTH:
        head = f"class {cls}(\n    sa.TypedColumns\n):\n"
    if len(value) > _WIDTH:
        value = f"{variable}: sa.Table[\n    {cls}\n]\n"
    return f'{head}    """{_escaped(table.qualified)}"""\n' + (f"\n{lines}" if lines else "") + f"\n{value}"


def _annotation(column: Column, hidden: frozenset[str]) -> str:
    """`hidden`: names that mean a column or a table there; a type of that name is written with an underscore."""

    def seen(name: str) -> str:
        return f"_{name}" if name in hidden else name

    python = _TYPES.get(column.type.name, "Any")
    shown = f"{seen('list')}[{seen(python)}]" if column.type.is_array else seen(python)
    return f"{shown} | None" if column.nullable and shown not in ("Any", "_Any") else shown


def _place(variable: str, schema: str, name: str) -> str:
    names = [f'"{_escaped(part)}"' for part in (schema, name)]
    line = f'        "{variable}": ({", ".join(names)}),\n'
    if len(line) <= _WIDTH:
        return line
    return f'        "{variable}": (\n' + "".join(f"            {part},\n" for part in names) + "        ),\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _imports(body: str) -> str:
    """An underscore stands before a type that a column or a table hides: `_date`."""
    used = {
        name for name in (*_IMPORTS, *_BUILTINS) if re.search(rf"(?<=[\[ ])_?{name}\b(?=[\[\]\s|])", _types_in(body))
    }
    plain = {name for name in used if re.search(rf"(?<=[\[ ]){name}\b", _types_in(body))}
    hidden = {name for name in used if re.search(rf"(?<=[\[ ])_{name}\b", _types_in(body))}
    modules: dict[str, list[str]] = {}
    for name in sorted(used):
        module = _IMPORTS.get(name, "builtins")
        spelled = [name] if name in plain and name in _IMPORTS else []
        modules.setdefault(module, []).extend([*spelled, *([f"{name} as _{name}"] if name in hidden else [])])
    standard = [f"from {module} import {', '.join(names)}" for module, names in sorted(modules.items()) if names]
    own = ["import sqlalchemy as sa", *(["import sqlalchemy as _sa"] if " _sa.Named[" in body else [])]
    return "\n\n".join("\n".join(group) for group in (standard, own) if group)


def _types_in(body: str) -> str:
    return "\n".join(re.findall(r"\.Named(\[.*\])$", body, re.MULTILINE))

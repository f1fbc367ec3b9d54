"""The draft as Python: `contract.py`, before the formatter."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping

from api_gateway.draft.names import python_string
from api_gateway.draft.plan import (
    Draft,
    DraftEnum,
    DraftField,
    DraftRelation,
    DraftResource,
    LeftOut,
    Proposal,
    TableName,
)

_HEADER = '''"""What the API shows of the legacy schema: drafted by `banyan init`, yours to edit.

Every class is one noun of the API. Rename classes, paths and fields, delete what nobody shall see, take up the
proposals (they stand as comments, each with what it rests on). `banyan check` says what does not fit the schema.
`Rows.all()` lets everybody who has the scope see every row: narrow it where rows belong to somebody.
A class that stands further down is named in quotation marks.
"""
'''
_MODULES = {
    "Any": "typing",
    "Annotated": "typing",
    "Literal": "typing",
    "Decimal": "decimal",
    "UUID": "uuid",
    "date": "datetime",
    "datetime": "datetime",
    "time": "datetime",
    "Field": "pydantic",
    **dict.fromkeys(("BigInt", "Bytes", "Children", "Codes", "Column", "Flag"), "shared_models.contract"),
    **dict.fromkeys(("Json", "Key", "LocalTime", "NoneWhen", "SoftDelete"), "shared_models.contract"),
    **dict.fromkeys(("Parent", "Resource", "Rows"), "shared_models.contract"),
}
_WIDTH = 100
_GLUE = "\0=\0"
_NAME = re.compile(r"[A-Za-z_]\w*")
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")


def contract_source(draft: Draft) -> str:
    """The whole module. Valid Python, not yet formatted."""
    classes = {resource.name: resource for resource in draft.resources}
    parts = [enum_source(enum) for enum in draft.enums]
    defined: set[TableName] = set()
    for resource in draft.resources:
        parts.append(resource_source(resource, classes, defined))
        defined.add(resource.name)
    parts.append("operations: list[Any] = []")
    parts.append(_left_out(draft.left_out))
    body = "\n\n\n".join(part for part in parts if part)
    return f"{_HEADER}\n{imports(body)}\n\n\n{body}\n"


def resource_source(
    resource: DraftResource, classes: Mapping[TableName, DraftResource], defined: Collection[TableName]
) -> str:
    """`defined`: the classes that stand above it."""
    keywords = [f"table={python_string(resource.table)}"]
    if resource.schema != "public":
        keywords.append(f"schema={python_string(resource.schema)}")
    keywords += [f"path={python_string(resource.path)}", "rows=Rows.all()"]
    if not resource.key:
        keywords.append('verbs=("list",)')
    lines = [f"class {resource.class_name}(Resource, {', '.join(keywords)}):"]
    lines += [*_indented(_docstring(resource.comment or _default_docstring(resource))), ""]
    lines += _indented(line for proposal in resource.proposals for line in _proposal(proposal))
    if not resource.key:
        lines.append("    # No key that names one row: a list to read, no row has an address.")
    for field in resource.fields:
        lines += _indented(field_source(field))
    for relation in resource.relations:
        lines += _indented(relation_source(relation, classes, defined))
    lines += [f"    # left out: {_one_line(left.what or '')} - {_one_line(left.reason)}" for left in resource.left_out]
    return "\n".join(lines)


def _default_docstring(resource: DraftResource) -> str:
    return f"A row of the {resource.kind} {resource.schema}.{resource.table}."


def _docstring(text: str) -> list[str]:
    safe = text.strip().replace("\\", "\\\\").replace('"""', "'''")
    lines = _prose(safe) or [""]
    if lines[-1].endswith('"'):
        lines[-1] += " "
    return [f'"""{lines[0]}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']


def field_source(field: DraftField) -> list[str]:
    lines = [line for proposal in field.proposals for line in _proposal(proposal)]
    if field.comment:
        lines += [f"# {line}".rstrip() for line in _prose(field.comment)]
    shown = (
        f"{field.annotation} | None" if field.optional and field.annotation not in ("Json", "Any") else field.annotation
    )
    marks = [mark for mark in (field.marker, _alias(field.alias)) if mark]
    annotation = f"Annotated[{shown}, {', '.join(marks)}]" if marks else shown
    return [*lines, f"{field.attribute}: {annotation}{' = None' if field.optional else ''}"]


def relation_source(
    relation: DraftRelation, classes: Mapping[TableName, DraftResource], defined: Collection[TableName]
) -> list[str]:
    """Annotations are read when the class is made, five times as fast as later: what is not there yet is quoted."""
    target, mark = classes[relation.target].class_name, "" if relation.target in defined else '"'
    to = f", to={_strings(relation.to)}" if relation.to else ""
    if relation.kind == "parent":
        marker, shown, default = (
            f"Parent({', '.join(map(python_string, relation.columns))}{to})",
            f"{mark}{target} | None{mark}",
            "None",
        )
    else:
        marker, shown, default = f"Children(on={_strings(relation.columns)}{to})", f"{mark}list[{target}]{mark}", "[]"
    marks = ", ".join(mark for mark in (marker, _alias(relation.alias)) if mark)
    line = f"{relation.attribute}: Annotated[{shown}, {marks}] = {default}"
    return _proposal(Proposal(line, relation.evidence)) if relation.proposed else [line]


def _proposal(proposal: Proposal) -> list[str]:
    text, evidence = _one_line(proposal.text or ""), _one_line(proposal.evidence)
    if not text:
        return _wrapped(f"# note: {evidence}")
    return [*_wrapped(f"# proposal: {text}"), *_wrapped(f"#   {evidence}")]


def _wrapped(comment: str) -> list[str]:
    """Broken only where the code would still be code once the comment signs are gone: never around the ` = `."""
    glued = comment.replace(" = ", _GLUE)
    lines = textwrap.wrap(glued, _WIDTH, subsequent_indent="#   ", break_long_words=False, break_on_hyphens=False)
    return [line.replace(_GLUE, " = ") for line in lines]


def _prose(text: str) -> list[str]:
    """Somebody's own words, line by line as they wrote them; only what is too long for a page is broken."""
    lines = (line.rstrip() for line in _printable(text.strip()).splitlines())
    return [part for line in lines for part in (textwrap.wrap(line, _WIDTH) if len(line) > _WIDTH else [line])]


def _alias(alias: str | None) -> str | None:
    return f"Field(alias={python_string(alias)})" if alias else None


def enum_source(enum: DraftEnum) -> str:
    labels = ", ".join(map(python_string, enum.labels))
    return f"# The enum type {_one_line(f'{enum.schema}.{enum.type}')}.\n{enum.name} = Literal[{labels}]"


def _left_out(left_out: Iterable[LeftOut]) -> str:
    lines = [f"#   {_one_line(left.schema)}.{_one_line(left.table)} - {_one_line(left.reason)}" for left in left_out]
    return "\n".join(["# Left out:", *lines]) if lines else ""


def names_in(source: str) -> set[str]:
    """Every word of the code, comments and strings aside."""
    lines = (line for line in source.splitlines() if not line.lstrip().startswith("#"))
    return {name for line in lines for name in _NAME.findall(_STRING.sub("", line))}


def imports(body: str, *, known: Collection[str] = ()) -> str:
    """The import statements for the names that the code mentions, but for those `known` where it will stand."""
    used = {name for name in names_in(body) if name in _MODULES and name not in known}
    by_module: dict[str, list[str]] = {}
    for name in sorted(used):
        by_module.setdefault(_MODULES[name], []).append(name)
    groups = [
        [module for module in sorted(by_module) if module not in ("pydantic", "shared_models.contract")],
        [module for module in ("pydantic",) if module in by_module],
        [module for module in ("shared_models.contract",) if module in by_module],
    ]
    text = ("\n".join(f"from {m} import {', '.join(by_module[m])}" for m in group) for group in groups if group)
    return "\n\n".join(text)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" if line else "" for line in lines)


def _strings(names: tuple[str, ...]) -> str:
    return python_string(names[0]) if len(names) == 1 else f"({', '.join(map(python_string, names))})"


def _one_line(text: str) -> str:
    """A comment ends with its line: nothing that a database calls its things may start another one."""
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace("\r\n", "\n"))

"""What a schema has that an edited contract does not know of yet: printed as code to paste, never written."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from api_gateway.draft.plan import Draft, DraftResource, TableName
from api_gateway.draft.source import enum_source, field_source, imports, names_in, relation_source, resource_source


def proposed_source(draft: Draft, drafted: Mapping[TableName, frozenset[str]], contract: str) -> str:
    """Classes for new tables, lines for new columns; empty when nothing is new.

    `drafted`: the columns that the last written draft knew, by table. `contract`: the edited file's text. What the
    draft knew and the contract does not have was deleted on purpose.
    """
    classes = {resource.name: resource for resource in draft.resources}
    present = _classes_of(contract)
    parts = [
        part
        for resource in draft.resources
        for part in _new_of(resource, classes, drafted.get(resource.name), present.get(resource.name))
    ]
    return "\n\n".join([*_needed(draft, "\n".join(parts), contract), *parts])


def _needed(draft: Draft, code: str, contract: str) -> Iterator[str]:
    """What the new lines name and the contract neither imports nor defines."""
    missing = imports(code, known=names_in(contract))
    if missing:
        yield missing
    for enum in draft.enums:
        if enum.name in names_in(code) - names_in(contract):
            yield enum_source(enum)


def _new_of(
    resource: DraftResource,
    classes: Mapping[TableName, DraftResource],
    known: frozenset[str] | None,
    class_name: str | None,
) -> Iterator[str]:
    if known is None and class_name is None:
        yield resource_source(resource, classes)
        return
    if known is None or class_name is None:
        return
    fields = [field for field in resource.fields if field.column not in known]
    new = {field.column for field in fields}
    relations = [r for r in resource.relations if r.kind == "parent" and set(r.columns) & new]
    if fields:
        lines = [f"# in class {class_name}, for new columns of {resource.schema}.{resource.table}:"]
        lines += [f"    {line}" for field in fields for line in field_source(field)]
        lines += [f"    {line}" for relation in relations for line in relation_source(relation, classes)]
        yield "\n".join(lines)


def _classes_of(contract: str) -> dict[TableName, str]:
    """Class names by table, as the keywords of the class statements say."""
    try:
        tree = ast.parse(contract)
    except SyntaxError:
        return {}
    found: dict[TableName, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            words = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            if isinstance(words.get("table"), str):
                found[str(words.get("schema", "public")), str(words["table"])] = node.name
    return found

"""What a schema has that an edited contract does not know of yet: printed as code to paste, never written."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from api_gateway.draft.names import Names
from api_gateway.draft.plan import Draft, DraftRelation, DraftResource, TableName
from api_gateway.draft.source import enum_source, field_source, imports, names_in, relation_source, resource_source

Known = Mapping[TableName, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Class:
    """A resource of the edited contract: what it is called there, and the attributes it has."""

    name: str
    attributes: frozenset[str]
    joined: frozenset[tuple[str, ...]]  # the strings inside each Parent(…) and Children(…)


def proposed_source(draft: Draft, drafted: Known, related: Known, contract: str) -> str:
    """Classes for new tables, lines for new columns and foreign keys; empty when nothing is new.

    drafted, related  the columns and the relations that the last written draft knew, by table
    contract          the edited file's text: what the draft knew and it does not have was deleted on purpose
    """
    present = _classes_of(contract)
    named = [r if r.name not in present else replace(r, class_name=present[r.name].name) for r in draft.resources]
    classes = {r.name: r for r in named if r.name in present or r.name not in drafted}
    above = dict.fromkeys(present)
    parts: list[str] = []
    for resource in named:
        parts += _new_of(resource, classes, drafted, related, present, above)
        above.setdefault(resource.name)
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
    drafted: Known,
    related: Known,
    present: Mapping[TableName, _Class],
    above: Collection[TableName],
) -> Iterator[str]:
    """`above`: what stands in the contract already, or is printed before."""
    known, edited = drafted.get(resource.name), present.get(resource.name)
    if known is None and edited is None:
        yield resource_source(_leading_somewhere(resource, classes), classes, above)
    if known is None or edited is None:
        return
    fields = [field for field in resource.fields if field.column not in known]
    relations = [
        _free(relation, edited)
        for relation in _leading_somewhere(resource, classes).relations
        if relation.ends not in related.get(resource.name, frozenset()) and relation.columns not in edited.joined
    ]
    if fields or relations:
        new = " and ".join(word for word, is_there in (("columns", fields), ("foreign keys", relations)) if is_there)
        lines = [f"# in class {edited.name}, for new {new} of {resource.schema}.{resource.table}:"]
        lines += [f"    {line}" for field in fields for line in field_source(field)]
        earlier = list(present)[: list(present).index(resource.name)]
        lines += [f"    {line}" for relation in relations for line in relation_source(relation, classes, earlier)]
        yield "\n".join(lines)


def _leading_somewhere(resource: DraftResource, classes: Mapping[TableName, DraftResource]) -> DraftResource:
    """Without relations to tables whose class somebody deleted."""
    return replace(resource, relations=tuple(r for r in resource.relations if r.target in classes))


def _free(relation: DraftRelation, edited: _Class) -> DraftRelation:
    """Under a name that the edited class does not have yet."""
    name = Names(edited.attributes).claim(relation.attribute)
    return relation if name == relation.attribute else replace(relation, attribute=name)


def _classes_of(contract: str) -> dict[TableName, _Class]:
    """Classes by table, as the keywords of the class statements say."""
    try:
        tree = ast.parse(contract)
    except SyntaxError:
        return {}
    found: dict[TableName, _Class] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            words = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            if isinstance(words.get("table"), str):
                found[str(words.get("schema", "public")), str(words["table"])] = _class(node)
    return found


def _class(node: ast.ClassDef) -> _Class:
    fields = [s for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]
    calls = [c for field in fields for c in ast.walk(field) if isinstance(c, ast.Call)]
    markers = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id in ("Parent", "Children")]
    return _Class(
        node.name,
        frozenset(field.target.id for field in fields if isinstance(field.target, ast.Name)),
        frozenset(tuple(_strings(marker)) for marker in markers),
    )


def _strings(marker: ast.Call) -> Iterator[str]:
    """The columns here of `Parent("a", "b", to=…)`, the columns there of `Children(on=("a", "b"))`."""
    given = [*marker.args, *(word.value for word in marker.keywords if word.arg == "on")]
    for part in given:
        for inner in ast.walk(part):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner.value

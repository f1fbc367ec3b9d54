"""From filters as they are written to conditions and their values: names looked up, operands parsed, all faults told.

What the contract hides, what the caller has no scope for, and what does not exist are one and the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from api_gateway.api.grammar import WORDS, Written, WrittenGroup, group, named, values
from api_gateway.api.problems import out_of_service
from api_gateway.api.query import MAX_IN, MAX_PATTERN
from api_gateway.api.shapes import Condition, Group, Node
from api_gateway.consumers import Principal
from shared_models.resources import BoundResource, Field, Link, Resources
from shared_models.spelling import cast_to
from shared_models.values import Expression

Fault = Callable[[str, str, str], None]
"""Takes the name of a parameter, a stable code and what is wrong."""

Origin = tuple[str, Callable[[Expression], Expression]]
"""The parameter that a value came with, and how the database reads it."""

LISTS = ("in", "contains")


class Names:
    """What a principal may name: its resources, and what their links lead to."""

    def __init__(self, resources: Resources, principal: Principal) -> None:
        self._resources, self._principal = resources, principal

    def link(self, resource: BoundResource, name: str) -> tuple[Link, BoundResource] | None:
        """Raises Problem 503 for a link that leads to what is out of service."""
        lost = resource.lost.get(name)
        if lost is not None and (lost.scope is None or lost.scope in self._principal.scopes):
            raise out_of_service()
        link = resource.links.get(name)
        if link is None:
            return None
        target = self._resources.of(link.target)
        return (link, target) if target.scope is None or target.scope in self._principal.scopes else None

    def field(self, resource: BoundResource, dotted: str, operator: str) -> tuple[tuple[str, ...], Field] | None:
        """The field behind parents, which can be asked for in this way; None: there is nothing of that kind."""
        *path, name = dotted.split(".")
        if len(path) > resource.include_depth:
            return None
        for step in path:
            found = self.link(resource, step)
            if found is None or found[0].kind != "parent":
                return None
            resource = found[1]
        field = resource.fields.get(name)
        if field is None or operator not in (field.operators_behind_parent if path else field.operators):
            return None
        return tuple(path), field


class Values:
    """The values of a request under the names of their parameters."""

    def __init__(self) -> None:
        self.texts: dict[str, str | None] = {}
        self.origins: dict[str, Origin] = {}
        self._count = 0

    def written(self) -> str:
        """All of them, so that different ones never look alike: no value holds a NUL."""
        return "\0".join(str(text) for text in self.texts.values())

    def add(self, texts: Iterable[str], origin: Origin | None = None) -> int:
        """The number of the first of them."""
        first = self._count
        for text in texts:
            name = f"f{self._count}"
            self.texts[name] = text
            if origin is not None:
                self.origins[name] = origin
            self._count += 1
        return first


def conditions_of(
    pairs: Iterable[tuple[str, str]],
    resource: BoundResource,
    names: Names,
    known: Values,
    fault: Fault,
) -> tuple[tuple[Node, ...], list[str]]:
    """The conditions among these parameters, in an order of their own, and the names of those that were none."""
    found: list[tuple[str, Written | WrittenGroup]] = []
    rest: list[str] = []
    for parameter, text in sorted(pairs):
        if parameter in WORDS:
            try:
                found.append((parameter, group(parameter, text)))
            except ValueError as error:
                fault(parameter, "invalid_value", f"Expected: {error}.")
            continue
        name = named(parameter)
        if name is None or names.field(resource, *name) is None:
            rest.append(parameter)
        else:
            found.append((parameter, Written(*name, text)))
    reader = _Conditions(resource, names, known, fault)
    nodes = [node for parameter, written in found if (node := reader.node(written, parameter)) is not None]
    return tuple(nodes), rest


def where_of(
    text: str, resource: BoundResource, names: Names, known: Values, parameter: str, fault: Fault
) -> tuple[Node, ...]:
    """The conditions of `lines.where=(…)`, all of which must hold."""
    try:
        written = group("and", text)
    except ValueError as error:
        fault(parameter, "invalid_value", f"Expected: {error}.")
        return ()
    reader = _Conditions(resource, names, known, fault)
    return tuple(node for item in written.items if (node := reader.node(item, parameter)) is not None)


class _Conditions:
    def __init__(self, resource: BoundResource, names: Names, known: Values, fault: Fault) -> None:
        self.resource, self.names, self.known, self.fault = resource, names, known, fault

    def node(self, written: Written | WrittenGroup, parameter: str) -> Node | None:
        if isinstance(written, WrittenGroup):
            items = [node for item in written.items if (node := self.node(item, parameter)) is not None]
            return Group(written.word, tuple(items))
        found = self.names.field(self.resource, written.name, written.operator)
        if found is None:
            self.fault(parameter, "unknown_name", "It names something that is not there.")
            return None
        path, field = found
        try:
            operator, texts = operands(field, written.operator, written.operand)
        except ValueError as error:
            self.fault(parameter, "invalid_value", f"Expected: {error}.")
            return None
        origin = (parameter, _read_by(field, operator))
        return Condition(field.name, operator, len(texts), self.known.add(texts, origin), path)


def _read_by(field: Field, operator: str) -> Callable[[Expression], Expression]:
    """How the database reads an operand."""
    if operator == "contains" and field.containing is not None:
        spelling = field.containing.spelling
    elif operator in ("like", "ilike"):
        spelling = "text"
    else:
        return field.value.bind
    return lambda operand: cast_to(operand, spelling)


def operands(field: Field, operator: str, operand: str | tuple[str, ...]) -> tuple[str, list[str]]:
    """The operator and the values as PostgreSQL reads them. Raises ValueError: what was expected."""
    if operator in LISTS and (operator == "in" or field.containing is None or field.containing.takes_list):
        listed = values(operand) if isinstance(operand, str) else operand
        if len(listed) > MAX_IN:
            raise ValueError(f"at most {MAX_IN} values, separated by commas")
        if operator == "in":
            return operator, _filled([field.value.parse(part) for part in listed])
        assert field.containing is not None  # noqa: S101 - it is among the operators
        return operator, [field.containing.parse(listed)]
    if not isinstance(operand, str):
        raise ValueError("one value")
    if operator == "contains":
        assert field.containing is not None  # noqa: S101 - it is among the operators
        return operator, [field.containing.parse((operand,))]
    if operator == "null":
        if operand not in ("true", "false"):
            raise ValueError("true or false")
        return "null" if operand == "true" else "not_null", []
    return operator, [_pattern(operand) if operator in ("like", "ilike") else field.value.parse(operand)]


def _filled(texts: list[str]) -> list[str]:
    """The list filled up with its last value to a power of two."""
    count = 1 << (len(texts) - 1).bit_length()
    return texts + [texts[-1]] * (count - len(texts))


def _pattern(text: str) -> str:
    trailing = len(text) - len(text.rstrip("\\"))
    if len(text) > MAX_PATTERN or trailing % 2:
        raise ValueError(
            f"a pattern with % and _, at most {MAX_PATTERN} characters, which does not end in a single backslash"
        )
    return text

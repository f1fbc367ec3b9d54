"""From a query string to a shape and its values; every fault of a request is found before it is refused.

    field=…  field[eq|ne|lt|lte|gt|gte|like|ilike]=…  field[in]=a,b  field[null]=true|false
    sort=-placed_at,number   limit=50   cursor=…   fields=number,status   include=customer,lines.item

A field named like one of the last five is filtered as `limit[eq]=…`. Unknown names, and names the contract hides, are
answered alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from api_gateway.api.cursors import Cursors
from api_gateway.api.problems import bad_request, no_such_page, not_found, query_too_long
from api_gateway.api.shapes import Condition, GetShape, Included, ListShape
from api_gateway.consumers import Principal
from api_gateway.errors import FieldError
from shared_models.resources import BoundResource, Resources, Sort

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
MAX_QUERY_BYTES = 16384
MAX_PARAMETERS = 300
MAX_IN = 128
MAX_SORTS = 8
MAX_DEPTH = 3
RESERVED = ("sort", "limit", "cursor", "fields", "include")

_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)(?:\[([a-z_]+)\])?")
_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that was understood. `context` is whose list it is, for the cursor; `limit` rows make a page."""

    resource: BoundResource
    shape: GetShape | ListShape
    values: dict[str, str | None]
    pairs: Pairs
    context: str = ""
    limit: int = 1


def query_pairs(query: bytes) -> Pairs:
    """The decoded parameters in order. Raises Problem for what is too long, no UTF-8, or holds a NUL."""
    if len(query) > MAX_QUERY_BYTES:
        raise query_too_long(MAX_QUERY_BYTES)
    parts = [part for part in query.split(b"&") if part]
    if len(parts) > MAX_PARAMETERS:
        raise bad_request([FieldError("too_many", f"At most {MAX_PARAMETERS} parameters.")])
    return [(_decoded(name), _decoded(value)) for name, _, value in (part.partition(b"=") for part in parts)]


def _decoded(raw: bytes) -> str:
    text = decoded_text(raw.replace(b"+", b" "))
    if text is None:
        raise bad_request([FieldError("encoding", "A parameter is not UTF-8, percent-encoded, without NUL.")])
    return text


def decoded_text(raw: bytes) -> str | None:
    """Percent-encoded UTF-8 without NUL, else None."""
    if _PERCENT.search(raw):
        return None
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def get_request(
    resource: BoundResource, raw_key: bytes, query: bytes, principal: Principal, resources: Resources
) -> Reading:
    """Raises Problem: 404 for a key that cannot be one, 400 for parameters."""
    parts = [decoded_text(part) for part in raw_key.split(b",")]
    if len(parts) != len(resource.key):
        raise not_found()
    values: dict[str, str | None] = {}
    for n, (field, text) in enumerate(zip(resource.key, parts, strict=True)):
        if text is None:
            raise not_found()
        try:
            values[f"k{n}"] = field.value.parse(text)
        except ValueError:
            raise not_found() from None
    parser = _Parser(resource, query_pairs(query), principal, resources)
    fields, include = parser.fields(), parser.include()
    parser.refuse_the_rest()
    return Reading(resource, GetShape(str(resource.path), principal.kind, fields, include), values, parser.pairs)


def list_request(
    resource: BoundResource, query: bytes, principal: Principal, resources: Resources, cursors: Cursors
) -> Reading:
    """Raises Problem: 400 with every fault of the query, 404 for a cursor that is not one of this list."""
    parser = _Parser(resource, query_pairs(query), principal, resources)
    fields, include, limit = parser.fields(), parser.include(), parser.limit()
    sorts = parser.sorts()
    conditions, values = parser.conditions()
    context = "\0".join(
        [principal.kind, principal.code, str(resource.path), repr(sorts), *(f"{c!r}" for c in conditions)]
        + [str(value) for value in values.values()]
    )
    token, after = parser.take("cursor"), None
    parser.refuse_the_rest()
    if token is not None:
        try:
            position = cursors.open(token, context)
        except ValueError:
            raise no_such_page() from None
        after = tuple(value is None for value in position.values)
        values |= {f"k{n}": value for n, value in enumerate(position.values)}
        values["skip"] = str(position.skip)
    counted = not resource.key
    values |= {"limit": str(limit + 1)} | ({} if "skip" in values or not counted else {"skip": "0"})
    shape = ListShape(
        str(resource.path), principal.kind, fields, include, conditions, sorts, after, counted and after is not None
    )
    return Reading(resource, shape, values, parser.pairs, context, limit)


class _Parser:
    """Takes parameter after parameter out of the query and collects what is wrong."""

    def __init__(self, resource: BoundResource, pairs: Pairs, principal: Principal, resources: Resources) -> None:
        self.resource, self.pairs, self.principal, self.resources = resource, pairs, principal, resources
        self.errors: list[FieldError] = []
        self.left: dict[str, str] = {}
        for name, value in pairs:
            if name in self.left:
                self.fault(name, "repeated", "Given twice.")
            self.left[name] = value

    def fault(self, parameter: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(code, detail, parameter=parameter))

    def take(self, name: str) -> str | None:
        return self.left.pop(name, None)

    def refuse_the_rest(self) -> None:
        """Raises Problem 400 when anything was wrong or is left over."""
        for name in self.left:
            self.fault(name, "unknown_parameter", "There is no such parameter.")
        if self.errors:
            raise bad_request(self.errors)

    def fields(self) -> tuple[str, ...]:
        """In the contract's order, the key always among them; empty: all."""
        known = {name for name in self._names("fields") if self._known(name in self.resource.fields, "fields")}
        if not known:
            return ()
        known |= {field.name for field in self.resource.key}
        return () if len(known) == len(self.resource.fields) else tuple(f for f in self.resource.fields if f in known)

    def limit(self) -> int:
        text = self.take("limit")
        if text is None:
            return DEFAULT_LIMIT
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not 1 <= int(text) <= MAX_LIMIT:
            self.fault("limit", "invalid_value", f"Expected: a whole number from 1 to {MAX_LIMIT}.")
            return DEFAULT_LIMIT
        return int(text)

    def sorts(self) -> tuple[Sort, ...]:
        """The order asked for, else the resource's own; then what makes rows distinct."""
        asked: list[Sort] = []
        names = self._names("sort")
        if len(names) > MAX_SORTS:
            self.fault("sort", "too_many", f"At most {MAX_SORTS} fields.")
        for name in names[:MAX_SORTS]:
            sort = Sort(name.removeprefix("-"), name.startswith("-"))
            field = self.resource.fields.get(sort.field)
            if self._known(field is not None and field.sortable, "sort") and sort.field not in {s.field for s in asked}:
                asked.append(sort)
        chosen = tuple(asked) or self.resource.sort
        last = chosen[-1].descending if chosen else False
        rest = [s for s in self.resource.order if s.field not in {c.field for c in chosen}]
        return chosen + tuple(Sort(s.field, last) for s in rest)

    def include(self) -> tuple[Included, ...]:
        tree: dict[str, dict[str, object]] = {}
        for name in self._names("include"):
            steps = name.split(".")
            if self._known(self._may_include(steps), "include"):
                branch = tree
                for step in steps:
                    branch = branch.setdefault(step, {})  # type: ignore[assignment]
        return _frozen(tree)

    def _may_include(self, steps: list[str]) -> bool:
        resource = self.resource
        if len(steps) > MAX_DEPTH:
            return False
        for step in steps:
            link = resource.links.get(step)
            if link is None:
                return False
            resource = self.resources.of(link.target)
            if resource.scope is not None and resource.scope not in self.principal.scopes:
                return False
        return True

    def conditions(self) -> tuple[tuple[Condition, ...], dict[str, str | None]]:
        """The filters in a fixed order, whatever the order in the query, and their values."""
        found: list[tuple[Condition, list[str]]] = []
        for name in [name for name in self.left if name not in RESERVED]:
            match = _PARAMETER.fullmatch(name)
            field = self.resource.fields.get(match[1]) if match else None
            operator = (match[2] or "eq") if match else ""
            if field is None or operator not in field.operators:
                continue  # refused with the rest
            text = self.left.pop(name)
            condition = self._condition(name, field.name, operator, text, field.value.parse)
            if condition is not None:
                found.append(condition)
        found.sort(key=lambda pair: (pair[0].field, pair[0].operator))
        texts = [text for _, parsed in found for text in parsed]
        return tuple(condition for condition, _ in found), {f"f{n}": text for n, text in enumerate(texts)}

    def _condition(
        self, name: str, field: str, operator: str, text: str, parse: Callable[[str], str]
    ) -> tuple[Condition, list[str]] | None:
        try:
            if operator == "null":
                return Condition(field, {"true": "null", "false": "not_null"}[text], 0), []
            if operator in ("like", "ilike"):
                return Condition(field, operator), [_pattern(text)]
            if operator == "in":
                return _one_of(field, [parse(part) for part in _split(text)])
            return Condition(field, operator), [parse(text)]
        except KeyError:
            self.fault(name, "invalid_value", "Expected: true or false.")
        except ValueError as error:
            self.fault(name, "invalid_value", f"Expected: {error}.")
        return None

    def _names(self, parameter: str) -> list[str]:
        text = self.take(parameter)
        if text is None:
            return []
        names = text.split(",")
        return names if self._known(all(names), parameter) else []

    def _known(self, known: bool, parameter: str) -> bool:
        if not known and not any(e.parameter == parameter and e.code == "unknown_name" for e in self.errors):
            self.fault(parameter, "unknown_name", "It names something that is not there.")
        return known


def _frozen(tree: dict[str, dict[str, object]]) -> tuple[Included, ...]:
    return tuple(Included(name, _frozen(tree[name])) for name in sorted(tree))  # type: ignore[arg-type]


def _split(text: str) -> list[str]:
    parts = text.split(",")
    if len(parts) > MAX_IN:
        raise ValueError(f"at most {MAX_IN} values, separated by commas")
    return parts


def _one_of(field: str, values: list[str]) -> tuple[Condition, list[str]]:
    """The list filled up with its last value to a power of two."""
    count = 1 << (len(values) - 1).bit_length()
    return Condition(field, "in", count), values + [values[-1]] * (count - len(values))


def _pattern(text: str) -> str:
    trailing = len(text) - len(text.rstrip("\\"))
    if len(text) > 200 or trailing % 2:
        raise ValueError("a pattern with % and _, at most 200 characters, which does not end in a single backslash")
    return text

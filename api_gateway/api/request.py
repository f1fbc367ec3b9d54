"""From a query string to a shape and its values; every fault of a request is found before it is refused.

The grammar is in docs/reference/api.md; the files beside this one read a part of it each: `grammar` and `filters`,
`sorting`, `inclusions`. Unknown names, and names the contract hides, are answered alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from api_gateway.api.cursors import Cursors, Position
from api_gateway.api.filters import Names, Origin, Values, conditions_of
from api_gateway.api.grammar import WORDS
from api_gateway.api.inclusions import Inclusions
from api_gateway.api.problems import bad_request, no_such_page, not_found
from api_gateway.api.query import DEFAULT_LIMIT, MAX_LIMIT, MAX_PATTERN, Pairs, decoded_text, query_pairs
from api_gateway.api.shapes import AggregateShape, CountShape, GetShape, ListShape, Node
from api_gateway.api.sorting import distinct, sorts_of
from api_gateway.consumers import Principal
from api_gateway.errors import FieldError
from shared_models.resources import BoundResource, Resources, Sort

_PAGE_WORDS = ("sort", "limit", "cursor", "fields", "include")


def reserved(resource: BoundResource) -> tuple[str, ...]:
    """Parameters that are no fields; a field of such a name is filtered as `limit[eq]=…`."""
    return (*_PAGE_WORDS, *WORDS, *(["total"] if resource.totals else []), *(["q"] if resource.search else []))


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that was understood. `context` is whose list it is, for the cursor; `limit` rows make a page.

    origins   of which parameter a value is, and how the database reads it
    """

    resource: BoundResource
    shape: GetShape | ListShape | AggregateShape
    values: dict[str, str | None]
    pairs: Pairs
    context: str = ""
    limit: int = 1
    counting: CountShape | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)


def get_request(
    resource: BoundResource, raw_key: bytes, query: bytes, principal: Principal, resources: Resources
) -> Reading:
    """Raises Problem: 404 for a key that cannot be one, 400 for parameters."""
    parts = [decoded_text(part) for part in raw_key.split(b",")]
    if len(parts) != len(resource.key):
        raise not_found()
    values: dict[str, str | None] = {}
    for n, (part, text) in enumerate(zip(resource.key, parts, strict=True)):
        if text is None:
            raise not_found()
        try:
            values[f"k{n}"] = part.value.parse(text)
        except ValueError:
            raise not_found() from None
    parser = Parser(resource, query_pairs(query), principal, resources)
    inclusions = parser.inclusions()
    include = inclusions.tree(parser.values)
    parser.refuse_the_rest()
    shape = GetShape(str(resource.path), principal.kind, inclusions.fields(), include)
    return Reading(resource, shape, values | parser.values.texts, parser.pairs, origins=parser.values.origins)


def list_request(
    resource: BoundResource, path: str, query: bytes, principal: Principal, resources: Resources, cursors: Cursors
) -> Reading:
    """`path`, with its version, is part of what a cursor belongs to. Raises Problem 400 with every fault."""
    parser = Parser(resource, query_pairs(query), principal, resources)
    inclusions = parser.inclusions()
    limit, sorts = parser.limit(), parser.sorts()
    total, words = parser.total(), parser.words()
    conditions = parser.conditions()
    if words is not None:
        parser.values.texts["q"] = words
    context = "\0".join([principal.kind, principal.code, path, repr(sorts), repr(conditions), parser.values.written()])
    include = inclusions.tree(parser.values)
    token = parser.take("cursor")
    parser.refuse_the_rest()
    position = _opened(token, context, cursors)
    values = dict(parser.values.texts) | {"limit": str(limit + 1)}
    counted = not resource.key
    after = None
    if position is not None:
        after = tuple(value is None for value in position.values)
        values |= {f"k{n}": value for n, value in enumerate(position.values)}
    if counted:
        values["skip"] = str(position.skip if position is not None else 0)
    shape = ListShape(
        str(resource.path),
        principal.kind,
        inclusions.fields(),
        include,
        conditions,
        sorts,
        after,
        counted and after is not None,
        words is not None,
    )
    counting = CountShape(shape.path, shape.kind, conditions, words is not None, total == "exact") if total else None
    return Reading(resource, shape, values, parser.pairs, context, limit, counting, parser.values.origins)


def _opened(token: str | None, context: str, cursors: Cursors) -> Position | None:
    """Only what was understood whole tells which list it is. Raises Problem 404 for a page that nobody was given."""
    try:
        return None if token is None else cursors.open(token, context)
    except ValueError:
        raise no_such_page() from None


class Parser:
    """Takes parameter after parameter out of the query and collects what is wrong."""

    def __init__(self, resource: BoundResource, pairs: Pairs, principal: Principal, resources: Resources) -> None:
        self.resource, self.pairs = resource, pairs
        self.names, self.values = Names(resources, principal), Values()
        self.errors: list[FieldError] = []
        self.left: dict[str, str] = {}
        for name, value in pairs:
            if name in self.left:
                self.fault(name, "repeated", "Given twice.")
            self.left[name] = value

    def fault(self, parameter: str, code: str, detail: str) -> None:
        found = FieldError(code, detail, parameter=parameter)
        if found not in self.errors:
            self.errors.append(found)

    def take(self, name: str) -> str | None:
        return self.left.pop(name, None)

    def refuse_the_rest(self) -> None:
        """Raises Problem 400 when anything was wrong or is left over."""
        for name in self.left:
            self.fault(name, "unknown_parameter", "There is no such parameter.")
        if self.errors:
            raise bad_request(self.errors)

    def inclusions(self) -> Inclusions:
        """What is to be shown. Its tree takes values, so ask for that behind the conditions."""
        inclusions = Inclusions(self.resource, self.names, self.fault)
        for word, take in (("fields", inclusions.show), ("include", inclusions.include)):
            text = self.take(word)
            known = [take(name) for name in text.split(",")] if text is not None else []
            if not all(known):
                self.fault(word, "unknown_name", "It names something that is not there.")
        for parameter in [name for name in self.left if "." in name and inclusions.say(name, self.left[name])]:
            del self.left[parameter]
        return inclusions

    def limit(self) -> int:
        text = self.take("limit")
        if text is None:
            return DEFAULT_LIMIT
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not 1 <= int(text) <= MAX_LIMIT:
            self.fault("limit", "invalid_value", f"Expected: a whole number from 1 to {MAX_LIMIT}.")
            return DEFAULT_LIMIT
        return int(text)

    def total(self) -> str | None:
        """`exact` or `estimated`, where the contract lets it be asked."""
        if not self.resource.totals:
            return None
        text = self.take("total")
        if text is not None and text not in self.resource.totals:
            self.fault("total", "invalid_value", f"Expected: one of {', '.join(self.resource.totals)}.")
        return text

    def words(self) -> str | None:
        """What to search for, where the contract lets it be searched."""
        if self.resource.search is None:
            return None
        text = self.take("q")
        if text is not None and not 1 <= len(text) <= MAX_PATTERN:
            self.fault("q", "invalid_value", f"Expected: words, at most {MAX_PATTERN} characters.")
        return text

    def sorts(self) -> tuple[Sort, ...]:
        text = self.take("sort")
        if text is None:
            return distinct(self.resource.sort, self.resource)
        return sorts_of(text, self.resource, lambda code, detail: self.fault("sort", code, detail))

    def conditions(self) -> tuple[Node, ...]:
        """The filters in a fixed order, whatever the order in the query."""
        pairs = [(name, text) for name, text in self.left.items() if name in WORDS or name not in _PAGE_WORDS]
        found, rest = conditions_of(pairs, self.resource, self.names, self.values, self.fault)
        for name, _ in pairs:
            if name not in rest:
                del self.left[name]
        return found

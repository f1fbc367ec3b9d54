"""From a query string to a shape and its values; every fault of a request is found before it is refused.

The grammar is in docs/reference/api.md; the files beside this one read a part of it each: `grammar` and `filters`,
`sorting`, `inclusions`. Unknown names, and names the contract hides, are answered alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import quote, urlencode

from api_gateway.api.cursors import Cursors, Position
from api_gateway.api.filters import Names, Origin, Values, conditions_of
from api_gateway.api.grammar import WORDS
from api_gateway.api.inclusions import Inclusions
from api_gateway.api.problems import bad_request, no_such_page, not_found
from api_gateway.api.query import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_PATTERN,
    MAX_QUERY_BYTES,
    Pairs,
    decoded_text,
    query_pairs,
)
from api_gateway.api.shapes import AggregateShape, CountShape, GetShape, ListShape, Node
from api_gateway.api.sorting import distinct, sorts_of
from api_gateway.consumers import Kind, Principal
from api_gateway.errors import FieldError
from shared_models.resources import BoundResource, Resources, Sort

_LISTS = frozenset({"fields", "include", "sort"})
_REMEMBERED, _SHORT = 1000, 1024  # queries, and bytes of one that is worth it
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+")
_PAGE_WORDS = ("sort", "limit", "cursor", "fields", "include")


def reserved(resource: BoundResource) -> tuple[str, ...]:
    """Parameters that are no fields; a field of such a name is filtered as `limit[eq]=…`."""
    return (*_PAGE_WORDS, *WORDS, *(["total"] if resource.totals else []), *(["q"] if resource.search else []))


@dataclass(slots=True)
class Reading:
    """A request that was understood. `context` is whose list it is, for the cursor; `limit` rows make a page.

    pairs, again   the parameters without the cursor, as they are and as they are written
    origins        of which parameter a value is, and how the database reads it
    """

    resource: BoundResource
    shape: GetShape | ListShape | AggregateShape
    values: dict[str, str | None]
    pairs: Pairs
    context: str = ""
    limit: int = 1
    counting: CountShape | None = None
    again: str = ""
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Query:
    """What a query string means, whoever asks and wherever in the list: nothing of it changes.

    document    the shape of one row; None: a list was asked for
    page        the shape of a page that begins at the beginning
    told        what makes the list another one, for its cursors
    again       the same query, for the address of another page
    behind      the shapes of pages behind a cursor, by which of its values are null
    """

    pairs: Pairs
    texts: dict[str, str | None]
    origins: Mapping[str, Origin]
    document: GetShape | None = None
    page: ListShape | None = None
    token: str | None = None
    limit: int = 1
    counting: CountShape | None = None
    told: str = ""
    again: str = ""
    behind: dict[tuple[bool, ...], ListShape] = field(default_factory=dict)


class Understanding:
    """Reads requests. Programs ask alike again and again, so what a query means is remembered."""

    def __init__(self, resources: Resources, cursors: Cursors) -> None:
        self._resources, self._cursors = resources, cursors
        self._document = lru_cache(_REMEMBERED)(self._read_document)
        self._list = lru_cache(_REMEMBERED)(self._read_list)

    def of_row(self, resource: BoundResource, raw_key: bytes, query: bytes, principal: Principal) -> Reading:
        """Raises Problem: 404 for a key that cannot be one, 400 for parameters."""
        values = _key_values(resource, raw_key)
        read = self._document if len(query) <= _SHORT else self._read_document
        found = read(str(resource.path), query, principal.kind, principal.scopes)
        assert found.document is not None  # noqa: S101 - one row was asked for
        return Reading(resource, found.document, values | found.texts, found.pairs, origins=found.origins)

    def of_list(self, resource: BoundResource, path: str, query: bytes, principal: Principal) -> Reading:
        """`path`, with its version, is part of what a cursor belongs to. Raises Problem 400 with every fault."""
        rest, token = _without_cursor(query)
        read = self._list if len(rest) <= _SHORT else self._read_list
        found = read(str(resource.path), rest, principal.kind, principal.scopes)
        assert found.page is not None  # noqa: S101 - a list was asked for
        shape, counted = found.page, not resource.key
        context = "\0".join([principal.kind, principal.code, path, found.told])
        position = _opened(found.token if token is None else token, context, self._cursors)
        values = found.texts | {"limit": str(found.limit + 1)}
        if counted:
            values["skip"] = str(position.skip if position is not None else 0)
        if position is not None:
            values |= {f"k{n}": value for n, value in enumerate(position.values)}
            nulls = tuple([value is None for value in position.values])
            known = found.behind.get(nulls)
            if known is None:
                known = found.behind[nulls] = replace(shape, after=nulls, counted=counted)
            shape = known
        return Reading(
            resource, shape, values, found.pairs, context, found.limit, found.counting, found.again, found.origins
        )

    def _read_document(self, path: str, query: bytes, kind: Kind, scopes: frozenset[str]) -> _Query:
        parser = Parser(self._resources.by_path[path], query_pairs(query), Principal(kind, "", scopes), self._resources)
        inclusions = parser.inclusions()
        include = inclusions.tree(parser.values)
        parser.refuse_the_rest()
        shape = GetShape(path, kind, inclusions.fields(), include)
        return _Query(parser.pairs, parser.values.texts, parser.values.origins, shape)

    def _read_list(self, path: str, query: bytes, kind: Kind, scopes: frozenset[str]) -> _Query:
        parser = Parser(self._resources.by_path[path], query_pairs(query), Principal(kind, "", scopes), self._resources)
        inclusions = parser.inclusions()
        limit, sorts = parser.limit(), parser.sorts()
        total, words = parser.total(), parser.words()
        conditions = parser.conditions()
        if words is not None:
            parser.values.texts["q"] = words
        told = "\0".join([repr(sorts), repr(conditions), parser.values.written()])
        include = inclusions.tree(parser.values)
        token = parser.take("cursor")
        parser.refuse_the_rest()
        searched = words is not None
        shape = ListShape(path, kind, inclusions.fields(), include, conditions, sorts, searched=searched)
        counting = CountShape(path, kind, conditions, searched, total == "exact") if total else None
        pairs = [pair for pair in parser.pairs if pair[0] != "cursor"]
        again = urlencode(pairs, quote_via=quote, safe=",:")
        return _Query(
            pairs, parser.values.texts, parser.values.origins, None, shape, token, limit, counting, told, again
        )


def _key_values(resource: BoundResource, raw_key: bytes) -> dict[str, str | None]:
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
    return values


def _without_cursor(query: bytes) -> tuple[bytes, str | None]:
    """The query without its cursor, and the cursor: with each page only that is another. Odd ones are left inside."""
    if len(query) > MAX_QUERY_BYTES:
        return query, None
    before, found, behind = query.partition(b"cursor=")
    token, more, rest = behind.partition(b"&")
    if not found or (before and not before.endswith(b"&")) or b"cursor" in rest or not _TOKEN.fullmatch(token):
        return query, None
    return (before + rest if more else before.removesuffix(b"&")), token.decode()


def _opened(token: str | None, context: str, cursors: Cursors) -> Position | None:
    """Only what was understood whole tells which list it is. Raises Problem 404 for a page that nobody was given."""
    try:
        return None if token is None else cursors.open(token, context)
    except ValueError:
        raise no_such_page() from None


def _takes_several(name: str) -> bool:
    """`sort=a&sort=b` is `sort=a,b`: some generated clients send lists so, whatever a document says of commas."""
    return name.endswith("[in]") or name.rpartition(".")[2] in _LISTS


class Parser:
    """Takes parameter after parameter out of the query and collects what is wrong."""

    def __init__(self, resource: BoundResource, pairs: Pairs, principal: Principal, resources: Resources) -> None:
        self.resource, self.pairs = resource, pairs
        self.names, self.values = Names(resources, principal), Values()
        self.errors: list[FieldError] = []
        self.left: dict[str, str] = {}
        for name, value in pairs:
            if name in self.left and not _takes_several(name):
                self.fault(name, "repeated", "Given twice.")
            self.left[name] = f"{self.left[name]},{value}" if name in self.left and _takes_several(name) else value

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

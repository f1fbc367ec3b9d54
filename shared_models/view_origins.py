"""Which base column a view's column passes on unchanged, read from the view's stored query.

PostgreSQL keeps a view as the text of its parse tree. Every entry of the outer target list carries
`resorigtbl` and `resorigcol`, the table and column it comes from, 0 when it is computed. With them a view
inherits the relations of what it shows (PostgREST reads the same place).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared_models import catalog_queries as queries
from shared_models.digests import query_digest
from shared_models.snapshot import Query

Origin = tuple[str, str, str]

_CHECK_OPTIONS: Mapping[str, Any] = {"local": "local", "cascaded": "cascaded"}

_TOKEN = re.compile(r"\\.|[{})]|:targetList ", re.DOTALL)
_ENTRY = re.compile(
    r":resno (\d+) :resname .*? :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+) :resjunk (\w+)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Views:
    """`origins` by (view's oid, column's number); `reads` and `digests` by view's oid."""

    origins: Mapping[tuple[int, int], Origin]
    reads: Mapping[int, tuple[tuple[str, str], ...]]
    digests: Mapping[int, str]

    def query(self, view: int, options: Sequence[str]) -> Query | None:
        """`options`: pg_class.reloptions, `name=value` as it was written."""
        if view not in self.digests:
            return None
        given = dict(option.split("=", 1) for option in options)
        return Query(
            digest=self.digests[view],
            security_invoker=_is_on(given.get("security_invoker")),
            security_barrier=_is_on(given.get("security_barrier")),
            check_option=_CHECK_OPTIONS.get(given.get("check_option", "")),
        )


def read_views(rows: Callable[..., Iterator[tuple[Any, ...]]], names: Mapping[int, Mapping[int, str]]) -> Views:
    """`rows` gives one at a time: parse trees are large. `names`: of the columns known, by relation and number."""
    direct: dict[tuple[int, int], tuple[int, int]] = {}
    read: dict[int, list[int]] = {}
    digests: dict[int, str] = {}
    for view, text, relations, tree in rows(queries.VIEWS):
        read[view], digests[view] = relations, query_digest(text)
        direct.update(((view, number), (relation, column)) for number, relation, column in _target_list(tree))
    if not read:
        return Views({}, {}, {})
    every = sorted({relation for relations in read.values() for relation in relations})
    relation_names = {oid: (schema, name) for oid, schema, name in rows(queries.RELATION_NAMES, others=every)}
    columns = {oid: dict(numbers) for oid, numbers in names.items()}
    unknown = [relation for relation in every if relation not in columns]
    for relation, number, name in rows(queries.RELATION_COLUMNS, others=unknown):
        columns.setdefault(relation, {})[number] = name
    origins: dict[tuple[int, int], Origin] = {}
    for place, source in direct.items():
        base = source
        while base in direct:  # a view over a view: follow down to the table
            base = direct[base]
        if base[0] in relation_names and base[1] in columns.get(base[0], {}):
            origins[place] = (*relation_names[base[0]], columns[base[0]][base[1]])
    return Views(origins, {v: tuple(sorted(relation_names[r] for r in found)) for v, found in read.items()}, digests)


def _is_on(value: str | None) -> bool:
    """As PostgreSQL reads a boolean option: on, true, yes, 1 and their beginnings."""
    text = (value or "").lower()
    return text == "1" or text == "on" or bool(text and ("true".startswith(text) or "yes".startswith(text)))


def _target_list(tree: str) -> list[tuple[int, int, int]]:
    """(column number, oid of the table, number of its column) of the outermost query's plain columns."""
    found = []
    for entry in _outer_entries(tree):
        match = _ENTRY.search(entry)
        if match and match[4] == "false" and match[2] != "0":
            found.append((int(match[1]), int(match[2]), int(match[3])))
    return found


def _outer_entries(tree: str) -> Iterator[str]:
    """The text of each TARGETENTRY of the outermost query, without what is nested in it.

    Depth 1 is the query, 2 an entry of its target list, 3 and below the expression that the entry computes.
    """
    depth, inside, own, piece = 0, False, "", 0
    for token in _TOKEN.finditer(tree):
        mark = token[0]
        if mark == "{":
            depth += 1
            if inside and depth == 2:
                own, piece = "", token.end()
            elif inside and depth == 3:
                own += tree[piece : token.start()]
        elif mark == "}":
            depth -= 1
            if inside and depth == 2:
                piece = token.end()
            elif inside and depth == 1:
                yield own + tree[piece : token.start()]
        elif mark == ":targetList " and depth == 1:
            inside = True
        elif mark == ")" and depth == 1 and inside:
            return

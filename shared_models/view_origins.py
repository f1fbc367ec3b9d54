"""Which base column a view's column passes on unchanged, read from the view's stored query.

PostgreSQL keeps a view as the text of its parse tree. Every entry of the outer target list carries
`resorigtbl` and `resorigcol`, the table and column it comes from, 0 when it is computed. With them a view
inherits the relations of what it shows (PostgREST reads the same place).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared_models import catalog_queries as queries

Origin = tuple[str, str, str]

_TOKEN = re.compile(r"\\.|[{})]|:targetList ", re.DOTALL)
_ENTRY = re.compile(
    r":resno (\d+) :resname .*? :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+) :resjunk (\w+)",
    re.DOTALL,
)


def column_origins(
    rows: Callable[..., list[tuple[Any, ...]]], names: Mapping[int, Mapping[int, str]]
) -> tuple[dict[tuple[int, int], Origin], dict[int, tuple[tuple[str, str], ...]]]:
    """Origins by (view's oid, column number), and the relations each view reads. `names`: columns known."""
    views = rows(queries.VIEWS)
    if not views:
        return {}, {}
    relations = sorted({relation for _, _, read in views for relation in read})
    relation_names = {oid: (schema, name) for oid, schema, name in rows(queries.RELATION_NAMES, relations=relations)}
    columns = {oid: dict(numbers) for oid, numbers in names.items()}
    unknown = [relation for relation in relations if relation not in columns]
    for relation, number, name in rows(queries.RELATION_COLUMNS, relations=unknown):
        columns.setdefault(relation, {})[number] = name
    direct = {
        (view, number): (relation, column) for view, tree, _ in views for number, relation, column in _target_list(tree)
    }
    origins: dict[tuple[int, int], Origin] = {}
    for place, source in direct.items():
        base = source
        while base in direct:  # a view over a view: follow down to the table
            base = direct[base]
        if base[0] in relation_names and base[1] in columns.get(base[0], {}):
            origins[place] = (*relation_names[base[0]], columns[base[0]][base[1]])
    reads = {view: tuple(sorted(relation_names[r] for r in read)) for view, _, read in views}
    return origins, reads


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

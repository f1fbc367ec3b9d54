"""From a shape of groups to its statement: one row a group, as the JSON document that is answered.

Three steps: what is grouped and computed, of each row that the caller sees and the filters leave; the groups; their
documents.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from api_gateway.api.searching import found
from api_gateway.api.shapes import AggregateShape
from api_gateway.api.sources import Sources, number
from api_gateway.api.where import where
from shared_models.resources import BoundResource
from shared_models.values import Expression

MOST_GROUPS = 1000


def groups(resource: BoundResource, shape: AggregateShape, sources: Sources) -> sa.Select[Any]:
    """In the order of what they are grouped by; one more than may be given."""
    known = resource.aggregates
    assert known is not None  # noqa: S101 - its request was understood
    row = sources.alias(resource)
    by = [(name, known.by[name]) for name in shape.by]
    computed = [(function, known.functions[function][name]) for function, names in shape.functions for name in names]
    columns = {part.field.column.name for _, part in (*by, *computed)}
    values: list[Expression] = [part.of(row.c[part.field.column.name]).label(f"g{n}") for n, (_, part) in enumerate(by)]
    stored: list[Expression] = [row.c[name].label(f"c_{name}") for name in sorted(columns)]
    seen = sa.select(*(values + stored or [number(1).label("one")])).select_from(row)
    seen = seen.where(*sources.visible(resource, row), *where(shape.conditions, resource, row, sources))
    rows = seen.where(*found(resource, row, searched=shape.searched)).subquery("rows")

    keys = [rows.c[f"g{n}"] for n in range(len(by))]
    results = [part.of(rows.c[f"c_{part.field.column.name}"]).label(f"a{n}") for n, (_, part) in enumerate(computed)]
    grouped = sa.select(*keys, sa.func.count().label("n"), *results).select_from(rows)
    if keys:
        grouped = grouped.group_by(*keys)
    made = grouped.order_by(*keys).limit(number(MOST_GROUPS + 1)).subquery("made")

    whole: sa.FromClause = made
    keyed: list[Expression] = [part.shown(made.c[f"g{n}"]).label(name) for n, (name, part) in enumerate(by)]
    parts: dict[str, list[Expression]] = {"by": keyed}
    for n, (function, part) in enumerate(computed):
        parts.setdefault(function, []).append(part.shown(made.c[f"a{n}"]).label(part.field.name))
    told: list[Expression] = []
    for name, inner in parts.items():
        if not inner:
            told.append(sa.literal_column("'{}'::json").label(name))
            continue
        document = sa.select(*inner).correlate(made).lateral(f"part_{name}")
        whole = whole.join(document, sa.true())
        told.append(sa.func.row_to_json(sa.literal_column(f'"{document.name}".*')).label(name))
    told.insert(1, made.c.n.label("count"))
    documents = sa.select(*told).select_from(whole).order_by(*(made.c[f"g{n}"] for n in range(len(by))))
    lines = documents.subquery("document")
    return sa.select(sa.cast(sa.func.row_to_json(sa.literal_column('"document".*')), sa.Text)).select_from(lines)

"""`sort=-placed_at,required_on.nullsfirst`: the order of rows as it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from api_gateway.api.query import MAX_SORTS
from shared_models.resources import BoundResource, Sort

_NULLS: dict[str, Literal["first", "last"]] = {"nullsfirst": "first", "nullslast": "last"}


def sorts_of(text: str, resource: BoundResource, tell: Callable[[str, str], None]) -> tuple[Sort, ...]:
    """The order asked for, else the resource's own; then what makes rows distinct. `tell` takes a code and a text."""
    names = text.split(",")
    if len(names) > MAX_SORTS:
        tell("too_many", f"At most {MAX_SORTS} fields.")
    asked: dict[str, Sort] = {}
    unknown = False
    for name in names[:MAX_SORTS]:
        sort = _sort(name, resource)
        unknown = unknown or sort is None
        if sort is not None:
            asked.setdefault(sort.field, sort)
    if unknown:
        tell("unknown_name", "It names something that is not there.")
    return distinct(tuple(asked.values()) or resource.sort, resource)


def distinct(sorts: tuple[Sort, ...], resource: BoundResource) -> tuple[Sort, ...]:
    """The order, and behind it what tells every row from every other."""
    last = sorts[-1].descending if sorts else False
    chosen = {sort.field for sort in sorts}
    return sorts + tuple(Sort(sort.field, last) for sort in resource.order if sort.field not in chosen)


def _sort(text: str, resource: BoundResource) -> Sort | None:
    name, dot, nulls = text.removeprefix("-").partition(".")
    field = resource.fields.get(name)
    if field is None or not field.sortable or (dot and nulls not in _NULLS):
        return None
    sort = Sort(name, text.startswith("-"), _NULLS.get(nulls))
    usual = sort.nulls_first is sort.descending or not field.stored_null
    return Sort(name, sort.descending) if usual else sort

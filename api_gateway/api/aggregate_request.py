"""`by=status&sum=total&status[in]=open,shipped`: a list summed up, as far as its contract lets it be."""

from __future__ import annotations

from collections.abc import Collection

from api_gateway.api.problems import not_found
from api_gateway.api.query import MAX_GROUPED, query_pairs
from api_gateway.api.request import Parser, Reading
from api_gateway.api.shapes import AggregateShape
from api_gateway.consumers import Principal
from shared_models.aggregating import FUNCTIONS
from shared_models.resources import BoundResource, Resources

AGGREGATE_WORDS = ("by", "count", *FUNCTIONS)


def aggregate_request(resource: BoundResource, query: bytes, principal: Principal, resources: Resources) -> Reading:
    """Raises Problem 400 with every fault."""
    known = resource.aggregates
    if known is None:
        raise not_found()
    parser = Parser(resource, query_pairs(query), principal, resources)
    by = _names(parser, "by", known.by)
    asked = {function: _names(parser, function, known.functions.get(function, {})) for function in FUNCTIONS}
    functions = tuple((function, names) for function, names in asked.items() if names)
    if parser.take("count") not in (None, "", "true"):
        parser.fault("count", "invalid_value", "Expected: true. It is always counted.")
    words = parser.words()
    conditions = parser.conditions()
    if words is not None:
        parser.values.texts["q"] = words
    parser.refuse_the_rest()
    shape = AggregateShape(str(resource.path), principal.kind, functions, by, conditions, searched=words is not None)
    return Reading(resource, shape, dict(parser.values.texts), parser.pairs, origins=parser.values.origins)


def _names(parser: Parser, word: str, known: Collection[str]) -> tuple[str, ...]:
    """In the order of the request, each once."""
    text = parser.take(word) if known else None
    if text is None:
        return ()
    names = tuple(dict.fromkeys(text.split(",")))
    if not all(name in known for name in names):
        parser.fault(word, "unknown_name", "It names something that is not there.")
        return ()
    if len(names) > MAX_GROUPED:
        parser.fault(word, "too_many", f"At most {MAX_GROUPED} names.")
    return names

"""Which listed route a request means, read as tolerantly as the edge's own matchers.

For whoever gets a request whose route the edge could only narrow down (`x-banyan-why`, see `table`): the gateway before
it decides, the observer before it counts. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote_to_bytes

from api_gateway.edge.spellings import fold, literal, values
from api_gateway.routes import Route

Pairs = Sequence[tuple[str, str]]


def specificity(route: Route) -> tuple[int, int, int, str]:
    """Sort key: the route that says most about its requests comes first."""
    discriminators = len(route.query) + len(route.form) + len(route.header)
    return ("{" in route.path, -len(literal(route.path)), -discriminators, route.name)


def find_route(
    routes: Iterable[Route], method: str, target: str, headers: Mapping[str, str], form: Pairs = ()
) -> Route | None:
    """The most specific of these routes that some legacy stack might take this request for, or None.

    `target` is the raw target (latin-1), query included. `headers` has lower-case names. `form` holds the decoded
    fields of the body, empty when no route of the path has form discriminators. A parameter sent twice matches with
    any of its values: a spelling must not escape the decision, whichever of them legacy takes.
    """
    path, query = fold(target), query_pairs(target)
    for route in sorted(routes, key=specificity):
        if (
            method in route.methods
            and values(route.path, path) is not None
            and _names(route.query, query)
            and _names(route.form, form)
            and all(wanted.lower() in headers.get(name.lower(), "").lower() for name, wanted in route.header.items())
        ):
            return route
    return None


def query_pairs(target: str) -> list[tuple[str, str]]:
    """The query's parameters, decoded; `;` separates like `&`, and `name[…]` is `name`."""
    query = target.partition("?")[2].replace(";", "&")
    pairs = (piece.partition("=") for piece in query.split("&") if piece)
    return [(_decoded(name).partition("[")[0].strip(), _decoded(value)) for name, _, value in pairs]


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "replace")


def _names(discriminators: Mapping[str, str], pairs: Pairs) -> bool:
    return all((name, value) in pairs for name, value in discriminators.items())

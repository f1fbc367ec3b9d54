"""What is asked: each route's parameters from the OpenAPI document of its mimic, filled with values of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api_gateway.routes import FormToken, HeaderToken, PathToken, QueryToken, Route
from api_gateway.verify.calls import FORM, NOBODY, Call, Pairs
from api_gateway.verify.values import Values

FUZZED = 25  # cases that schemathesis makes for each route


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a route reads, by place.

    media  of a body that is no form.
    fuzz   values by name, such as the schema allows and such as it forbids.
    """

    path: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    media: str | None = None
    fuzz: Mapping[str, list[str]] = field(default_factory=dict)


def parameters_of(route: Route, seed: int) -> Parameters:
    """From the mimic's signature as FastAPI documents it, without what names the caller or tells the route apart."""
    document = _document(route)
    operation: Mapping[str, Any] = next(iter(document.get("paths", {}).get(route.path, {}).values()), {})
    token = route.consumer.name if isinstance(route.consumer, (QueryToken, FormToken, HeaderToken, PathToken)) else ""
    hidden = {token.lower(), *(name.lower() for part in (route.query, route.form, route.header) for name in part)}
    by_place: dict[str, list[str]] = {"path": [], "query": [], "header": []}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] in by_place and parameter["name"].lower() not in hidden:
            by_place[parameter["in"]].append(parameter["name"])
    form, media = _body(document, operation)
    fields = [name for name in (*form, *route.fields) if name.lower() not in hidden]
    return Parameters(
        tuple(by_place["path"]),
        tuple(by_place["query"]),
        tuple(by_place["header"]),
        tuple(dict.fromkeys(fields)),
        media,
        _fuzz(document, route.path, route.method, seed),
    )


def _document(route: Route) -> dict[str, Any]:
    app = FastAPI(openapi_url=None)
    if route.mimic is not None:
        app.add_api_route(route.path, route.mimic, methods=[route.method])
    return get_openapi(title=route.name, version="1", routes=app.routes)


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> tuple[list[str], str | None]:
    content = operation.get("requestBody", {}).get("content", {})
    for media, described in content.items():
        if media == FORM:
            schema = described.get("schema", {})
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            return list(schema.get("properties", {})), None
    return [], next(iter(content), None)


def _fuzz(document: dict[str, Any], path: str, method: str, seed: int) -> dict[str, list[str]]:
    """Values that schemathesis draws for each parameter from its schema, good and bad; none for what it cannot read."""
    import hypothesis
    import schemathesis
    from schemathesis import GenerationMode

    drawn: dict[str, list[str]] = {}
    with suppress(LookupError, schemathesis.errors.SchemathesisError):
        operation = schemathesis.openapi.from_dict(document)[path][method]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @hypothesis.seed(seed)
            @hypothesis.settings(
                max_examples=FUZZED,
                database=None,
                deadline=None,
                phases=[hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            @hypothesis.given(operation.as_strategy(generation_mode=mode))
            def collect(case: Any) -> None:
                for part in (case.query, case.path_parameters, case.headers, case.body):
                    for name, value in part.items() if isinstance(part, Mapping) else ():
                        if isinstance(value, (str, int, float, bool)):
                            drawn.setdefault(str(name), []).append(str(value)[:300])

            with suppress(hypothesis.errors.HypothesisException, schemathesis.errors.SchemathesisError):
                collect()
    return {name: sorted(set(values)) for name, values in drawn.items()}


def generate(route: Route, parameters: Parameters, values: Values, callers: Iterable[str]) -> Call:
    """One request: mostly by somebody known, mostly with what belongs together, sometimes with anything."""
    draw, row = values.random, values.row()
    known = list(callers)
    caller = draw.choice(known) if known and draw.random() < 0.9 else NOBODY

    def some(names: tuple[str, ...], share: float) -> Pairs:
        chosen = [name for name in names if draw.random() < share]
        pairs = [(name, values.draw(name, row, parameters.fuzz.get(name, []))) for name in chosen]
        if pairs and draw.random() < 0.04:
            name = draw.choice(pairs)[0]
            pairs.append((name, values.draw(name, row, [])))
        return tuple(pairs)

    share = draw.choice((0.3, 0.6, 0.9, 1.0))
    wants_form = bool(parameters.form) or bool(route.form)
    query = some(parameters.query, share)
    if draw.random() < 0.03:
        query = (*query, ("unknown", "1"))
    return Call(
        route.name,
        route.method,
        path=tuple((name, values.draw(name, row, parameters.fuzz.get(name, [])) or "0") for name in parameters.path),
        query=query,
        headers=some(parameters.headers, share),
        form=some(parameters.form, share) if wants_form else None,
        body=_text(values, row) if parameters.media is not None and not wants_form else None,
        media=parameters.media,
        caller=caller,
    )


def _text(values: Values, row: dict[str, str]) -> str:
    """A body that is no form: a few lines of values, as spreadsheets and scripts send them."""
    draw = values.random
    separator = draw.choice((",", ";", "\t"))
    width = draw.randint(1, 4)
    names = sorted(row) or ["value"]
    lines = []
    for _ in range(draw.randint(0, 5)):
        another = values.row() or row
        chosen = [draw.choice(names) for _ in range(width)]
        lines.append(separator.join(values.draw(name, another, []) for name in chosen))
    return draw.choice(("\n", "\r\n")).join(lines)

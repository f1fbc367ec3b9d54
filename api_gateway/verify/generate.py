"""What is asked: each route's parameters from the OpenAPI document of its mimic, filled with values of the data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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

    media  of a body that is no form; `rows`: its columns and their separator, where it is made of rows.
    fuzz   values by name, such as the schema allows and such as it forbids.
    """

    path: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    media: str | None = None
    rows: str = ""
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
        "text/csv" if route.rows else media,
        route.rows,
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


def generate(route: Route, parameters: Parameters, values: Values, callers: Sequence[str]) -> Call:
    """One request: mostly by somebody known, mostly with what belongs together, sometimes with anything."""
    return _Drawing(parameters, values, callers).call(route)


def vary(call: Call, parameters: Parameters, values: Values, callers: Sequence[str]) -> Call:
    """A request like one that led somewhere: the same again, or with one or two things changed."""
    drawing = _Drawing(parameters, values, callers)
    for _ in range(values.random.choice((0, 1, 1, 1, 2))):
        call = drawing.changed(call)
    return call


class _Drawing:
    """What one request is drawn from: a row of the data, so that its values can belong together."""

    def __init__(self, parameters: Parameters, values: Values, callers: Sequence[str]) -> None:
        self._parameters, self._values, self._callers = parameters, values, callers
        self._random = values.random
        named = (*parameters.path, *parameters.query, *parameters.headers, *parameters.form)
        self._row, self._focus = values.subject(named)
        self._belonging = self._random.choice((0.0, 0.5, 0.9, 0.9))

    def call(self, route: Route) -> Call:
        parameters = self._parameters
        share = self._random.choice((0.3, 0.6, 0.9, 1.0) if self._focus is None else (0.0, 0.3, 0.6, 0.9))
        wants_form = bool(parameters.form) or bool(route.form)
        query = self._some(parameters.query, share)
        if self._random.random() < 0.03:
            query = (*query, ("unknown", "1"))
        return Call(
            route.name,
            route.method,
            path=tuple((name, self._value(name) or "0") for name in parameters.path),
            query=query,
            headers=self._some(parameters.headers, share),
            form=self._some(parameters.form, share) if wants_form else None,
            body=self._text() if parameters.media is not None and not wants_form else None,
            media=parameters.media,
            caller=self._caller(),
        )

    def changed(self, call: Call) -> Call:
        """Another caller, or one parameter drawn anew, added or left out."""
        names = {part: getattr(self._parameters, part) for part in ("path", "query", "headers", "form")}
        places = [(part, name) for part, known in names.items() for name in known]
        if call.body is not None and self._random.random() < 0.7:
            return replace(call, body=self._changed_rows(call.body))
        if not places or self._random.random() < 0.1:
            return replace(call, caller=self._caller())
        part, name = self._random.choice(places)
        pairs = [pair for pair in getattr(call, part) or () if pair[0] != name]
        if part == "path" or self._random.random() < 0.8:
            pairs.append((name, self._value(name) or "0" * (part == "path")))
        changed: dict[str, Any] = {part: tuple(pairs)}
        return replace(call, **changed)

    def _caller(self) -> str:
        """Mostly whom the row is about, where it is about somebody."""
        if not self._callers or self._random.random() >= 0.9:
            return NOBODY
        theirs = self._values.callers_in(self._row, self._callers)
        return self._random.choice(theirs if theirs and self._random.random() < 0.7 else self._callers)

    def _value(self, name: str) -> str:
        if self._focus is not None and self._focus[0] == name and self._random.random() < 0.8:
            return self._row.get(self._focus[1], "")
        fuzz = self._parameters.fuzz.get(name, [])
        return self._values.draw(name, self._row, fuzz, belonging=self._belonging)

    def _some(self, names: tuple[str, ...], share: float) -> Pairs:
        about = self._focus[0] if self._focus is not None else None
        pairs = [(name, self._value(name)) for name in names if name == about or self._random.random() < share]
        if pairs and self._random.random() < 0.04:
            pairs.append((self._random.choice(pairs)[0], self._value(pairs[0][0])))
        return tuple(pairs)

    def _text(self) -> str:
        """A body that is no form: a few rows, as spreadsheets and scripts send them."""
        rows = [self._line() for _ in range(self._random.randint(0, 5))]
        if rows and self._random.random() < 0.2:
            rows.insert(0, self._parameters.rows)
        return self._random.choice(("\n", "\r\n")).join([*rows, ""])

    def _changed_rows(self, body: str) -> str:
        """One row more, or another in the place of one."""
        rows = body.splitlines()
        at = self._random.randint(0, len(rows))
        rows[at : at + self._random.choice((0, 1))] = [self._line()]
        return "\n".join([*rows, ""])

    def _line(self) -> str:
        named = re.split(r"[;,\t|]", self._parameters.rows) if self._parameters.rows else sorted(self._row) or ["value"]
        separator = re.sub(r"[^;,\t|]", "", self._parameters.rows)[:1] or self._random.choice((",", ";", "\t"))
        row = self._values.row() if self._random.random() < 0.7 else self._row
        cells = [self._values.draw(name, row, []) for name in named]
        if self._random.random() < 0.3:
            cells = cells[: self._random.randint(1, len(cells))]
        return separator.join(cell.replace("\n", " ") for cell in cells)

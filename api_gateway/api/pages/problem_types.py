"""`/api/problems/not_found`: what the `type` of a problem document leads to, for people and for programs.

The engine's own codes are told as in docs/reference/errors.md (`problem_types.json` is made from it and a test compares
them); what a project's operations add is what they say in `@operation(…, refuses={…})`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from api_gateway.api.accept import JSON, chosen
from api_gateway.api.operations import Operation
from api_gateway.api.pages.rendering import HEADERS, page
from api_gateway.api.problems import not_acceptable

HTML = "text/html"
DATA = Path(__file__).with_name("problem_types.json")


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One code. `status` is None where the operation decides."""

    code: str
    status: int | None
    text: str


@dataclass(frozen=True, slots=True)
class ProblemTypes:
    """Every code that this API can refuse with, and every fault inside `errors` that the engine knows."""

    kinds: Mapping[str, ProblemType]
    faults: Mapping[str, str]

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> ProblemTypes:
        data = _data()
        own = {code: ProblemType(code, told["status"], told["text"]) for code, told in data["problems"].items()}
        added = {code: ProblemType(code, None, text) for op in operations for code, text in op.refuses.items()}
        return cls({**added, **own}, data["faults"])


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.read_text("utf-8"))
    return found


def problem_routes(prefix: str, types: ProblemTypes) -> Iterator[BaseRoute]:
    async def every(request: Request) -> Response:
        kinds = sorted(types.kinds.values(), key=lambda kind: kind.code)
        if _media(request) == HTML:
            return page("problems.html", prefix=prefix, kinds=kinds, faults=types.faults)
        return JSONResponse(
            {"problems": [_json(kind, prefix) for kind in kinds], "faults": types.faults}, headers=HEADERS
        )

    async def one(request: Request) -> Response:
        kind = types.kinds.get(request.path_params["code"])
        if kind is None:
            raise HTTPException(404)
        if _media(request) == HTML:
            return page("problem.html", prefix=prefix, kind=kind)
        return JSONResponse(_json(kind, prefix), headers=HEADERS)

    yield Route(f"{prefix}/problems", every, include_in_schema=False)
    yield Route(f"{prefix}/problems/{{code}}", one, include_in_schema=False)


def _json(kind: ProblemType, prefix: str) -> dict[str, object]:
    return {"type": f"{prefix}/problems/{kind.code}", **asdict(kind)}


def _media(request: Request) -> str:
    media = chosen(request.headers.get("accept"), (HTML, JSON))
    if media is None:
        raise not_acceptable((HTML, JSON))
    return media

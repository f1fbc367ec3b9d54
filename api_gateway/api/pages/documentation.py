"""`/api/docs`: Swagger UI over the API's own document, version by version, from files that are installed with us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from api_gateway.api.pages.rendering import page

_HERE = Path(__file__).parent


def documentation_routes(prefix: str, title: str, versions: Sequence[str]) -> Iterator[BaseRoute]:
    """`{prefix}/docs` shows the first version, `{prefix}/v2/docs` that of v2; files are below `{prefix}/docs/`."""
    yield _page(f"{prefix}/docs", prefix, title, versions, versions[0])
    for version in versions:
        yield _page(f"{prefix}/{version}/docs", prefix, title, versions, version)
    for name in ("start.js", "pages.css"):
        yield _file(f"{prefix}/docs/{name}", _HERE / name)
    # Swagger UI itself, as the wheel of fastapi-offline carries it.
    yield Mount(f"{prefix}/docs/swagger", StaticFiles(packages=[("fastapi_offline", "static")]))


def _page(path: str, prefix: str, title: str, versions: Sequence[str], shown: str) -> Route:
    async def show(_: Request) -> Response:
        return page("documentation.html", prefix=prefix, title=title, versions=versions, shown=shown)

    return Route(path, show, include_in_schema=False)


def _file(path: str, file: Path) -> Route:
    async def send(_: Request) -> Response:
        return FileResponse(file, headers={"x-content-type-options": "nosniff", "cache-control": "no-cache"})

    return Route(path, send, include_in_schema=False)

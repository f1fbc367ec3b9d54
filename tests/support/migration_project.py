"""A small project with one route of each sort, and the means to give a candidate its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert

from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.project import Project, load_project
from shared_models import state
from shared_models.statements import run

ROUTES = """
from api_gateway.routes import QueryToken, Route


def orders() -> str:
    return "orders"


routes = [
    Route("orders.list", "GET", "/partner/orders.xml", QueryToken("token"), mimic=orders, successor="/api/v1/orders"),
    Route("orders.status", "GET", "/partner/order_status", QueryToken("token"), mimic=orders),
    Route("orders.intake", "POST", "/partner/order_in", QueryToken("token"), mimic=orders),
    Route("stock.csv", "GET", "/partner/stock.csv", QueryToken("token")),
]
"""


def write_project(folder: Path) -> Project:
    """Write and load a project. `folder` names its package: give each test another one."""
    folder.mkdir()
    (folder / "banyan.toml").write_text('name = "northgate"\n')
    (folder / "routes.py").write_text(ROUTES)
    return load_project(folder)


def store_comparisons(
    connection: psycopg.Connection[Any],
    project: Project,
    *,
    route: str = "orders.list",
    consumer: str = "acme",
    verdict: str = "match",
    count: int = 20,
    shapes: int = 3,
    fingerprint: str | None = None,
) -> None:
    """As the observer stores them, for the candidate as it lies in the project now."""
    candidate = fingerprint or fingerprint_of(project, project.routes[route])
    about = {
        "route": route,
        "consumer": consumer,
        "fingerprint": candidate,
        "verdict": verdict,
        "outcome": "200 text/xml",
    }
    rows = [{**about, "shape": f"GET {number % shapes}", "differences": [], "request": {}} for number in range(count)]
    run(connection, insert(state.comparison).values(rows).inline())

"""A legacy app of one file beside a database of three tables, and a project that `banyan init` drafted for it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import psycopg

from api_gateway.draft.init import init_project
from api_gateway.project import Project, load_project

SOURCES = Path(__file__).parents[1] / "verify" / "small"

SCHEMA = """
CREATE TABLE item (code text PRIMARY KEY, price numeric(8, 2) NOT NULL);
CREATE TABLE sale (
    id uuid PRIMARY KEY, no int NOT NULL UNIQUE, item text NOT NULL REFERENCES item, qty int NOT NULL,
    total numeric(10, 2) NOT NULL, made int NOT NULL
);
CREATE TABLE line (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sale uuid REFERENCES sale, qty int, note text);
INSERT INTO item VALUES ('bolt', 0.50), ('nut', 1.25), ('Zange "gross"', 12);
"""

TOML = """name = "small"
[legacy]
start = "python app.py {{host}} {{port}} {{database_url}}"
ready_path = "/sale?id=none"
env = {{ {env} }}
[verify]
keys = ["sale.no"]
[verify.env]
SMTP_HOST = "{{smtp_host}}"
SMTP_PORT = "{{smtp_port}}"
HOOK = "{{http_url}}"
OUTBOX = "{{files}}"
"""

ROUTES = """
from __future__ import annotations

from api_gateway.routes import Route

from .mimics import place, show

routes = [
    Route("sale.place", "POST", "/place", mimic=place, fields=("item", "qty")),
    Route("sale.show", "GET", "/sale", mimic=show),
]
"""


def fill_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())


def small_project(
    folder: Path, url: str, *, fault: str = "", change: Mapping[str, tuple[str, str]] | None = None
) -> Path:
    """The project's folder. `fault`: of the legacy app; `change`: by file, one text and what stands in its place."""
    init_project(folder, url, legacy_url="http://127.0.0.1:9")
    for package in ("mimics", "tasks"):
        shutil.rmtree(folder / package, ignore_errors=True)
    for path in SOURCES.glob("*.py"):
        shutil.copy(path, folder / path.name)
    (folder / "banyan.toml").write_text(TOML.format(env=f'FAULT = "{fault}"' if fault else ""), "utf-8")
    (folder / "routes.py").write_text(ROUTES, "utf-8")
    for name, (old, new) in (change or {}).items():
        text = (folder / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
        (folder / name).write_text(text.replace(old, new), "utf-8")
    return folder


def loaded(folder: Path) -> Project:
    assert re.fullmatch(r"\w+", folder.name)
    return load_project(folder)

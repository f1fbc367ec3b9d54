"""What a candidate is made of, as one short hash: evidence counts only for the candidate that earned it.

In it: the mimic's module and every module of the project that it imports, directly or not; the tables that it touches,
as the snapshot has them; the route's rules of comparison; the engine's minor version. A deploy that changes none of
these keeps the evidence; anything else starts from zero.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from api_gateway import __version__
from api_gateway.project import Project
from api_gateway.routes import Route
from shared_models.grants import place_of
from shared_models.snapshot import Snapshot

LENGTH = 16  # hexadecimal digits: 64 bits, for at most thousands of candidates


def fingerprint(
    route: Route, *, folder: Path, package: str, snapshot: Snapshot | None = None, engine: str = __version__
) -> str:
    """Hexadecimal, LENGTH digits; the same on every machine that has the same sources.

    folder, package  where the project lies, and the name under which it is imported.
    A route without a mimic has the empty fingerprint: there is no candidate.
    """
    if route.mimic is None:
        return ""
    parts: dict[str, Any] = {
        "engine": ".".join(engine.split(".")[:2]),
        "mimic": f"{route.mimic.__module__}:{route.mimic.__qualname__}",
        "modules": _sources(route.mimic.__module__, folder, package),
        "tables": _tables(touched_tables(route.mimic), snapshot),
        "ignore": sorted((rule.path, rule.pattern or "") for rule in route.ignore),
        "intended": sorted(intention.path for intention in route.intended),
        "compared": (route.numbers, route.times),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:LENGTH]


def fingerprint_of(project: Project, route: Route) -> str:
    """The fingerprint of the route's candidate as it lies in the project's folder now. Raises SyntaxError, OSError."""
    path = project.snapshot_path
    mimics = (listed.mimic for listed in (*project.routes.values(), route))
    touched = frozenset(place_of(name) for mimic in mimics for name in touched_tables(mimic))
    snapshot = _snapshot(path, path.stat().st_mtime_ns, touched) if path.exists() else None
    return fingerprint(route, folder=project.folder, package=project.package, snapshot=snapshot)


def sources_digest(folder: Path) -> str:
    """Of every Python file of a project and its snapshot: whether anything changed, whatever imports it."""
    whole = hashlib.sha256()
    for path in sorted([*folder.rglob("*.py"), *folder.glob("schema.lock.json")]):
        whole.update(f"{path.relative_to(folder)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


@lru_cache(maxsize=2)
def _snapshot(path: Path, modified: int, only: frozenset[tuple[str, str]]) -> Snapshot:
    return Snapshot.read(path, only)


def touched_tables(mimic: Any) -> frozenset[str]:
    """The tables that `@touches` declares on a mimic."""
    touches = getattr(mimic, "__banyan_touches__", None)
    kinds = (getattr(touches, kind, None) or {} for kind in ("select", "insert", "update", "delete"))
    return frozenset(name for kind in kinds for name in kind)


def imported_modules(module: str, folder: Path, package: str) -> Mapping[str, Path]:
    """`module` and every module of the project that it imports, directly or not, with its file."""
    found: dict[str, Path] = {}
    waiting = list(_with_parents(module))
    while waiting:
        name = waiting.pop()
        path = _file(name, folder, package)
        if name in found or path is None:
            continue
        found[name] = path
        waiting.extend(_imports(path, name, is_package=path.name == "__init__.py"))
    return found


def _sources(module: str, folder: Path, package: str) -> dict[str, str]:
    """A mimic defined outside the project's folder counts by its name only: its sources are somebody else's release."""
    modules = imported_modules(module, folder, package)
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in modules.items()}


def _file(name: str, folder: Path, package: str) -> Path | None:
    if name != package and not name.startswith(f"{package}."):
        return None
    base = folder.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(path: Path, module: str, *, is_package: bool) -> Iterator[str]:
    """Names as written, resolved where relative; `from a import b` gives a.b too, which may be a module.

    Imports inside functions count. What is imported by a name made at run time cannot be seen.
    """
    inside = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            above = inside[: len(inside) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from _with_parents(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_parents(name: str) -> Iterable[str]:
    """Importing a.b.c runs a and a.b as well."""
    steps = name.split(".")
    return (".".join(steps[: end + 1]) for end in range(len(steps)))


def _tables(names: Iterable[str], snapshot: Snapshot | None) -> dict[str, Any]:
    """Columns, types and nullability of each table; None for a table that the snapshot does not have."""
    shapes: dict[str, Any] = {}
    for name in sorted(names):
        table = snapshot.table(*place_of(name)) if snapshot is not None else None
        shapes[name] = (
            [[column.name, column.type.sql, column.nullable] for column in table.columns] if table is not None else None
        )
    return shapes

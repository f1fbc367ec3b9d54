"""`banyan discover`: what endpoints the legacy app really has, told from its access logs or an HTTP archive."""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api_gateway.consumers import Register
    from api_gateway.inventory import Endpoint, Inventory
    from api_gateway.inventory.inventory import Place
    from api_gateway.inventory.sources import Reading
    from api_gateway.project import Project


def discover(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Access logs (also .gz), HTTP archives, - for standard input.")
    ] = None,
    project_: Annotated[Path | None, typer.Option("--project", help="Whose routes are told apart.")] = None,
    since: Annotated[str | None, typer.Option(help="Only later calls: 90d, or 2026-01-31.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Endpoints to show; --json has all.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Take stock of a legacy app: path templates with calls, callers, status codes, last use; proposes routes.

    Without a source: of what the edge saw that is not listed.
    """
    from api_gateway.inventory import Inventory
    from api_gateway.inventory.sources import Reading

    earliest = _earliest(since) if since is not None else float("-inf")
    project = _project(project_)
    if not sources:
        inventory, reading = _seen_by_the_edge(earliest), Reading()
        found = list(inventory.endpoints())
        if as_json:
            print(json.dumps(_document(found, inventory, reading, 0, project), indent=2))
        else:
            _print(found, inventory, reading, 0, project, top)
        return
    inventory = Inventory(project.routes.values() if project is not None else (), _register(project))
    reading = Reading(_progress if sys.stderr.isatty() and not as_json else None)
    earlier = strange = 0
    for source in sources:
        for call in reading.calls(source):
            if call.at < earliest:
                earlier += 1
            elif not inventory.add(call):
                strange += 1
    if strange:
        reading.malformed["no path in it"] += strange
    found = list(inventory.endpoints())
    if as_json:
        print(json.dumps(_document(found, inventory, reading, earlier, project), indent=2))
    else:
        _print(found, inventory, reading, earlier, project, top)


def _seen_by_the_edge(earliest: float) -> Inventory:
    """Counted by day, in the database; 30 days where nothing else is said."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.inventory.stock import inventory_of, seen
    from api_gateway.settings import settings
    from shared_models.statements import run

    days = int((time.time() - earliest) // 86400) + 1 if earliest > 0 else 30
    with owner_connection(settings()) as connection:
        return inventory_of(run(connection, seen(max(1, min(days, 400)))))


def _earliest(text: str) -> float:
    from api_gateway.cli.durations import duration
    from api_gateway.errors import UsageError

    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise UsageError(f"--since {text}: there is no such day.") from None
    return time.time() - duration(text).total_seconds()


def _project(folder: Path | None) -> Project | None:
    """It works without: one may look at the logs before there is a project."""
    from api_gateway.cli.instance import project_folder
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    where = folder or project_folder(settings())
    return load_project(where) if folder is not None or (where / "banyan.toml").exists() else None


def _register(project: Project | None) -> Register | None:
    """Whose tokens are known, where there is a database to ask."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.consumers import load_register
    from api_gateway.errors import BanyanError
    from api_gateway.settings import settings

    if project is None:
        return None
    try:
        with owner_connection(settings()) as connection:
            return load_register(connection)
    except BanyanError as error:
        print(f"Consumers are not named: {error.message}", file=sys.stderr)
        return None


def _progress(lines: int) -> None:
    print(f"\r{lines:,} lines ", end="", file=sys.stderr, flush=True)


def _document(
    found: list[tuple[Place, Endpoint]],
    inventory: Inventory,
    reading: Reading,
    earlier: int,
    project: Project | None,
) -> dict[str, object]:
    from api_gateway.inventory.propose import proposals

    return {
        "lines": reading.lines,
        "malformed": dict(reading.malformed),
        "earlier": earlier,
        "static": inventory.static,
        "elsewhere": inventory.elsewhere,
        "endpoints": [endpoint.as_json(place) | {"found": endpoint.is_found} for place, endpoint in found],
        "proposals": proposals(found, project.routes if project is not None else ()),
    }


def _print(
    found: list[tuple[Place, Endpoint]],
    inventory: Inventory,
    reading: Reading,
    earlier: int,
    project: Project | None,
    top: int,
) -> None:
    from api_gateway.cli.tables import print_table
    from api_gateway.inventory.propose import proposals

    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    answered = [(place, endpoint) for place, endpoint in found if endpoint.is_found or place.routes]
    print_table(
        ["METHOD", "PATH", "CALLS", "CALLERS", "STATUS", "FIRST", "LAST", "ROUTE"],
        [
            (
                place.method,
                place.path + "".join(f" {key}={value}" for key, value in place.action),
                endpoint.calls,
                _callers(endpoint),
                " ".join(f"{status}:{count}" for status, count in sorted(endpoint.statuses.items())),
                _day(endpoint.first),
                _day(endpoint.last),
                ", ".join(place.routes),
            )
            for place, endpoint in answered[:top]
        ],
    )
    print()
    for number, what in (
        (len(answered) - top, "endpoints more: --top, or --json"),
        (len(found) - len(answered), "endpoints were never found there (404 and the like)"),
        (inventory.static, "calls of pictures, scripts and styles"),
        (inventory.elsewhere, "calls of endpoints that were too many and too rare to be told"),
        (earlier, "calls were earlier"),
    ):
        if number > 0:
            print(f"{number} {what}.")
    told = "; ".join(f"{count} {why}" for why, count in reading.malformed.most_common())
    if reading.lines:
        print(
            f"{reading.lines} lines read, {reading.malformed.total()} of them malformed{': ' + told if told else ''}."
        )
    proposed = proposals(answered[:top], project.routes if project is not None else ())
    if proposed:
        print("\n# for routes.py, to be looked through:")
        print("\n".join(f"{text}," for text in proposed))


def _callers(endpoint: Endpoint) -> str:
    first = sorted(endpoint.callers.items(), key=lambda pair: -pair[1])
    more = f" and {len(first) - 3} more" if len(first) > 3 else ""
    return ", ".join(caller or "unknown" for caller, _ in first[:3]) + more


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") if abs(at) != float("inf") else ""

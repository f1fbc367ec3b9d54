"""`banyan recordings`: what is kept of real requests, to look at, to take along, to delete."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from api_gateway.project import Project
    from api_gateway.recordings import Recording

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Real requests and legacy's answers, masked, of the routes whose entry has `recorded`.",
)

Consumer = Annotated[str | None, typer.Option("--consumer", help="Only of this consumer.")]


@app.command("list")
def list_(
    route: Annotated[str | None, typer.Argument(help="One route: its recordings, one by one.")] = None,
    consumer: Consumer = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List what is recorded: a line for each route, or for each recording of one."""
    from api_gateway import recordings
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.instance import project_folder
    from api_gateway.cli.tables import print_table
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    if route is not None:
        project = load_project(project_folder(settings()))
        with owner_connection(settings()) as connection:
            rows = [_row(each, project) for each in recordings.read(connection, route, consumer=consumer)]
        if as_json:
            print(json.dumps(rows, indent=2))
        elif rows:
            names = ("id", "at", "consumer", "method", "target", "outcome", "masked")
            print_table([name.upper() for name in names], [[_cell(row[name]) for name in names] for row in rows])
        else:
            print(f"Nothing is recorded of {route}.")
        return
    with owner_connection(settings()) as connection:
        kept = recordings.summary(connection)
    if as_json:
        print(json.dumps([each.as_json() for each in kept], indent=2))
    elif kept:
        print_table(
            ["ROUTE", "RECORDINGS", "CONSUMERS", "REQUEST SHAPES", "OUTCOMES", "KIB", "FIRST", "LAST"],
            [
                (k.route, k.recordings, k.consumers, k.shapes, k.outcomes, -(-k.bytes // 1024), k.first, k.last)
                for k in kept
            ],
        )
    else:
        print("Nothing is recorded. A route is recorded when its entry in routes.py has recorded=Recorded().")


def _row(recording: Recording, project: Project) -> dict[str, Any]:
    listed = project.routes.get(recording.route)
    return {
        "id": recording.id,
        "at": recording.at.isoformat() if recording.at is not None else None,
        "consumer": recording.consumer,
        "method": recording.method,
        "target": recording.target(listed) if listed is not None else None,
        "shape": recording.shape,
        "outcome": recording.outcome,
        "milliseconds": round(recording.duration_ms, 1),
        "masked": list(recording.masked),
        "left_out": [*recording.request.left_out, *recording.response.left_out],
    }


def _cell(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


@app.command("export")
def export(
    route: Annotated[str, typer.Argument(help="The route's name, from routes.py.")],
    consumer: Consumer = None,
    output: Annotated[Path | None, typer.Option(help="The file to write; default: standard output.")] = None,
) -> None:
    """Write a route's recordings as an HTTP archive (HAR 1.2)."""
    from api_gateway import recordings
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.instance import project_folder
    from api_gateway.errors import EnvironmentFault, UsageError
    from api_gateway.project import load_project
    from api_gateway.recordings.har import archive
    from api_gateway.settings import settings

    project = load_project(project_folder(settings()))
    if route not in project.routes:
        raise UsageError(f"there is no route {route}.", hint=f"{', '.join(project.routes)} are listed.")
    origin = settings().legacy_url or project.configuration.legacy.url or "http://legacy.invalid"
    with owner_connection(settings()) as connection:
        document = archive(recordings.read(connection, route, consumer=consumer), project.routes[route], origin)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    if output is None:
        print(text)
        return
    try:
        output.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise EnvironmentFault(f"{output}: {error.strerror}.") from None
    print(f"{len(document['log']['entries'])} recordings: {output}", file=sys.stderr)


@app.command("delete")
def delete(
    route: Annotated[str, typer.Argument(help="The route's name; it may be listed no more.")],
    consumer: Consumer = None,
) -> None:
    """Delete a route's recordings, or those of one consumer."""
    from api_gateway import recordings
    from api_gateway.cli.database import owner_connection
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        gone = recordings.delete(connection, route, consumer=consumer)
    print(f"{gone} recordings deleted.")

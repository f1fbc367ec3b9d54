"""`banyan evidence`: what is known about a route's candidate, and which writes of the API were put back by somebody."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from api_gateway.evidence.gate import Criterion, Evidence
    from api_gateway.evidence.read import Calls, DifferenceGroup, IgnoredGroup


class _RouteOrCommand(TyperGroup):
    """`banyan evidence orders.list` is `banyan evidence show orders.list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RouteOrCommand,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What is known about a route's candidate, and about writes. `banyan evidence ROUTE` is `evidence show ROUTE`.",
)


@app.command("reverted")
def reverted(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List writes of the API that somebody else has put back, newest first: key, columns, both images."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.tables import print_table
    from api_gateway.evidence.reverted import read_reverted
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        found = read_reverted(connection)
    if as_json:
        print(
            json.dumps([{**row, "seen": _moment(row), "written": _moment(row, "written")} for row in found], indent=2)
        )
        return
    if not found:
        print("Nothing that the API wrote has been put back.")
        return
    print_table(
        ["SEEN", "TABLE", "KEY", "COLUMNS", "BEFORE, AND AGAIN", "AS WRITTEN", "BY"],
        [
            (
                row["seen"],
                f"{row['schema']}.{row['table']}",
                _values(row["key"]),
                ", ".join(row["columns"]),
                _values(row["before"]),
                _values(row["after"]) if row["after"] is not None else "deleted",
                row["principal"],
            )
            for row in found
        ],
    )


def _moment(row: dict[str, Any], name: str = "seen") -> str:
    return str(row[name].isoformat())


def _values(image: dict[str, str | None]) -> str:
    return ", ".join("NULL" if text is None else text for text in image.values())


@app.command("show")
def evidence(
    route: Annotated[str, typer.Argument(help="The route's name, from routes.py.")],
    consumer: Annotated[str | None, typer.Option("--consumer", help="Only of this consumer.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the evidence for a route's candidate as it is now: a changed candidate starts from zero."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.instance import project_folder
    from api_gateway.evidence.fingerprint import fingerprint_of
    from api_gateway.evidence.read import read_calls, read_differences, read_evidence, read_ignored
    from api_gateway.moves import required
    from api_gateway.moves.asked import known
    from api_gateway.project import load_project
    from api_gateway.settings import settings
    from api_gateway.stages import Stage

    project = load_project(project_folder(settings()))
    with owner_connection(settings()) as connection:
        listed = known(connection, project, route, consumer)
        fingerprint = fingerprint_of(project, listed)
        seen = read_evidence(connection, route, consumer, fingerprint)
        differences = read_differences(connection, route, consumer, fingerprint)
        ignored = read_ignored(connection, route, consumer, fingerprint)
        calls = [each for each in read_calls(connection, route) if consumer in (None, each.consumer)]
        wanted = required(connection, project, listed, consumer, Stage.shadow, Stage.canary)
    if as_json:
        print(json.dumps(_document(route, consumer, seen, wanted, differences, ignored, calls), indent=2))
    else:
        _print(route, consumer, seen, wanted, differences, ignored)


def _document(
    route: str,
    consumer: str | None,
    seen: Evidence,
    wanted: list[Criterion],
    differences: list[DifferenceGroup],
    ignored: list[IgnoredGroup],
    calls: list[Calls],
) -> dict[str, Any]:
    return {
        "route": route,
        "consumer": consumer,
        "fingerprint": seen.fingerprint,
        "first": seen.first.isoformat() if seen.first is not None else None,
        "last": seen.last.isoformat() if seen.last is not None else None,
        "verdicts": _verdicts(seen),
        "skipped": seen.skipped,
        "shapes": dict(seen.shapes),
        "outcomes": dict(seen.outcomes),
        "verified": asdict(seen.verified),
        "criteria": [{**criterion.as_json(), "met": criterion.met} for criterion in wanted],
        "differences": [group.as_json() for group in differences],
        "ignored": [group.as_json() for group in ignored],
        "calls": [each.as_json() for each in calls],
    }


def _verdicts(seen: Evidence) -> dict[str, int]:
    return {
        "match": seen.matches,
        "mismatch": seen.mismatches,
        "ignored": seen.ignored,
        "intended": seen.intended,
        "inconclusive": seen.inconclusive,
    }


def _print(
    route: str,
    consumer: str | None,
    seen: Evidence,
    wanted: list[Criterion],
    differences: list[DifferenceGroup],
    ignored: list[IgnoredGroup],
) -> None:
    from api_gateway.cli.tables import print_table

    print(f"{route} for {consumer or 'everybody'}, candidate {seen.fingerprint or 'none'}\n")
    print_table(["VERDICT", "COUNT"], [*_verdicts(seen).items(), ("skipped", seen.skipped)])
    print()
    print_table(
        ["CRITERION", "HAVE", "NEED", "MET", "BY"],
        [(c.criterion, c.have, c.need, "yes" if c.met else "no", None if c.met else c.eta) for c in wanted],
    )
    for heading, counted in (("REQUEST SHAPE", seen.shapes), ("OUTCOME", seen.outcomes)):
        if counted:
            print()
            print_table([heading, "COUNT"], counted.items())
    if differences:
        print()
        print_table(
            ["DIFFERENCE", "KIND", "COUNT", "SINCE", "LEGACY", "CANDIDATE"],
            [(g.path, g.kind, g.count, g.since, g.control, g.candidate) for g in differences],
        )
    if ignored:
        print()
        print_table(["IGNORED", "REASON", "COUNT", "LAST"], [(g.path, g.reason, g.count, g.last) for g in ignored])

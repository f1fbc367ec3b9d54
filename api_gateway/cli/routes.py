"""`banyan routes`: where every route stands, and moving one forward on evidence or back at once."""

from __future__ import annotations

import getpass
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api_gateway.cli.override import override

if TYPE_CHECKING:
    from api_gateway.ledger import Entry, Move
    from api_gateway.moves import Outcome, Standing

app = typer.Typer(help="Show and move the routes of the migration.", no_args_is_help=True)
app.command("override")(override)

RouteName = Annotated[str, typer.Argument(help="The route's name, from routes.py.")]
Consumer = Annotated[str | None, typer.Option("--consumer", help="Only for this consumer.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who moves it; default: the login name.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every route and who stands where, with the calls of the last 24 hours."""
    from api_gateway import ledger
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.instance import project_folder
    from api_gateway.cli.tables import print_table
    from api_gateway.moves import standings
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    project = load_project(project_folder(settings()))
    with owner_connection(settings()) as connection:
        found = standings(connection, project)
        frozen = ledger.read_freeze(connection)
    if as_json:
        print(json.dumps([standing.as_json() for standing in found], indent=2))
        return
    if frozen is not None:
        print(f"frozen since {frozen.at:%Y-%m-%d %H:%M:%S} by {frozen.actor}: {frozen.reason}\n")
    if not found:
        print("routes.py lists no route yet: everything goes to the legacy app.")
        return
    print_table(
        ["ROUTE", "CONSUMER", "STAGE", "CALLS 24 H", "EVIDENCE", "NEXT"], [_row(standing) for standing in found]
    )


@app.command()
def show(route: RouteName, as_json: AsJson = False) -> None:
    """Show one route: stages, what the next move still needs, and the last moves."""
    from api_gateway import ledger
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.instance import project_folder
    from api_gateway.cli.tables import print_table
    from api_gateway.moves import listed_route, standings
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    project = load_project(project_folder(settings()))
    listed = listed_route(project, route)
    with owner_connection(settings()) as connection:
        found = standings(connection, project, route)
        entries = ledger.history(connection, route=route, limit=10)
        outages = [entry for entry in ledger.current_outages(connection) if entry.outage.place == ("route", route)]
    if as_json:
        document = {
            "route": route,
            "method": listed.method,
            "path": listed.path,
            "successor": listed.successor,
            "standings": [standing.as_json() for standing in found],
            "history": [entry.as_json() for entry in entries],
            "outages": [entry.as_json() for entry in outages],
        }
        print(json.dumps(document, indent=2))
        return
    print(f"{route}: {listed.method} {listed.path}, {'a read' if listed.is_read else 'a write'}")
    print(f"mimic: {listed.mimic.__qualname__ if listed.mimic else 'none'}; successor: {listed.successor or 'none'}\n")
    for entry in outages:
        print(f"out of service since {entry.at:%Y-%m-%d %H:%M:%S}, legacy answers: {entry.outage.why}\n")
    print_table(
        ["ROUTE", "CONSUMER", "STAGE", "CALLS 24 H", "EVIDENCE", "NEXT"], [_row(standing) for standing in found]
    )
    if entries:
        print()
        _print_history(entries)


@app.command()
def move(
    route: RouteName,
    stage: Annotated[str, typer.Argument(help="legacy, shadow, canary, live or retired.")],
    reason: Reason,
    consumer: Consumer = None,
    share: Annotated[
        float | None, typer.Option("--share", help="Percent of those whom nobody names; default: everyone.")
    ] = None,
    override: Annotated[
        str | None, typer.Option("--override", help="Name of who answers for moving without the evidence.")
    ] = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Move a route. Exits 0 when every live process acts on it, 1 when the evidence or a process is missing."""
    from api_gateway import moves
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.instance import project_folder
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    target = moves.stage_named(stage)
    project = load_project(project_folder(settings()))
    with owner_connection(settings()) as connection:
        try:
            outcome = moves.move(
                connection,
                project,
                route,
                target,
                consumer=consumer,
                share=share,
                actor=actor or getpass.getuser(),
                reason=reason,
                override=override,
                timeout=settings().acknowledge_timeout,
            )
        except moves.Refused as refused:
            if as_json:
                print(json.dumps([criterion.as_json() for criterion in refused.criteria], indent=2))
            raise
    _tell(outcome, as_json)


@app.command()
def rollback(
    route: RouteName,
    reason: Reason,
    consumer: Consumer = None,
    to: Annotated[str | None, typer.Option("--to", help="How far back; default: the stage before.")] = None,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="The route and every consumer; default: back to legacy.")
    ] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Move a route back, at once and without asking for evidence. It wins against a promotion."""
    from api_gateway import moves
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.instance import project_folder
    from api_gateway.errors import UsageError
    from api_gateway.project import load_project
    from api_gateway.settings import settings
    from api_gateway.stages import Stage

    target = moves.stage_named(to) if to is not None else None
    project = load_project(project_folder(settings()))
    who, seconds = actor or getpass.getuser(), settings().acknowledge_timeout
    if everyone and consumer is not None:
        raise UsageError("say --everyone or --consumer, not both.")
    with owner_connection(settings()) as connection:
        if everyone:
            *before, outcome = moves.rollback_everyone(
                connection, project, route, to=target or Stage.legacy, actor=who, reason=reason, timeout=seconds
            )
            for one in before if not as_json else ():
                print(_said(one.move))
        else:
            outcome = moves.rollback(
                connection, project, route, consumer=consumer, to=target, actor=who, reason=reason, timeout=seconds
            )
    _tell(outcome, as_json)


@app.command()
def history(
    route: Annotated[str | None, typer.Argument(help="Only this route.")] = None,
    consumer: Consumer = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the ledger, the newest move first."""
    from api_gateway import ledger
    from api_gateway.cli.database import owner_connection
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        entries = ledger.history(connection, route=route, consumer=consumer, limit=limit)
    if as_json:
        print(json.dumps([entry.as_json() for entry in entries], indent=2))
    elif entries:
        _print_history(entries)
    else:
        print("nothing was moved yet.")


@app.command()
def outages(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what a changed schema took out of service, and what came back, the newest first."""
    from api_gateway import ledger
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.tables import print_table
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        entries = ledger.outage_history(connection, limit=limit)
    if as_json:
        print(json.dumps([entry.as_json() for entry in entries], indent=2))
    elif entries:
        columns = ["AT", "ACTOR", "WHAT", "NAME", "CHANGE", "WHY"]
        print_table(columns, [[one.at, one.actor, *one.outage.place, one.change, one.outage.why] for one in entries])
    else:
        print("the schema has taken nothing out of service yet.")


def _tell(outcome: Outcome, as_json: bool) -> None:
    """Say what happened. Raises Finding naming the processes where the move is not in force yet."""
    from api_gateway.errors import Finding
    from api_gateway.ledger import names

    done = outcome.move
    if as_json:
        print(json.dumps(outcome.as_json(), indent=2))
    else:
        who = f"acknowledged by {len(outcome.acknowledged)}" if outcome.acknowledged else "no process runs"
        override = f", on the word of {done.overridden}" if done.overridden else ""
        print(f"{_said(done)}, version {outcome.version}{override}; {who}.")
    if outcome.silent:
        print(f"not heard from, and not waited for: {names(outcome.silent)}.", file=sys.stderr)
    if outcome.laggards:
        raise Finding(
            f"the move stands in the ledger, but is not acknowledged by {names(outcome.laggards)}.",
            hint="it takes force there when the process answers again; `banyan routes show` and the console tell.",
        )


def _said(done: Move) -> str:
    from api_gateway.ledger import place

    share = f" for {done.share:g} % of those whom nobody names" if done.share is not None else ""
    with_it = [name for name in done.members if name != done.route]
    along = f", and with it {', '.join(with_it)}" if with_it else ""
    return f"{place(done.route, done.consumer)}: {done.from_stage} to {done.to_stage}{share}{along}"


def _row(standing: Standing) -> list[Any]:
    seen = f"{standing.conclusive} compared, {standing.mismatches} mismatches" if standing.conclusive else None
    lacking = ", ".join(
        f"{one.criterion} {one.have}/{one.need}" if isinstance(one.need, int) else one.criterion
        for one in standing.unmet
    )
    following = None if standing.next is None else f"{standing.next}: {f'lacks {lacking}' if lacking else 'ready'}"
    return [standing.route, standing.consumer or "everyone", standing.stage, standing.calls, seen, following]


def _print_history(entries: list[Entry]) -> None:
    from api_gateway.cli.tables import print_table

    print_table(
        ["VERSION", "AT", "ACTOR", "ROUTE", "CONSUMER", "FROM", "TO", "KIND", "REASON"],
        [
            [
                entry.version,
                entry.at,
                entry.move.actor,
                ", ".join(entry.move.routes),
                entry.move.consumer or "everyone",
                entry.move.from_stage,
                f"{entry.move.to_stage} {entry.move.share:g} %"
                if entry.move.share is not None
                else entry.move.to_stage,
                f"override by {entry.move.overridden}" if entry.move.overridden else entry.move.kind,
                entry.move.reason,
            ]
            for entry in entries
        ],
    )

"""`banyan plan`: a route moved step by step by the worker, as far and as fast as its evidence lets it."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api_gateway.moves.plans import Plan, State

app = typer.Typer(help="Move a route step by step, as its evidence lets it; the worker does it.", no_args_is_help=True)

RouteName = Annotated[str, typer.Argument(help="The route's name, from routes.py.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def start(
    route: RouteName,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the ledger with each move.")],
    to: Annotated[str, typer.Option("--to", help="canary or live.")] = "live",
    partners: Annotated[str, typer.Option("--partners", help="Consumers in their order: acme,bolt.")] = "",
    shares: Annotated[
        str, typer.Option("--shares", help="Percent of those whom nobody names, where no partners are given.")
    ] = "1,5,25,100",
    wait: Annotated[str, typer.Option("--wait", help="Between two steps at least: 30m, 12h, 2d.")] = "1d",
    actor: Annotated[str | None, typer.Option("--actor", help="Who plans it; default: the login name.")] = None,
) -> None:
    """Begin a plan: partner by partner, or by growing shares of those whom nobody names."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.durations import duration
    from api_gateway.cli.instance import project_folder
    from api_gateway.errors import UsageError
    from api_gateway.moves import plans, stage_named
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    target, seconds = stage_named(to), duration(wait).total_seconds()
    if not target.is_modern:
        raise UsageError(f"a plan leads to canary or live, not to {to}.")
    if partners:
        steps = plans.partner_by_partner([name.strip() for name in partners.split(",")], target, seconds)
    else:
        try:
            steps = plans.share_by_share([float(share) for share in shares.split(",")], target, seconds)
        except ValueError:
            raise UsageError(f"--shares {shares!r}: numbers separated by commas, such as 1,5,25,100.") from None
    project = load_project(project_folder(settings()))
    with owner_connection(settings()) as connection:
        begun = plans.begin(connection, project, route, steps, actor=actor or getpass.getuser(), reason=reason)
    _print(begun)


@app.command()
def show(
    route: Annotated[str | None, typer.Argument(help="Only of this route.")] = None, as_json: AsJson = False
) -> None:
    """Show plans: each step, how far it is, and what it waits for."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.moves import plans
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        found = plans.plans(connection, route)
    if as_json:
        print(json.dumps([plan.as_json() for plan in found], indent=2))
        return
    for plan in found:
        _print(plan)
    if not found:
        print("no plan moves anything.")


@app.command()
def pause(route: RouteName) -> None:
    """Take no further step until it is resumed."""
    _set(route, "paused")


@app.command()
def resume(route: RouteName) -> None:
    """Go on with the next step; also where a move by somebody else had paused it."""
    _set(route, "running")


@app.command()
def end(route: RouteName) -> None:
    """Give a plan up. The route stays where it stands."""
    _set(route, "ended")


def _set(route: str, wanted: State) -> None:
    from api_gateway.cli.database import owner_connection
    from api_gateway.moves import plans
    from api_gateway.settings import settings

    with owner_connection(settings()) as connection:
        _print(plans.set_state(connection, route, wanted))


def _print(plan: Plan) -> None:
    from api_gateway.cli.durations import written
    from api_gateway.cli.tables import print_table

    print(f"{plan.route}: {plan.state}, planned by {plan.actor}: {plan.reason}")
    if plan.why:
        print(plan.why)
    rows = []
    for number, step in enumerate(plan.steps):
        how = "done" if number < plan.step else "next" if number == plan.step and plan.state == "running" else ""
        rows.append([number + 1, str(step), written(step.wait) if step.wait else "", how])
    print_table(["STEP", "TO", "AFTER", ""], rows)

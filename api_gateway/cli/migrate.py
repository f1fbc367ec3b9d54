"""`banyan migrate`: the histories of schema `banyan` and of the project's own changes, over Alembic."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared_models.migrations import History

app = typer.Typer(help="Bring the database's schema up, take it down, show where it stands.", no_args_is_help=True)


class Which(StrEnum):
    banyan = "banyan"
    project = "project"


WhichHistory = Annotated[Which, typer.Option("--history", help="Schema banyan, or the project's own migrations.")]


@app.command()
def up(
    revision: Annotated[str, typer.Argument(help="Where to.")] = "head",
    history: WhichHistory = Which.banyan,
) -> None:
    """Apply what is missing. Roles and schema are made where they are not there."""
    from shared_models.migrations import upgrade

    with _database() as url:
        upgrade(url, _history(history), revision)
        _print_status(url, history)


@app.command()
def down(
    revision: Annotated[str, typer.Argument(help="Where to: `base`, `-1`, or a revision.")],
    history: WhichHistory = Which.banyan,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take revisions back. `down base` removes everything of Banyan's from the database: ledger, evidence, keys."""
    from api_gateway.errors import UsageError
    from shared_models.migrations import downgrade

    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("what a revision holds is lost when it is taken back.", hint="`--yes` says that is meant.")
        typer.confirm("What these revisions hold is lost. Go on?", abort=True)
    with _database() as url:
        downgrade(url, _history(history), revision)
        _print_status(url, history)
    if history is Which.banyan and revision == "base":
        print("The roles stay, for they belong to the server: DROP ROLE banyan_api, banyan_read, banyan_owner;")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show where both histories stand, and what is still to come. Exit code 1 when something is."""
    from shared_models.migrations import status as read_status

    with _database() as url:
        found = [read_status(url, _history(which)) for which in Which]
    if as_json:
        rows = [
            {
                "history": one.history,
                "current": one.current,
                "head": one.head,
                "pending": [{"revision": revision, "title": title} for revision, title in one.pending],
            }
            for one in found
        ]
        print(json.dumps(rows, indent=2))
    else:
        for one in found:
            print(f"{one.history:8} {one.current or 'base'} of {one.head or 'nothing'}")
            for revision, title in one.pending:
                print(f"         {revision} to come: {title}")
    raise typer.Exit(1 if any(one.pending for one in found) else 0)


def _print_status(url: str, which: Which) -> None:
    from shared_models.migrations import status as read_status

    one = read_status(url, _history(which))
    print(f"{one.history}: at {one.current or 'base'}, {len(one.pending)} to come.")


def _history(which: Which) -> History:
    from api_gateway.cli.instance import project_folder
    from api_gateway.settings import settings
    from shared_models.migrations import BANYAN, project_history

    return BANYAN if which is Which.banyan else project_history(project_folder(settings()))


@contextmanager
def _database() -> Iterator[str]:
    """The administrator's URL; what cannot be done there is told in one line."""
    from api_gateway.cli.database import administrator_url
    from api_gateway.errors import EnvironmentFault
    from api_gateway.settings import settings
    from shared_models.migrations import MigrationFault

    try:
        yield administrator_url(settings())
    except MigrationFault as fault:
        raise EnvironmentFault(fault.message, hint=fault.hint) from None

"""`banyan grants`: the columns that our roles may touch, and nothing else."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared_models.granting import Wanted


class Role(StrEnum):
    owner = "banyan_owner"
    api = "banyan_api"
    read = "banyan_read"


def grants(
    as_json: Annotated[
        bool, typer.Option("--json", help="The wanted column privileges, as rows of information_schema.")
    ] = False,
    role: Annotated[Role, typer.Option(help="Whose privileges --json lists.")] = Role.api,
    apply: Annotated[
        bool, typer.Option("--apply", help="Grant them and revoke all others. Needs BANYAN_DATABASE_URL.")
    ] = False,
) -> None:
    """Print the SQL that grants our roles exactly what contract, operations and mimics need; or run it."""
    target = _target()
    if as_json:
        print(json.dumps([asdict(grant) for grant in target.columns if grant.grantee == role], indent=1))
    if apply:
        _apply(target, quiet=as_json)
    elif not as_json:
        from shared_models.granting import statements

        for statement in statements(target):
            print(f"{statement};")


def _target() -> Wanted:
    from api_gateway.api.contract import load_contract, wanted_grants
    from api_gateway.cli.instance import project_folder
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    project = load_project(project_folder(settings()))
    return wanted_grants(project, load_contract(project))


def _apply(target: Wanted, *, quiet: bool) -> None:
    import psycopg

    from api_gateway.cli.database import administrator_url
    from api_gateway.errors import EnvironmentFault
    from api_gateway.settings import settings
    from shared_models.administering import connect
    from shared_models.granting import MayNot, apply

    try:
        with connect(administrator_url(settings()), autocommit=True, connect_timeout=5) as connection:
            statements = apply(connection, target)
    except MayNot as refusal:
        print("This login may not do this. Somebody who may runs:\n", file=sys.stderr)
        for statement in refusal.statements:
            print(f"{statement};", file=sys.stderr)
        raise typer.Exit(2) from None
    except psycopg.Error as error:
        raise EnvironmentFault(f"the database refused: {type(error).__name__}.") from None
    if not quiet:
        for statement in statements:
            print(f"{statement};")
        print(f"{len(statements)} statements run." if statements else "Everything is granted already.")

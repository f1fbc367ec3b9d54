"""`banyan console`: who may enter the console."""

from __future__ import annotations

import sys
from enum import StrEnum
from getpass import getpass
from typing import Annotated

import typer

app = typer.Typer(help="Who may enter the console.", no_args_is_help=True)


class Role(StrEnum):
    viewer = "viewer"
    operator = "operator"


@app.callback()
def _group() -> None:
    """A group, even while it has one verb."""


@app.command()
def account(
    username: Annotated[str, typer.Argument(help="Letters, digits, '.', '_', '@' and '-'.")],
    role: Annotated[Role, typer.Option(help="An operator will be the one who may move routes.")] = Role.viewer,
) -> None:
    """Make an account, or give it a new password. The password is asked for, or read from standard input."""
    import psycopg

    from api_gateway.console.accounts import create_console_account
    from api_gateway.errors import EnvironmentFault
    from api_gateway.settings import settings

    url = settings().require("owner_database_url")
    password = _ask_password() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            create_console_account(connection, username, password, role.value)
    except psycopg.OperationalError:
        raise EnvironmentFault("the database is away.", hint="BANYAN_OWNER_DATABASE_URL says where it is.") from None
    except psycopg.errors.UndefinedTable:
        raise EnvironmentFault("the database has no schema banyan yet.", hint="`banyan migrate up` makes it.") from None
    print(f"{username} may sign in to the console as {role}.")


def _ask_password() -> str:
    from api_gateway.errors import UsageError

    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise UsageError("the two passwords are not the same.")
    return password

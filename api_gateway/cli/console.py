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
    role: Annotated[
        Role, typer.Option(help="A viewer looks; an operator may retry and cancel jobs, too.")
    ] = Role.viewer,
) -> None:
    """Make an account, or give it a new password. The password is asked for, or read from standard input."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.console.accounts import create_console_account
    from api_gateway.settings import settings

    password = _ask_password() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    with owner_connection(settings()) as connection:
        create_console_account(connection, username, password, role.value)
    print(f"{username} may sign in to the console as {role}.")


def _ask_password() -> str:
    from api_gateway.errors import UsageError

    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise UsageError("the two passwords are not the same.")
    return password

"""`banyan accounts`: who is signed in at the API, and ending it. Who they are is the legacy app's business."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(help="Show and end sign-ins of the legacy app's users at the API.", no_args_is_help=True)


@app.command("list")
def list_(
    account: Annotated[
        str | None, typer.Option(help="Only of this account, app:17, or of all of a source, app.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the living sign-ins, the last used first."""
    from api_gateway.accounts import listing
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.tables import print_table
    from api_gateway.settings import settings
    from shared_models.statements import run

    with owner_connection(settings()) as connection:
        found = list(run(connection, listing.living(account=account, limit=limit)))
    if as_json:
        print(json.dumps(found, indent=2, default=str))
    elif not found:
        print("nobody is signed in.")
    else:
        columns = ["SIGN-IN", "ACCOUNT", "SCOPES", "BORN OF", "SINCE", "LAST USED", "ENDS"]
        print_table(
            columns,
            [
                [
                    row["id"],
                    row["account"],
                    " ".join(row["scopes"]),
                    "legacy session" if row["of_legacy"] else "password",
                    *(row[name] for name in ("created", "last_used", "expires")),
                ]
                for row in found
            ],
        )


@app.command("sign-out")
def sign_out(
    account: Annotated[str | None, typer.Argument(help="The account, app:17, or a whole source, app.")] = None,
    sign_in: Annotated[str | None, typer.Option(help="Only this one, from `list`.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everybody.")] = False,
) -> None:
    """End sign-ins: refresh tokens at once, access tokens within a second. Exits 1 when there was none.

    A session of the legacy app that one was born of goes on: end it there.
    """
    from api_gateway.accounts import listing
    from api_gateway.cli.database import owner_connection
    from api_gateway.errors import Finding, UsageError
    from api_gateway.settings import settings
    from shared_models.statements import run

    if sum([account is not None, sign_in is not None, all_]) != 1:
        raise UsageError(
            "say which: an account, --sign-in ID, or --all.", hint="`banyan accounts list` lists the sign-ins."
        )
    with owner_connection(settings()) as connection, connection.transaction():
        ended = run(connection, listing.ending(account=account, sign_in=sign_in))
        run(connection, listing.notice())
    if not ended:
        raise Finding("nobody was signed in there.")
    accounts = len({row["account"] for row in ended})
    print(f"{len(ended)} ended, of {accounts} account{'s' if accounts != 1 else ''}.")

"""`banyan routes override`: a header with which a tester has modern of one route, in production, for a while."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer


def override(
    route: Annotated[str, typer.Argument(help="The route's name, from routes.py.")],
    lasting: Annotated[str, typer.Option("--for", help="How long it is good, a day at most: 30m, 1h.")] = "1h",
    by: Annotated[
        str | None, typer.Option("--by", help="Who tests; it stands in the log. Default: the login name.")
    ] = (None),
) -> None:
    """Print a signed header with which one route is answered by modern, whatever stage the caller stands at."""
    from datetime import UTC, datetime, timedelta

    from api_gateway.cli.durations import duration
    from api_gateway.cli.instance import instance_secret, project_folder
    from api_gateway.dispatch.override import HEADER, sign_override
    from api_gateway.errors import UsageError
    from api_gateway.moves import listed_route
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    listed = listed_route(load_project(project_folder(settings())), route)
    if listed.mimic is None:
        raise UsageError(f"{route} has no mimic: there is nothing to try.")
    length = duration(lasting)
    if not timedelta(0) < length <= timedelta(days=1):
        raise UsageError("an override is good for a day at most.")
    secret = instance_secret(settings(), "session_secret", "session")
    print(f"{HEADER}: {sign_override(secret, route, by or getpass.getuser(), datetime.now(UTC) + length)}")

"""`banyan`: one verb, one file. Verbs import what they need when they run, so that `banyan --help` is quick."""

from __future__ import annotations

import os
import sys

import typer

from api_gateway import __version__
from api_gateway.cli import (
    accounts,
    check,
    console,
    consumers,
    discover,
    doctor,
    edge,
    evidence,
    freeze,
    grants,
    init,
    jobs,
    migrate,
    observe,
    openapi,
    plan,
    recordings,
    routes,
    serve,
    traffic,
    up,
    verify,
    worker,
)
from api_gateway.errors import BanyanError

app = typer.Typer(
    name="banyan",
    help="A typed API beside an unchanged legacy app, and the routes moved to it one by one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.up)
app.command("init")(init.init)
app.command("doctor")(doctor.doctor)
app.command("discover")(discover.discover)
app.command("check")(check.check)
app.command("grants")(grants.grants)
app.command("openapi")(openapi.openapi)
app.command("serve")(serve.serve)
app.command("edge")(edge.edge)
app.command("worker")(worker.worker)
app.command("observe")(observe.observe)
app.command("verify")(verify.verify)
app.command("traffic", hidden=True)(traffic.traffic)
app.add_typer(evidence.app, name="evidence")
app.add_typer(recordings.app, name="recordings")
app.add_typer(routes.app, name="routes")
app.command("freeze")(freeze.freeze)
app.command("thaw")(freeze.thaw)
app.add_typer(plan.app, name="plan")
app.add_typer(consumers.app, name="consumers")
app.add_typer(accounts.app, name="accounts")
app.add_typer(jobs.app, name="jobs")
app.add_typer(console.app, name="console")
app.add_typer(migrate.app, name="migrate")


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        typer.echo(f"banyan {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a verb. Exit codes: 0 done, 1 a finding, 2 a usage or environment error told in one line."""
    try:
        app()
    except BanyanError as error:
        print(f"banyan: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"        {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; nothing more to say
        sys.exit(141)
    except Exception as error:
        if os.environ.get("BANYAN_DEBUG"):
            raise
        print(f"banyan: unexpected {type(error).__name__}; BANYAN_DEBUG=1 shows where.", file=sys.stderr)
        sys.exit(2)

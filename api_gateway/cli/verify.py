"""`banyan verify`: both sides on copies of the database, compared in what they say and in what they write."""

from __future__ import annotations

import getpass
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api_gateway.consumers import Register
    from api_gateway.project import Project
    from api_gateway.routes import Route
    from api_gateway.verify.calls import Call
    from api_gateway.verify.findings import Report
    from api_gateway.verify.run import Tell


def verify(
    routes: Annotated[list[str] | None, typer.Argument(help="Names of routes; default: all that have a mimic.")] = None,
    project_: Annotated[Path | None, typer.Option("--project", help="The project's folder.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and data ask the same.")] = 1,
    budget: Annotated[str, typer.Option(help="How long to ask: 60s, 10m.")] = "60s",
    requests: Annotated[int | None, typer.Option(min=1, help="Stop after so many requests.")] = None,
    first: Annotated[bool, typer.Option("--first", help="Stop at the first difference.")] = False,
    secrets: Annotated[
        Path | None, typer.Option(help='Secrets that are not in the data: {"acme": {"basic": "user:password"}}.')
    ] = None,
    cases: Annotated[bool, typer.Option("--cases", help="Only ask again what was found before.")] = False,
    recorded: Annotated[bool, typer.Option(help="Ask first what was recorded of real requests.")] = True,
    keep: Annotated[bool, typer.Option(help="Write what is found into the project's cases/.")] = True,
    record: Annotated[bool, typer.Option(help="Let the gate count what is proved, for the mimics as they are.")] = True,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page, too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Prove mimics against the legacy app, each side on its own copy of the database. Exits 1 when they differ."""
    from api_gateway.cli.instance import project_folder
    from api_gateway.errors import EnvironmentFault, UsageError
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    plan_seconds = _seconds(budget)
    project = load_project(project_ or project_folder(settings()))
    chosen = _chosen(project, routes or ())
    if html is not None and not html.parent.is_dir():
        raise UsageError(f"--html: there is no folder {html.parent}.")
    try:
        from api_gateway.verify import cases as kept_cases
        from api_gateway.verify import report as shown
        from api_gateway.verify.run import Plan, ask, prepared, replay
        from api_gateway.verify.stopping import stopped_by_signals
    except ImportError as error:
        raise UsageError(f"verify needs {error.name}.", hint="pip install 'banyan-gateway[verify]'") from None
    with stopped_by_signals(), _source(project, quiet=as_json) as (url, register, is_given):
        with prepared(project, register, url, secrets) as ready:
            if cases:
                tried = replay(project, kept_cases.kept(project, {route.name for route in chosen}), ready)
                _tell_cases(shown.cases_as_json(tried), as_json=as_json)
                return
            real = _recorded(chosen) if recorded and is_given else []
            plan = Plan(seed, plan_seconds, requests, only_first=first)
            report = ask(project, chosen, ready, plan, _progress(quiet=as_json), real)
        if record and is_given and not report.ended:
            _record(project, report)
    if as_json:
        print(json.dumps(shown.as_json(report), indent=2))
    else:
        _print(report, recorded=record and is_given)
    try:
        if html is not None:
            from api_gateway.verify.page import page

            html.write_text(page(report, project.configuration.name), "utf-8")
        for found in report.found if keep else ():
            path = kept_cases.keep(project, found)
            print(f"kept: {path}", file=sys.stderr)
    except OSError as error:
        raise EnvironmentFault(f"{error.filename or html} cannot be written: {error.strerror}.") from None
    if report.ended:
        raise EnvironmentFault(f"{report.ended.rstrip('.')}; {report.asked} requests were asked until then.")
    if report.found or report.unproven:
        raise typer.Exit(1)


@contextmanager
def _source(project: Project, *, quiet: bool) -> Iterator[tuple[str, Register, bool]]:
    """The database to copy, its register, and whether it was given: where none is, one of verify's own is filled."""
    from api_gateway.cli.database import administrator_url, owner_connection
    from api_gateway.cli.instance import running_instance
    from api_gateway.consumers import load_register
    from api_gateway.settings import settings

    if settings().database_url is not None or isinstance(running_instance(settings()).get("database"), str):
        with owner_connection(settings()) as connection:
            register = load_register(connection)
        yield administrator_url(settings()), register, True
        return
    from api_gateway.verify.own_database import own_database

    def tell(step: str) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"\r\033[K{step}", end="", file=sys.stderr, flush=True)

    with own_database(project, tell) as (url, register):
        yield url, register, False


def _recorded(routes: Sequence[Route]) -> list[Call]:
    from api_gateway import recordings
    from api_gateway.cli.database import owner_connection
    from api_gateway.settings import settings
    from api_gateway.verify.recorded import recorded_calls

    with owner_connection(settings()) as connection:
        return [call for route in routes for call in recorded_calls(recordings.read(connection, route.name))]


def _record(project: Project, report: Report) -> None:
    from api_gateway.cli.database import owner_connection
    from api_gateway.evidence.fingerprint import fingerprint_of
    from api_gateway.evidence.verified import note_verified
    from api_gateway.settings import settings

    proofs = [
        (name, fingerprint_of(project, project.routes[name]), tally.proof) for name, tally in report.tallies.items()
    ]
    with owner_connection(settings()) as connection:
        note_verified(connection, getpass.getuser(), report.seed, proofs)


def _chosen(project: Project, names: Sequence[str]) -> list[Route]:
    from api_gateway.errors import UsageError

    for name in names:
        if name not in project.routes:
            raise UsageError(f"there is no route {name}.", hint=f"{', '.join(project.routes)} are listed.")
        if project.routes[name].mimic is None:
            raise UsageError(f"{name} has no mimic, so there is nothing to verify.")
    chosen = [project.routes[name] for name in names or project.routes if project.routes[name].mimic is not None]
    if not chosen:
        raise UsageError("there is nothing to verify: no route has a mimic.")
    return chosen


def _tell_cases(tried: list[dict[str, Any]], *, as_json: bool) -> None:
    """Exits 1 when one still differs."""
    if as_json:
        print(json.dumps(tried, indent=2))
    else:
        for case in tried:
            print(f"{case['case']}: {case['verdict']}")
        print(f"{len(tried)} cases." if tried else "No case is kept.")
    if any(case["verdict"] == "mismatch" for case in tried):
        raise typer.Exit(1)


def _seconds(budget: str) -> float:
    from api_gateway.errors import UsageError

    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", budget)
    if not found or float(found[1]) <= 0:
        raise UsageError(f"--budget {budget!r} must be a duration such as 60s or 10m.")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2] or "s"]


def _progress(*, quiet: bool) -> Tell:
    """A line that is written over, on a terminal only."""

    def tell(report: Report, spent: float) -> None:
        if not quiet and sys.stderr.isatty():
            bar = "█" * round(30 * min(spent, 1.0))
            print(f"\r{bar:<30} {report.asked} asked, {len(report.found)} found", end="", file=sys.stderr, flush=True)

    return tell


def _print(report: Report, *, recorded: bool) -> None:
    from api_gateway.cli.tables import print_table
    from api_gateway.evidence.compare import Verdict
    from api_gateway.verify.report import text

    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    print_table(
        ["ROUTE", "ASKED", "SHAPES", "OUTCOMES", "WROTE", "MATCH", "IGNORED", "INTENDED", "MISMATCH", "INCONCLUSIVE"],
        [
            (
                name,
                tally.asked,
                len(tally.shapes),
                len(tally.outcomes),
                tally.wrote,
                *(
                    tally.verdicts[verdict]
                    for verdict in (
                        Verdict.match,
                        Verdict.ignored,
                        Verdict.intended,
                        Verdict.mismatch,
                        Verdict.inconclusive,
                    )
                ),
            )
            for name, tally in report.tallies.items()
        ],
    )
    for line in text(report):
        print(line)
    print()
    for name in report.unproven:
        print(f"{name}: nothing was compared, so nothing is proven.")
    rate = report.asked / report.seconds if report.seconds else 0.0
    real = f" ({report.recorded} of them recorded)" if report.recorded else ""
    print(
        f"{report.asked} requests{real} in {report.seconds:.0f} s ({rate:.0f}/s) at seed {report.seed}, "
        f"after {report.prepared:.0f} s of preparation: {len(report.found) or 'no'} "
        f"{'kind of difference' if len(report.found) == 1 else 'kinds of difference'}."
    )
    if not recorded and not report.ended:
        print("Nothing is recorded: the gate counts what was verified against a database that Banyan is set up in.")

"""`banyan verify`, from the copies to the report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from api_gateway.api.contract import load_contract, wanted_grants
from api_gateway.consumers import Register
from api_gateway.errors import EnvironmentFault
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.verify.asking import Asking
from api_gateway.verify.callers import callers_of, find_secrets, read_secrets
from api_gateway.verify.calls import Call
from api_gateway.verify.cases import Case
from api_gateway.verify.copies import Copies, copies
from api_gateway.verify.findings import Report, Tally
from api_gateway.verify.generate import parameters_of
from api_gateway.verify.sides import Legacy, modern_side, running_legacy
from api_gateway.verify.sinks import BothSinks, both_sinks, environment
from api_gateway.verify.trial import Bench, Trial
from api_gateway.verify.values import Values
from shared_models.granting import statements as grant_statements


@dataclass(frozen=True, slots=True)
class Plan:
    """budget      seconds of asking. requests: at most so many.
    only_first  stop at the first difference. shrinks: look for the smallest request that shows a difference.
    """

    seed: int = 1
    budget: float = 60.0
    requests: int | None = None
    only_first: bool = False
    shrinks: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """The copies, legacy running on one of them, and by what its callers are known. `seconds`: what it took."""

    copies: Copies
    legacy: Legacy
    register: Register
    secrets: dict[tuple[str, str], str]
    seconds: float
    outside: BothSinks


Tell = Callable[[Report, float], None]
"""Called now and then with what is known so far, and the share of the budget that is spent."""


@contextmanager
def prepared(project: Project, register: Register, source: str, secrets: Path | None = None) -> Iterator[Prepared]:
    """Copy the database and start legacy on a copy; both are gone afterwards.

    source   URL of the database that is copied, as an administrator.
    secrets  a file with the callers' secrets that cannot be found in the data.

    Raises UsageError and EnvironmentFault in one line when a side cannot be had.
    """
    began = time.monotonic()
    schemas = project.configuration.schemas
    statements = grant_statements(wanted_grants(project, load_contract(project, strict=False)))
    with copies(source, schemas, statements) as made:
        known = find_secrets(made.base_url, schemas, register)
        if secrets is not None:
            known |= read_secrets(secrets, register)
        env = project.configuration.verify.env
        with both_sinks(env) as outside, environment(env, outside.modern):
            theirs = {name: outside.legacy.filled(text) for name, text in env.items()}
            with running_legacy(project, made.legacy_url, theirs) as legacy:
                legacy.sign_in()
                made.written()  # what the app wrote while it started
                outside.empty()
                yield Prepared(made, legacy, register, known, time.monotonic() - began, outside)


def ask(
    project: Project, routes: Sequence[Route], ready: Prepared, plan: Plan, tell: Tell, recorded: Sequence[Call] = ()
) -> Report:
    """Ask both sides about these routes until the budget is spent, or until something breaks: the report's `ended`.

    recorded  requests that were really made: they are asked first, and others are made like them.
    """
    report = Report(plan.seed, {route.name: Tally() for route in routes}, prepared=ready.seconds)
    report.callers = {route.name: callers_of(route, ready.secrets) for route in routes}

    async def walk() -> None:
        async with modern_side(project, ready.register, ready.copies.modern_url) as modern:
            bench = Bench(project, ready.copies, ready.legacy, modern, ready.secrets, ready.outside)
            values = Values(plan.seed, {it.code: (it.code, *it.values.values()) for it in ready.register.all})
            values.look_at(ready.copies, routes, plan.seed)
            parameters = {route.name: parameters_of(route, plan.seed) for route in routes}
            asking = Asking(bench, values, routes, parameters, report, recorded, shrinks=plan.shrinks)
            began = time.monotonic()
            while report.seconds < plan.budget and (plan.requests is None or report.asked < plan.requests):
                if plan.only_first and report.found:
                    break
                await asking.step()
                report.seconds = time.monotonic() - began
                spent = report.asked / plan.requests if plan.requests is not None else 0.0
                tell(report, max(report.seconds / plan.budget, spent))
            await bench.renew()

    try:
        asyncio.run(walk())
    except KeyboardInterrupt:
        report.ended = "stopped"
    except EnvironmentFault as fault:
        report.ended = fault.message
    except psycopg.Error as error:
        report.ended = f"the database server failed: {type(error).__name__}."
    return report


def replay(project: Project, cases: Sequence[Case], ready: Prepared) -> list[tuple[Case, Trial]]:
    """Ask kept cases again, each on fresh copies."""

    async def walk() -> list[tuple[Case, Trial]]:
        async with modern_side(project, ready.register, ready.copies.modern_url) as modern:
            bench = Bench(project, ready.copies, ready.legacy, modern, ready.secrets, ready.outside)
            tried = [(case, await bench.try_all(case.calls)) for case in cases]
            await bench.renew()
            return tried

    return asyncio.run(walk())

"""`banyan jobs`: what runs in the background, why it failed, and trying it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from psycopg import Connection

app = typer.Typer(help="Show, retry and cancel jobs.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The job's number, from `list`.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_(
    state: Annotated[
        list[str] | None, typer.Option(help="Only failed, running, waiting, cancelled, succeeded. Repeatable.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="Only jobs of this task.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, the failed ones first. Exits 1 when any has failed, so that a daily look can be a program."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.tables import print_table
    from api_gateway.errors import Finding, UsageError
    from api_gateway.jobs import listing
    from api_gateway.settings import settings
    from shared_models.statements import run

    wanted = tuple(state or ())
    if unknown := [one for one in wanted if one not in listing.STATES]:
        raise UsageError(f"there is no state {unknown[0]}.", hint=f"There are: {', '.join(listing.STATES)}.")
    with owner_connection(settings()) as connection:
        found = list(run(connection, listing.listed(states=wanted, task=task, limit=limit)))
        counts = {row["state"]: row["count"] for row in run(connection, listing.counted())}
    if as_json:
        print(json.dumps(found, indent=2, default=str))
    elif found:
        columns = ["JOB", "TASK", "STATE", "FOR", "DONE", "RUN", "SINCE", "WHY"]
        print_table(columns, [_row(row) for row in found])
        print("\n" + ", ".join(f"{counts[name]} {name}" for name in listing.STATES if counts.get(name)))
    else:
        print("there is no such job." if wanted or task else "there is no job.")
    if any(row["state"] == "failed" for row in found):
        failed = sum(row["state"] == "failed" for row in found)
        raise Finding(f"{failed} failed.", hint="`banyan jobs show NUMBER` tells why, `retry` tries again.")


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one job: on whose behalf, how far, why it failed, and what happened to it."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.cli.tables import print_table, shown
    from api_gateway.jobs import listing
    from api_gateway.settings import settings
    from shared_models.statements import run

    with owner_connection(settings()) as connection:
        row = _found(connection, number)
        events = list(run(connection, listing.history(number)))
    if as_json:
        print(json.dumps({**row, "history": events}, indent=2, default=str))
        return
    print(f"job {number}: {row['task']}, {_state(row)}")
    facts = {
        "why": listing.told(row["error"], row["state"]) if row["state"] != "succeeded" else None,
        "for": row["owner"],
        "asked by": row["request"],
        "name outside": row["ref"],
        "arguments": json.dumps(row["arguments"]),
        "key": row["key"],
        "lock": row["lock"],
        "done": _done(row),
        "runs": f"{row['run']}, of which {row['failures']} failed" if row["run"] else None,
        "result": json.dumps(row["result"]) if row["result"] is not None else None,
    }
    for name, fact in facts.items():
        if fact:
            print(f"{name}: {shown(fact)}")
    print()
    print_table(["AT", "WHAT"], [[event["at"], event["type"].replace("_", " ")] for event in events])


@app.command()
def retry(
    number: Annotated[int | None, typer.Argument(help="The job's number, from `list`.", min=1)] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every job that has failed.")] = False,
    task: Annotated[str | None, typer.Option(help="With --all: only jobs of this task.")] = None,
) -> None:
    """Let failed jobs wait again, with all their tries. Exits 1 when there is nothing to be tried again."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.errors import Finding, UsageError
    from api_gateway.jobs import listing
    from api_gateway.settings import settings
    from shared_models.statements import run

    if (number is None) == (not all_):
        raise UsageError("say which: a job's number, or --all.", hint="`banyan jobs list --state failed` lists them.")
    with owner_connection(settings()) as connection:
        if number is not None:
            row = _found(connection, number)
            if row["state"] != "failed":
                raise Finding(f"job {number} has not failed: it is {row['state']}.")
            numbers = [number]
        else:
            numbers = [int(row["id"]) for row in run(connection, listing.failed_numbers(task))]
        again = [one for one in numbers if _retried(connection, one)]
    if not again:
        raise Finding("nothing was tried again: none has failed, or another job waits under the same key.")
    print(f"{', '.join(map(str, again))}: waiting again.")


@app.command()
def cancel(number: Number) -> None:
    """Cancel a job: one that waits at once, one that runs is told to stop. Exits 1 when it is over already."""
    from api_gateway.cli.database import owner_connection
    from api_gateway.errors import Finding
    from api_gateway.jobs import listing
    from api_gateway.settings import settings
    from shared_models.statements import run

    with owner_connection(settings()) as connection:
        row = _found(connection, number)
        with connection.transaction():
            if run(connection, listing.cancel(number))[0]["cancelled"] is None:
                raise Finding(f"job {number} is over: it is {row['state']}.")
            for statement in listing.closed(number):
                run(connection, statement)
    print(f"job {number} {'is told to stop' if row['state'] == 'running' else 'is cancelled'}.")


def _found(connection: Connection[Any], number: int) -> dict[str, Any]:
    from api_gateway.errors import UsageError
    from api_gateway.jobs import listing
    from shared_models.statements import run

    rows = run(connection, listing.shown(number))
    if not rows:
        raise UsageError(f"there is no job {number}.", hint="`banyan jobs list` shows them.")
    return dict(rows[0])


def _retried(connection: Connection[Any], number: int) -> bool:
    from psycopg import errors

    from api_gateway.jobs import listing
    from shared_models.statements import run

    try:
        with connection.transaction():
            if not run(connection, listing.retry(number)):
                return False
            run(connection, listing.forgive(number))
    except errors.UniqueViolation:  # another job waits under its key, and will do what is to be done
        return False
    return True


def _row(row: dict[str, Any]) -> list[object]:
    from api_gateway.jobs import listing

    since = row["finished"] or row["started"] or row["created"]
    why = listing.told(row["error"], row["state"]) if row["state"] != "succeeded" else ""
    return [row["id"], row["task"], _state(row), row["owner"], _done(row), row["run"], since, why]


def _state(row: dict[str, Any]) -> str:
    if row["state"] == "running" and row["stopping"]:
        return "stopping"
    if row["state"] == "waiting" and row["not_before"] is not None:
        from api_gateway.cli.tables import shown

        return f"waiting until {shown(row['not_before'])}"
    return str(row["state"])


def _done(row: dict[str, Any]) -> str:
    if row["total"] is None:
        return str(row["done"]) if row["done"] else ""
    return f"{row['done']} of {row['total']}"

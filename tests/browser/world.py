"""A database in which something has happened, for pages to show: the console's tests look at it, and so may you."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
from sqlalchemy import func, insert, update

from shared_models import state
from shared_models.statements import run

HOSTILE = "<script>document.title='owned'</script>"
HOSTILE_ATTRIBUTE = '"><img src=x onerror="document.title=\'owned\'">'
REVERSED = "in\u202evoice.txt"  # a right-to-left override: what is seen is not what is there


def fill(connection: psycopg.Connection[Any], fingerprints: dict[str, str]) -> None:
    """Four partners, a stranger, routes at every stage, evidence of all kinds, and processes in three states."""
    _consumers(connection)
    _moves(connection)
    _calls(connection)
    _comparisons(connection, fingerprints)
    _processes(connection)
    _jobs(connection)
    _unlisted(connection)
    connection.commit()


def _unlisted(connection: psycopg.Connection[Any]) -> None:
    seen = [
        ("GET", "/panel/order/{id}/edit", "user mira", "200", 1200),
        ("GET", "/panel/order/{id}/edit", "user mira", "403", 40),
        ("POST", "/index.php action=stock", "acme", "200", 310),
        ("GET", "/reports/daily/{date}", "unknown token", "200", 90),
        ("GET", f"/{HOSTILE}".replace(" ", ""), "192.0.2.0/24", "200", 1),
        ("GET", "(other)", "192.0.2.0/24", "404", 5120),
    ]
    names = ("method", "path", "caller", "outcome", "count")
    rows = [dict(zip(names, row, strict=True)) | {"day": func.current_date(), "last_at": _ago(hours=2)} for row in seen]
    run(connection, insert(state.unlisted).values(rows))


def _ago(**distance: float) -> Any:
    return func.now() - timedelta(**distance)


def _consumers(connection: psycopg.Connection[Any]) -> None:
    names = {
        "acme": "Acme Hardware",
        "bolt": "Bolt & Sons",
        "crane": HOSTILE,
        "delta": HOSTILE_ATTRIBUTE,
    }
    run(connection, insert(state.consumer).values([{"code": code, "name": name} for code, name in names.items()]))
    about = {"contact": "it@acme.example", "notes": HOSTILE, "version": "v1"}
    run(connection, update(state.consumer).where(state.consumer.c.code == "acme").values(**about))
    known = {"consumer": "acme", "kind": "query", "hash": b"no secret's", "hint": "to…"}
    run(connection, insert(state.credential).values(**known).inline())


def _moves(connection: psycopg.Connection[Any]) -> None:
    moves = [
        ("orders.list", None, "legacy", "shadow", "promotion", "watch it first", 60 * 50, None),
        ("orders.list", "acme", "shadow", "canary", "promotion", "Acme agreed on Tuesday", 60 * 26, None),
        ("orders.list", "acme", "canary", "live", "promotion", "a quiet week", 60 * 3, None),
        ("orders.list", "bolt", "shadow", "canary", "promotion", "second partner", 55, "mira"),
        ("orders.list", "bolt", "canary", "shadow", "rollback", f"differs in totals {HOSTILE}", 4, None),
        ("orders.status", None, "legacy", "shadow", "promotion", "begin", 30, None),
        ("orders.status", "delta", "shadow", "canary", "promotion", HOSTILE_ATTRIBUTE, 0.2, None),
    ]
    for route, consumer, before, after, kind, reason, minutes, overridden in moves:
        run(
            connection,
            insert(state.ledger).values(
                route=route, consumer=consumer, from_stage=before, to_stage=after, kind=kind, reason=reason,
                actor="mira", at=_ago(minutes=minutes), overridden=overridden,
            ),
        )  # fmt: skip


def _calls(connection: psycopg.Connection[Any]) -> None:
    rows = []
    for hour in range(24):
        busy = 40 + 30 * ((hour * 7) % 5) - hour
        for route, consumer, stage, answerer, outcome, part in (
            ("orders.list", "acme", "live", "modern", "2xx", 0.8 if hour < 4 else 0.1),
            ("orders.list", "bolt", "shadow", "legacy", "2xx", 0.6),
            ("orders.status", "delta", "shadow", "legacy", "2xx", 0.3),
            ("orders.status", "", "shadow", "legacy", "2xx", 0.05),
            ("stock.csv", "crane", "legacy", "legacy", "2xx", 0.4),
        ):
            rows.append(
                {
                    "hour": func.date_trunc("hour", _ago(hours=hour)), "route": route, "consumer": consumer,
                    "stage": stage, "answerer": answerer, "outcome": outcome, "count": max(1, int(busy * part)),
                    "last_at": _ago(hours=hour, seconds=11),
                }
            )  # fmt: skip
    for row in rows:
        run(connection, insert(state.call_count).values(**row))


def _comparisons(connection: psycopg.Connection[Any], fingerprints: dict[str, str]) -> None:
    difference = {"path": "/orders/order[2]/total", "kind": "value", "control": "1,204.50", "candidate": HOSTILE}
    reversed_place = {"path": REVERSED, "kind": "missing", "control": HOSTILE_ATTRIBUTE, "candidate": None}
    shapes = ("GET token=code", "GET since=date token=code", "GET page=integer token=code")
    for number in range(60):
        for route, consumer, verdict in (
            ("orders.list", "bolt", "mismatch" if number in (7, 31) else "match"),
            ("orders.status", "delta", "inconclusive" if number % 9 == 0 else "match"),
        ):
            run(
                connection,
                insert(state.comparison).values(
                    route=route, consumer=consumer, fingerprint=fingerprints[route], verdict=verdict,
                    shape=shapes[number % (3 if route == "orders.list" else 2)], outcome="200 application/xml",
                    differences=[difference, reversed_place] if verdict == "mismatch" else [],
                    request={"path": "/partner/orders.xml"}, at=_ago(minutes=60 - number),
                    control_ms=38 + number % 7, candidate_ms=5 + number % 3,
                ),
            )  # fmt: skip


def _jobs(connection: psycopg.Connection[Any]) -> None:
    """One of each state; the failed one has a reason, and rows that could not be taken."""
    jobs = [
        ("load_prices", "succeeded", {"done": 40, "total": 40, "run": 1}),
        ("send_mail", "todo", {}),
        ("load_prices", "doing", {"done": 12_000, "total": 50_000, "run": 1}),
        ("close_books", "failed", {"run": 3, "failures": 3, "error": {"kind": "exception", "error": HOSTILE}}),
    ]
    for task, status, known in jobs:
        (number,) = connection.execute(
            "INSERT INTO banyan.procrastinate_jobs (queue_name, task_name, args, status) VALUES"
            " ('default', %s, '{}', %s::banyan.procrastinate_job_status) RETURNING id",
            [task, status],
        ).fetchone() or (0,)
        run(connection, insert(state.job).values(id=number, owner="consumer/acme", **known))
        if status == "failed":
            fault = {"job": number, "row": 7, "field": "price", "code": "bad_price", "detail": HOSTILE_ATTRIBUTE}
            run(connection, insert(state.job_fault).values(**fault))


def _processes(connection: psycopg.Connection[Any]) -> None:
    for kind, pid, acknowledged, seen in (
        ("app", 4101, 7, 0), ("app", 4102, 6, 0), ("app", 3999, 5, 400),
        ("worker", 4110, 7, 0), ("observer", 4120, 7, 0), ("edge", 4130, 7, 0),
    ):  # fmt: skip
        run(
            connection,
            insert(state.process).values(
                id=f"{kind}-{pid}", kind=kind, host="laptop", pid=pid, build="0.1.0", acknowledged=acknowledged,
                register_version=1, started=_ago(hours=5, minutes=5),
                seen=_ago(seconds=seen) + timedelta(hours=0 if seen else 1),
            ),
        )  # fmt: skip

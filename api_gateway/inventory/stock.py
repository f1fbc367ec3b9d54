"""What the edge sees of requests that are not listed, counted by template and day. No target, no token is stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from api_gateway.consumers import Register
from api_gateway.edge.exchange import Exchange
from api_gateway.evidence.storing import Storing
from api_gateway.inventory.callers import Callers, stored
from api_gateway.inventory.calls import Call, is_static, parameters, path_and_query, tells_apart
from api_gateway.inventory.inventory import Endpoint, Inventory, Place
from api_gateway.inventory.segments import template_of
from shared_models import state
from shared_models.statements import run_async

WAITING = 5000  # different counts kept in memory; beyond that the next ones are not made
MOST_PATHS = 2000  # templates that one process tells apart; the rest is counted together
MOST_ROWS = 20_000  # read at a time
OTHER = "(other)"

_row = state.unlisted.c


class _Seen(NamedTuple):
    method: str
    path: str
    caller: str
    outcome: str


class Stock(Storing[Mapping[_Seen, int]]):
    """`note` each exchange that the edge copied of what is not listed. `share`: how many of them it copies."""

    every = 5.0

    def __init__(self, url: str, share: float, *, application_name: str) -> None:
        super().__init__(url, application_name)
        self._times = max(1, round(1 / share)) if share > 0 else 1
        self._counts: Counter[_Seen] = Counter()
        self._paths: set[str] = set()
        self._register: Register | None = None
        self._callers = Callers()

    def note(self, exchange: Exchange, register: Register) -> None:
        """Never waits. The templates of paths that legacy does not know are scanners', and are counted together."""
        split = path_and_query(exchange.target)
        if split is None or is_static(split[0]):
            return
        if register is not self._register:
            self._register, self._callers = register, Callers(register)
        pairs = list(parameters(split[1]))
        path = self._path(template_of(split[0]), [pair for pair in pairs if tells_apart(*pair)][:2], exchange.status)
        call = Call(
            exchange.method, exchange.target, exchange.status, time.time(), exchange.source_address,
            headers=exchange.request_headers,
        )  # fmt: skip
        caller = stored(self._callers.of(call, pairs, ()))
        seen = _Seen(exchange.method[:20], path, caller, str(exchange.status))
        if seen in self._counts or len(self._counts) < WAITING:
            self._counts[seen] += self._times

    def _path(self, template: str, action: Iterable[tuple[str, str]], status: int) -> str:
        path = template + "".join(f" {name}={value}" for name, value in action)
        if path in self._paths:
            return path
        if status in (0, 400, 404, 405, 501) or len(self._paths) >= MOST_PATHS or len(path) > 300:
            return OTHER
        self._paths.add(path)
        return path

    def _take(self) -> Mapping[_Seen, int] | None:
        counts, self._counts = self._counts, Counter()
        return counts or None

    async def _write(self, connection: AsyncConnection[Any], batch: Mapping[_Seen, int]) -> None:
        """In one order for everybody, so that two processes never wait for each other's rows crosswise."""
        rows = [{"day": func.current_date(), **seen._asdict(), "count": count} for seen, count in sorted(batch.items())]
        for start in range(0, len(rows), 500):
            statement = upsert(state.unlisted).values(rows[start : start + 500])
            await run_async(
                connection,
                statement.on_conflict_do_update(
                    constraint=state.unlisted.primary_key,
                    set_={"count": _row.count + statement.excluded.count, "last_at": func.clock_timestamp()},
                ),
            )

    def _put_back(self, batch: Mapping[_Seen, int], error: BaseException) -> None:
        for seen, count in batch.items():
            if seen in self._counts or len(self._counts) < WAITING:
                self._counts[seen] += count


def seen(days: int) -> Select[Any]:
    """What was counted within so many days, the most called first."""
    keys = (_row.method, _row.path, _row.caller, _row.outcome)
    times = (func.min(_row.day).label("first"), func.max(_row.last_at).label("last"))
    return (
        select(*keys, func.sum(_row.count).label("count"), *times)
        .where(_row.day > func.current_date() - timedelta(days=days))
        .group_by(*keys)
        .order_by(func.sum(_row.count).desc(), *keys)
        .limit(MOST_ROWS)
    )


def inventory_of(rows: Iterable[Mapping[str, Any]]) -> Inventory:
    """The rows of `seen` as an inventory: crowds are merged as anywhere else."""
    inventory = Inventory()
    for row in rows:
        count = int(row["count"])
        if row["path"] == OTHER:
            inventory.elsewhere += count
            continue
        path, *action = row["path"].split(" ")
        pairs = tuple((name, value) for name, _, value in (piece.partition("=") for piece in action))
        first = datetime(row["first"].year, row["first"].month, row["first"].day, tzinfo=UTC).timestamp()
        endpoint = Endpoint(count, first, row["last"].timestamp(), {int(row["outcome"]): count}, {row["caller"]: count})
        inventory.put(Place(row["method"], path, pairs), endpoint)
    return inventory

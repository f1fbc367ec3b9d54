"""While modern answers, a sampled share of reads is still compared with legacy: the way back stays proven.

In a thread with a loop of its own, after the answer has left, one at a time; what comes meanwhile is not compared. A
read-only twin of legacy is asked where there is one, else legacy itself. When the two differ, both are asked anew,
as at shadow, before a mismatch is believed.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from api_gateway.dispatch.answers import Junction
from api_gateway.dispatch.recognition import is_plain
from api_gateway.evidence.compare import Verdict, compare
from api_gateway.evidence.control import ask_legacy
from api_gateway.evidence.looks import Judgement, judge
from api_gateway.evidence.masking import masked_target, secrets_of
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.pulses import Pulse
from api_gateway.evidence.record import Compared, Recorder
from api_gateway.evidence.rules import rules_of
from api_gateway.evidence.shapes import outcome_class, request_shape
from api_gateway.routes import SAFE_METHODS, HeaderToken, Route

Again = Callable[[], Awaitable[Observation]]
"""Asks modern once more; awaited in the gateway's own loop."""


class LiveLooks:
    """`offer` every answer of modern's; `share` of them (0 to 1) is compared.

    legacy_url   of the twin, or of legacy; None: nothing is compared
    fingerprint  of a route's candidate as it lies there now
    """

    def __init__(
        self, legacy_url: str | None, share: float, recorder: Recorder, fingerprint: Callable[[Route], str]
    ) -> None:
        self._url = legacy_url
        self._share = share
        self._recorder = recorder
        self._fingerprint = fingerprint
        self._busy = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def offer(self, at: Junction, answered: Observation, again: Again) -> None:
        """Compare this answer, if it is its turn. Never waits, never raises."""
        route, arrival = at.route, at.arrival
        if self._busy or self._url is None or not route.is_read or arrival.method not in SAFE_METHODS:
            return
        if at.decision.tester is not None or random.random() >= self._share or not is_plain(route, arrival.target):  # noqa: S311 - a sample, not a secret
            return
        self._busy = True
        here = asyncio.get_running_loop()
        looking = self._look(at, answered, self._url, lambda: _awaited_in(here, again))
        future = asyncio.run_coroutine_threadsafe(looking, self._running())
        future.add_done_callback(lambda done: here.call_soon_threadsafe(self._looked, done))

    def close(self) -> None:
        """End the thread; what is being compared is forgotten."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(1.0)
            self._loop = None

    def _looked(self, done: Future[Compared]) -> None:
        self._busy = False
        if not done.cancelled() and done.exception() is None:
            self._recorder.compared(done.result())

    async def _look(self, at: Junction, answered: Observation, url: str, again: Again) -> Compared:
        route, arrival = at.route, at.arrival
        secrets = secrets_of(route, arrival.target, arrival.headers)
        rules = rules_of(route, today=datetime.now(UTC).date(), secrets=secrets)

        async def ask_control() -> Observation:
            return await ask_legacy(url, arrival.method, arrival.target, arrival.headers)

        control = await ask_control()
        judgement = Judgement(compare(control, answered, rules, method=arrival.method), control, answered)
        if judgement.comparison.verdict is Verdict.mismatch:
            judgement = await judge(control, again, ask_control, rules, method=arrival.method)
        return self._compared(at, judgement)

    def _compared(self, at: Junction, judgement: Judgement) -> Compared:
        route, arrival, decision = at.route, at.arrival, at.decision
        sent = {name.decode("latin-1").lower() for name, _ in arrival.headers}
        looked_at = {route.consumer.name.lower()} if isinstance(route.consumer, HeaderToken) else set()
        query = arrival.target.partition("?")[2]
        return Compared(
            route.name,
            decision.consumer,
            self._fingerprint(route),
            shape=request_shape(route, query, headers=looked_at & sent, method=arrival.method),
            outcome=outcome_class(judgement.control),
            comparison=judgement.comparison,
            control_ms=judgement.control.duration * 1000,
            candidate_ms=judgement.candidate.duration * 1000,
            request={"method": arrival.method, "target": masked_target(route, arrival.target)},
            pulse=Pulse(route.name, decision.place, "compared", decision.version, "match"),
        )

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run, args=(self._loop,), name="live looks", daemon=True)
            self._thread.start()
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Until it is stopped; then everything in it is ended and it is closed."""
    loop.run_forever()
    loop.run_until_complete(_end(asyncio.all_tasks(loop)))
    loop.close()


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _awaited_in(loop: asyncio.AbstractEventLoop, again: Again) -> Observation:
    async def asked() -> Observation:
        return await again()

    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asked(), loop))

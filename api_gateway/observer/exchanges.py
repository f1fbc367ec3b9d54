"""What is done with an exchange: counted at once, and where its route stands at shadow, compared when there is room.

Nobody waits for any of this. What cannot be kept up with is skipped whole, and counted as skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from api_gateway import events
from api_gateway.dispatch import Holder, InService
from api_gateway.dispatch.recognition import caller, canonical_path, is_plain, listed, recognize, sticky
from api_gateway.edge.exchange import UNLISTED, Copy, Exchange
from api_gateway.evidence.control import ask_legacy
from api_gateway.evidence.fingerprint import fingerprint_of
from api_gateway.evidence.isolation import CandidatePool
from api_gateway.evidence.looks import Judgement, judge
from api_gateway.evidence.masking import masked_target, secrets_of
from api_gateway.evidence.mimic import MimicRequest
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.pulses import Outcome, Pulse
from api_gateway.evidence.record import Call, Compared, Recorder, outcome_of
from api_gateway.evidence.rules import rules_of
from api_gateway.evidence.shapes import outcome_class, request_shape
from api_gateway.inventory.stock import Stock
from api_gateway.logging import report
from api_gateway.project import Project
from api_gateway.recordings.keep import Keeper
from api_gateway.routes import SAFE_METHODS, HeaderToken, Route
from api_gateway.stages import Decision, decide

WAITING = 32  # exchanges kept until somebody is free for them
STALE = 5.0  # seconds; an exchange kept longer would compare then with now
ASK_AGAIN_EVERY = 0.2  # seconds at least between two requests of ours to legacy


@dataclass(frozen=True, slots=True)
class _Observed:
    exchange: Exchange
    route: Route
    decision: Decision


class Exchanges:
    """`take` is called with each exchange; `work` is run as several tasks that compare.

    legacy_url  where a read may be asked again when a comparison does not match; None: nowhere.
    schema      says which routes a changed schema has taken out of service: those are not compared.
    keeper      keeps recordings of the routes that want it.
    stock       takes stock of what is not listed.
    """

    def __init__(
        self,
        project: Project,
        holder: Holder,
        recorder: Recorder,
        candidates: CandidatePool,
        *,
        legacy_url: str | None,
        schema: InService | None = None,
        keeper: Keeper | None = None,
        stock: Stock | None = None,
        waiting: int = WAITING,
    ) -> None:
        self._project = project
        self._holder = holder
        self._recorder = recorder
        self._candidates = candidates
        self._legacy_url = legacy_url
        self._schema = schema
        self._keeper = keeper
        self._stock = stock
        self._waiting: asyncio.Queue[_Observed] = asyncio.Queue(waiting)
        self._turn = asyncio.Lock()
        self._skipped: Counter[tuple[str, str]] = Counter()

    @property
    def waiting(self) -> int:
        """Exchanges kept for comparison."""
        return self._waiting.qsize()

    async def take(self, exchange: Exchange) -> None:
        """Count, and keep for comparison. Never raises, never waits."""
        try:
            if exchange.why == UNLISTED:
                self._look_at(exchange)
                return
            observed = self._recognized(exchange)
            if observed is None:
                return
            self._count(observed, "legacy", outcome_of(exchange.status))
            self._record(observed)
            self._fared(observed)
            if not self._is_comparable(observed):
                return
            if self._schema is not None and observed.route.name in self._schema.routes:
                self._skip(observed, "out of service: the schema has changed")
            else:
                self._waiting.put_nowait(observed)
        except asyncio.QueueFull:
            if observed is not None:
                self._skip(observed, "too many in flight")
        except Exception as error:  # noqa: BLE001  # an exchange nobody thought of costs itself alone
            self._skipped[exchange.route_name[:60], type(error).__name__] += 1

    async def work(self) -> None:
        """Compare one exchange after the other, until cancelled."""
        while True:
            observed = await self._waiting.get()
            try:
                if time.monotonic() - observed.exchange.finished > STALE:
                    self._skip(observed, "waited too long")
                else:
                    await self._compare(observed)
            except Exception as error:  # noqa: BLE001  # a defect in comparing must not end the comparing
                self._skip(observed, type(error).__name__)

    def report_skipped(self) -> None:
        """Say how many were skipped since the last time, and why."""
        skipped, self._skipped = self._skipped, Counter()
        if self._keeper is not None:
            skipped.update(self._keeper.take_skipped())
        for (route, why), count in skipped.items():
            report(events.ExchangeSkipped(route, why, count))

    def _recognized(self, exchange: Exchange) -> _Observed | None:
        candidates = listed(self._project, exchange.route_name)
        body = exchange.request_body if exchange.copied is not Copy.head else None
        headers, target = exchange.request_headers, exchange.target
        route = recognize(candidates, exchange.why, exchange.method, target, headers, body)
        if route is None:
            return None
        who = caller(self._holder.register, route, target, headers, body)
        same = sticky(headers, self._project.configuration.edge.trusted_hops)
        return _Observed(exchange, route, decide(self._holder.table, route.name, who, same))

    def _look_at(self, exchange: Exchange) -> None:
        if self._stock is not None:
            self._stock.note(exchange, self._holder.register)

    def _record(self, observed: _Observed) -> None:
        """Keep it where the route says so. What cannot be recorded is compared all the same."""
        exchange, route = observed.exchange, observed.route
        if self._keeper is None or route.recorded is None or exchange.copied is not Copy.whole:
            return
        try:
            if is_plain(route, exchange.target):
                self._keeper.offer(route, exchange, observed.decision.consumer)
        except Exception as error:  # noqa: BLE001  # legacy's answers are whatever they are
            self._skipped[route.name, f"not recorded: {type(error).__name__}"] += 1

    def _is_comparable(self, observed: _Observed) -> bool:
        """An odd path counts as a call; whether legacy reads it as we do is not the candidate's question."""
        exchange, route = observed.exchange, observed.route
        has_candidate = route.mimic is not None and route.is_read
        is_whole = exchange.copied is Copy.whole and is_plain(route, exchange.target)
        return observed.decision.observe and has_candidate and is_whole

    async def _compare(self, observed: _Observed) -> None:
        exchange, route = observed.exchange, observed.route
        control = _control(exchange)
        fingerprint = self._candidates.fingerprint(route.name) or fingerprint_of(self._project, route)

        async def ask_candidate() -> Observation:
            nonlocal fingerprint
            if control.failure is not None:
                return Observation.failed(Failure.unavailable, "not asked")
            observation, fingerprint = await self._candidates.ask(route, request, principal)
            return observation

        async def ask_control() -> Observation:
            async with self._turn:
                await asyncio.sleep(ASK_AGAIN_EVERY)
            return await ask_legacy(self._legacy_url or "", exchange.method, exchange.target, exchange.request_headers)

        consumer = self._holder.register.consumers.get(observed.decision.consumer or "")
        principal = consumer.principal if consumer is not None else None
        request = _request(route, exchange)
        rules = rules_of(
            route, today=datetime.now(UTC).date(), secrets=secrets_of(route, exchange.target, exchange.request_headers)
        )
        may_ask = self._legacy_url is not None and exchange.method in SAFE_METHODS
        judgement = await judge(control, ask_candidate, ask_control if may_ask else None, rules, method=exchange.method)
        self._recorder.compared(_compared(observed, judgement, fingerprint))

    def _count(self, observed: _Observed, answerer: str, outcome: str) -> None:
        decision = observed.decision
        self._recorder.call(Call(observed.route.name, decision.consumer, str(decision.stage), answerer, outcome))

    def _fared(self, observed: _Observed) -> None:
        """What modern is measured by: how long legacy takes, and how often it fails itself."""
        exchange = observed.exchange
        if exchange.status:
            outcome: Outcome = "failed" if exchange.status >= 500 else "ok"
            took = (exchange.finished - exchange.started) * 1000
            self._recorder.pulse(Pulse(observed.route.name, None, "legacy", 0, outcome), took)

    def _skip(self, observed: _Observed, why: str) -> None:
        self._count(observed, "candidate", "skipped")
        self._skipped[observed.route.name, why] += 1


def _control(exchange: Exchange) -> Observation:
    if not exchange.complete or exchange.status == 0:
        return Observation.failed(Failure.incomplete, "cut at the limit" if exchange.truncated else "")
    duration = exchange.finished - exchange.started
    return Observation.answer(exchange.status, exchange.response_headers, exchange.response_body, duration)


def _request(route: Route, exchange: Exchange) -> MimicRequest:
    return MimicRequest(
        exchange.method,
        canonical_path(route, exchange.target, exchange.why),
        exchange.target.partition("?")[2].encode("latin-1"),
        exchange.request_headers,
        exchange.request_body,
    )


def _compared(observed: _Observed, judgement: Judgement, fingerprint: str) -> Compared:
    exchange, route = observed.exchange, observed.route
    sent = {name.decode("latin-1").lower() for name, _ in exchange.request_headers}
    looked_at = {route.consumer.name.lower()} if isinstance(route.consumer, HeaderToken) else set()
    query = exchange.target.partition("?")[2]
    return Compared(
        route.name,
        observed.decision.consumer,
        fingerprint,
        shape=request_shape(route, query, headers=looked_at & sent, method=exchange.method),
        outcome=outcome_class(judgement.control),
        comparison=judgement.comparison,
        control_ms=judgement.control.duration * 1000,
        candidate_ms=judgement.candidate.duration * 1000,
        request={"method": exchange.method, "target": masked_target(route, exchange.target)},
    )

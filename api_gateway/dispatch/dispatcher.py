"""From a listed request to who answers it: recognized, decided, then carried out.

Whatever goes wrong before a mimic has begun is declined: no defect of ours costs a consumer its answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from api_gateway import events
from api_gateway.consumers import Identification, Register
from api_gateway.dispatch.answers import Answers, Junction, failed, failure, gone
from api_gateway.dispatch.arrival import Arrival, BodyTooLarge, ClientLeft, Receive, Scope, Send, read_body
from api_gateway.dispatch.live_looks import LiveLooks
from api_gateway.dispatch.override import tester_of
from api_gateway.dispatch.recognition import caller, canonical_path, listed, needs_body, recognize, sticky
from api_gateway.evidence.mimic import MimicRequest, call_mimic, mimic_app
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.record import Recorder
from api_gateway.logging import report
from api_gateway.project import Project
from api_gateway.routes import Route
from api_gateway.stages import Answerer, Decision, Stage, StageTable, decide
from shared_models.faults import CommitUnknown


class Holder(Protocol):
    """Whoever keeps this process's stages and register at the newest version: a `ledger.Watcher`."""

    @property
    def table(self) -> StageTable: ...

    @property
    def register(self) -> Register: ...


class InService(Protocol):
    """Whoever knows which routes a changed schema has taken out of service: an `outages.SchemaWatch`."""

    @property
    def routes(self) -> frozenset[str]: ...


class Dispatcher:
    """An ASGI application for requests that carry `x-banyan-route`, which only the edge can have put there.

    databases  what mimics find in `request.scope["state"]`: `read_database` and `write_database`.
    override_secret  what testers' wishes are signed with; None: nobody's wish counts
    looks      compares a share of what modern answers with legacy; None: nothing is compared
    schema     says which routes a changed schema has taken out of service; None: none ever is.
    """

    def __init__(
        self,
        project: Project,
        holder: Holder,
        recorder: Recorder,
        *,
        databases: Mapping[str, Any],
        pass_secret: str,
        override_secret: str | None = None,
        schema: InService | None = None,
        looks: LiveLooks | None = None,
    ) -> None:
        self._looks = looks
        self._override_secret = override_secret
        self._hops = project.configuration.edge.trusted_hops
        self._project = project
        self._holder = holder
        self._schema = schema
        self._databases = databases
        self._answers = Answers(recorder, pass_secret.encode(), project.configuration.api.problem_types)
        self._apps = {name: mimic_app(route) for name, route in project.routes.items() if route.mimic is not None}

    @staticmethod
    def handles(scope: Scope) -> bool:
        return scope["type"] == "http" and any(name == b"x-banyan-route" for name, _ in scope["headers"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrival = Arrival.of(scope)
        try:
            candidates = listed(self._project, arrival.names)
            body = await read_body(receive) if needs_body(candidates) else None
            at = self._at(arrival, candidates, body)
            if at is None:
                await self._answers.decline_unrecognized(send, arrival, "no listed route")
            elif at.decision.answerer is Answerer.gone:
                await self._answers.refuse(send, at, gone(at.route))
            elif at.decision.answerer is Answerer.legacy:
                await self._answers.decline(send, at, at.decision.why)
            elif self._schema is not None and at.route.name in self._schema.routes:
                await self._answers.decline(send, at, "out of service: the schema has changed")
            elif at.route.name not in self._apps:
                await self._answers.decline(send, at, "no mimic", failed=True)
            else:
                await self._modern(send, at, body if body is not None else await read_body(receive))
        except ClientLeft:
            return
        except BodyTooLarge:
            await self._answers.decline_unrecognized(send, arrival, "body too large")

    def _at(self, arrival: Arrival, candidates: tuple[Route, ...], body: bytes | None) -> Junction | None:
        try:
            route = recognize(candidates, arrival.why, arrival.method, arrival.target, arrival.headers, body)
            return Junction(arrival, route, self._decide(route, arrival, body)) if route is not None else None
        except Exception as error:  # noqa: BLE001  # an input nobody thought of is legacy's
            path = arrival.target.partition("?")[0]
            report(events.RequestFailed(arrival.request_id, arrival.method, path, type(error).__name__, "dispatch"))
            return None

    def _decide(self, route: Route, arrival: Arrival, body: bytes | None) -> Decision:
        who = caller(self._holder.register, route, arrival.target, arrival.headers, body)
        table = self._holder.table
        if who.ambiguous and table.stages_of(route.name) == {Stage.retired}:
            who = Identification()  # nobody is at legacy any more, so an ambiguous caller is not either
        decision = decide(table, route.name, who, sticky(arrival.headers, self._hops))
        if arrival.override and decision.answerer is Answerer.legacy and not who.ambiguous:
            return self._as_a_tester_wishes(decision, arrival)
        return decision

    def _as_a_tester_wishes(self, decision: Decision, arrival: Arrival) -> Decision:
        """As at canary: a failure is answered by legacy. It is held against nobody's stage."""
        secret, now = self._override_secret, datetime.now(UTC)
        by = tester_of(secret, arrival.override, decision.route, now) if secret is not None else None
        if by is None:
            return decision
        why = f"{by} tests"
        return replace(decision, stage=Stage.canary, answerer=Answerer.modern, observe=False, why=why, tester=by)

    async def _modern(self, send: Send, at: Junction, body: bytes) -> None:
        observation = await self._run(at, body)
        is_failure = observation.status is None or observation.status >= 500
        if is_failure:
            report(failed(at, observation))
        falls_back = at.decision.stage is Stage.canary or observation.failure is Failure.drifted
        if is_failure and falls_back and may_fall_back(at.route, observation):
            why = f"modern {observation.failure or observation.status}"
            drifted = observation.failure is Failure.drifted
            await self._answers.decline(send, at, why, failed=True, drifted=drifted)
        elif observation.status is None:
            await self._answers.refuse(send, at, failure(observation), observation)
        else:
            await self._answers.answer(send, at, observation)
            if self._looks is not None:
                self._looks.offer(at, observation, lambda: self._run(at, body))

    async def _run(self, at: Junction, body: bytes) -> Observation:
        arrival, route = at.arrival, at.route
        consumer = self._holder.register.consumers.get(at.decision.consumer or "")
        principal = consumer.principal if consumer is not None else None
        session = self._project.convention.session(principal)
        databases = {name: database.acting(session) for name, database in self._databases.items()}
        request = MimicRequest(
            arrival.method,
            canonical_path(route, arrival.target, arrival.why),
            arrival.target.partition("?")[2].encode("latin-1"),
            arrival.headers,
            body,
            {**databases, "principal": principal, "request_id": arrival.request_id},
        )
        app, folder = self._apps[route.name], self._project.folder
        return await call_mimic(app, request, deadline=route.timeout, folder=folder)


def may_fall_back(route: Route, observation: Observation) -> bool:
    """A read always. A write only where its rollback is certain: it raised, and not while committing.

    One that ran out of time may still commit; one that *returned* a 5xx has committed.
    """
    if route.is_read:
        return True
    is_unknown = observation.detail.startswith(CommitUnknown.__name__)
    rolled_back = (Failure.raised, Failure.unavailable, Failure.drifted)
    return observation.failure in rolled_back and not is_unknown

"""The three ways in which a gateway lets go of a listed request: answered, refused with a problem, declined.

Each is sent, counted and reported here, in one place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from api_gateway import events
from api_gateway.dispatch.arrival import Arrival, Send
from api_gateway.errors import Problem
from api_gateway.evidence.masking import masked_target
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.pulses import Outcome, Pulse
from api_gateway.evidence.record import Call, Recorder, outcome_of
from api_gateway.evidence.rules import HOP_BY_HOP
from api_gateway.logging import report
from api_gateway.routes import Route
from api_gateway.stages import Answerer, Decision, Stage
from shared_models.faults import DatabaseBusy, LockTimeout

_FRAMING = HOP_BY_HOP | {"content-length"}


@dataclass(frozen=True, slots=True)
class Junction:
    """One request at the point where it is known what it means: the route, and the decision about it."""

    arrival: Arrival
    route: Route
    decision: Decision


@dataclass(frozen=True, slots=True)
class Answers:
    """`pass_secret` marks a declined request for the edge; `problem_types`: where each kind of refusal is told."""

    recorder: Recorder
    pass_secret: bytes
    problem_types: str

    async def answer(self, send: Send, at: Junction, observation: Observation) -> None:
        """What the mimic said. `observation` is a whole answer."""
        status = observation.status or 500
        headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in observation.headers if n not in _FRAMING]
        headers += _retiring(at.route)
        await _send(send, at.arrival.method, status, headers, observation.body)
        self._count(at, "modern", outcome_of(status))
        self._fared(at, failed=status >= 500, seconds=observation.duration)
        report(_answered(at, status))

    async def refuse(self, send: Send, at: Junction, problem: Problem, observation: Observation | None = None) -> None:
        """A problem document (RFC 9457). `observation`: what modern came to in place of an answer."""
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers.items()]
        headers.append((b"content-type", b"application/problem+json"))
        headers += _retiring(at.route)
        told = problem.as_json(self.problem_types, instance=f"urn:uuid:{at.arrival.request_id}")
        body = json.dumps(told, ensure_ascii=False).encode()
        await _send(send, at.arrival.method, problem.status, headers, body)
        answerer = "gone" if at.decision.answerer is Answerer.gone else "modern"
        self._count(at, answerer, outcome_of(problem.status))
        if observation is not None:
            self._fared(at, failed=True, seconds=observation.duration)
        report(_answered(at, problem.status, problem.code))

    async def decline(self, send: Send, at: Junction, why: str, *, failed: bool = False, drifted: bool = False) -> None:
        """Leave the request to legacy. `failed`: modern should have answered; that is counted against it.

        `drifted`: it could not, with the schema as it is now. The route comes back by itself, so no stage hangs on it.
        """
        await self._pass(send)
        if failed:
            self._count(at, "modern", "failed")
        if failed and not drifted:
            self._fared(at, failed=True, seconds=at.arrival.elapsed_ms / 1000)
        report(_declined(at.arrival, at.route, at.decision, why, failed))

    async def decline_unrecognized(self, send: Send, arrival: Arrival, why: str, *, failed: bool = False) -> None:
        """Leave to legacy what could not be made out at all."""
        await self._pass(send)
        report(_declined(arrival, None, None, why, failed))

    async def _pass(self, send: Send) -> None:
        headers = [(b"x-banyan-pass", self.pass_secret), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _count(self, at: Junction, answerer: str, outcome: str) -> None:
        self.recorder.call(Call(at.route.name, at.decision.consumer, str(at.decision.stage), answerer, outcome))

    def _fared(self, at: Junction, *, failed: bool, seconds: float) -> None:
        """What automatic rollback goes by. What testers try is nobody's stage, and held against none."""
        if at.decision.tester is None:
            outcome: Outcome = "failed" if failed else "ok"
            pulse = Pulse(at.route.name, at.decision.place, "modern", at.decision.version, outcome)
            self.recorder.pulse(pulse, seconds * 1000)


def gone(route: Route) -> Problem:
    """410 with `Link: rel="successor-version"` (RFC 5829) where the route has a successor."""
    if route.successor is None:
        return Problem(410, "gone", "This endpoint has been retired", f"{route.name} is gone.")
    is_told = route.deprecated is not None  # with everything else about its end
    link = {} if is_told else {"Link": f'<{route.successor}>; rel="successor-version"'}
    return Problem(410, "gone", "This endpoint has been retired", f"Call {route.successor} instead.", headers=link)


def _retiring(route: Route) -> list[tuple[bytes, bytes]]:
    """`Deprecation`, `Sunset`, `Link` of a route that says when it ends. What legacy answers is never touched."""
    if route.deprecated is None:
        return []
    told = route.deprecated.succeeded_by(route.successor).headers()
    return [(name.encode(), value.encode("latin-1")) for name, value in told]


def failure(observation: Observation) -> Problem:
    """What a consumer is told at live, where no legacy answers in the mimic's place."""
    if observation.failure in (Failure.timed_out, Failure.hung):
        return Problem(504, "timeout", "The answer took too long")
    if observation.failure is Failure.unavailable and observation.detail.startswith(LockTimeout.__name__):
        return Problem(503, "locked", "Somebody else is changing this", headers={"Retry-After": "1"})
    if observation.failure is Failure.unavailable and observation.detail.startswith(DatabaseBusy.__name__):
        return Problem(503, "database_busy", "Too many requests at once", headers={"Retry-After": "1"})
    if observation.failure is Failure.unavailable:
        return Problem(503, "database_away", "The database is away", headers={"Retry-After": "1"})
    return Problem(500, "internal_error", "Something went wrong on our side")


async def _send(send: Send, method: str, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    """Framing is rebuilt. A HEAD is answered with the length that a GET would have (RFC 9110 section 9.3.2)."""
    bodiless = status in (204, 304) or status < 200
    framing = [] if bodiless else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *framing]})
    await send({"type": "http.response.body", "body": b"" if bodiless or method == "HEAD" else body})


def _answered(at: Junction, status: int, code: str | None = None) -> events.RequestAnswered:
    arrival, decision = at.arrival, at.decision
    return events.RequestAnswered(
        arrival.request_id,
        arrival.method,
        _path(arrival, at.route),
        status,
        arrival.elapsed_ms,
        at.route.name,
        decision.consumer,
        str(decision.stage),
        code,
    )


def _declined(
    arrival: Arrival, route: Route | None, decision: Decision | None, why: str, failed: bool
) -> events.RequestDeclined:
    return events.RequestDeclined(
        arrival.request_id,
        arrival.method,
        _path(arrival, route),
        route.name if route is not None else None,
        decision.consumer if decision is not None else None,
        str(decision.stage if decision is not None else Stage.legacy),
        why,
        arrival.elapsed_ms,
        failed,
    )


def failed(at: Junction, observation: Observation) -> events.RequestFailed:
    error, _, place = observation.detail.partition(" at ")
    arrival = at.arrival
    said = error or str(observation.failure or observation.status)
    return events.RequestFailed(
        arrival.request_id, arrival.method, _path(arrival, at.route), said, place, at.route.name
    )


def _path(arrival: Arrival, route: Route | None) -> str:
    """Never the query; and where the path names the caller, not that part of it."""
    path = arrival.target.partition("?")[0]
    return masked_target(route, path) if route is not None else path[:200]

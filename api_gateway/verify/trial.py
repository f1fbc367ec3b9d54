"""One call put to both sides at once: two answers, two write sets, one verdict."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api_gateway.dispatch.recognition import is_plain
from api_gateway.evidence.compare import Comparison, Verdict, compare
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import Rules, rules_of
from api_gateway.evidence.shapes import outcome_class, request_shape
from api_gateway.project import Project
from api_gateway.routes import HeaderToken, Route
from api_gateway.verify import writes
from api_gateway.verify.callers import Secrets, kind_of
from api_gateway.verify.calls import Call, Sent, sent
from api_gateway.verify.copies import Copies
from api_gateway.verify.sides import Legacy, Modern
from api_gateway.verify.writes import Row


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a call. `written`: the net rows of the control and of the candidate."""

    call: Call
    control: Observation
    candidate: Observation
    written: tuple[list[Row], list[Row]]
    comparison: Comparison
    shape: str

    @property
    def outcome(self) -> str:
        return outcome_class(self.control)

    @property
    def has_written(self) -> bool:
        return any(self.written)

    @property
    def signature(self) -> frozenset[tuple[str, str]]:
        """What kind of difference it is: places without their positions, and how each differs."""
        return frozenset((_place(each.path), each.kind) for each in self.comparison.differences)


def _place(path: str) -> str:
    return re.sub(r"\[\d+\]", "[*]", path)


class Bench:
    """Where trials are made: both sides, their copies, the project's rules."""

    def __init__(self, project: Project, copies: Copies, legacy: Legacy, modern: Modern, secrets: Secrets) -> None:
        self._project, self.copies = project, copies
        self._legacy, self._modern, self._secrets = legacy, modern, secrets
        self.is_fresh = True
        """Have the copies been made and not written to since?"""

    async def renew(self) -> None:
        """Make the copies anew, unless they are."""
        if self.is_fresh:
            return
        await asyncio.to_thread(self.copies.renew)
        await self._modern.connect_anew()
        await asyncio.to_thread(self._legacy.settle)
        self.copies.written()
        self.is_fresh = True

    async def try_(self, call: Call) -> Trial:
        """Ask both sides at once. A call whose caller the gateway would not name with certainty is inconclusive."""
        route = self._project.routes[call.route]
        secret = self._secrets.get((call.caller, kind_of(route) or ""))
        request = sent(call, route, secret)
        moment = datetime.now(UTC)
        if why := self._is_legacys(route, request):
            nothing = Observation.failed(Failure.unavailable, "not asked")
            return Trial(call, nothing, nothing, ([], []), Comparison(Verdict.inconclusive, why=why), "not asked")
        control, candidate = await asyncio.gather(self._legacy.ask(request), self._modern.ask(route, request))
        control_rows, candidate_rows = self.copies.written()
        if control_rows or candidate_rows:
            self.is_fresh = False
            self.copies.align_sequences()
        rules = rules_of(route, today=moment.date(), secrets=[secret] if secret is not None else [])
        return Trial(
            call,
            control,
            candidate,
            (writes.settled(control_rows), writes.settled(candidate_rows)),
            _judged(control, candidate, rules, call.method, control_rows, candidate_rows, moment),
            _shape(route, call, request.query),
        )

    def _is_legacys(self, route: Route, request: Sent) -> str:
        """Why the gateway would leave this request to legacy; empty when it would not."""
        if not is_plain(route, request.target):
            return "another path: legacy answers it"
        return (
            "whom legacy sees in it is not certain: legacy answers it"
            if self._modern.names(route, request) == "?"
            else ""
        )

    async def try_all(self, calls: Sequence[Call]) -> Trial:
        """A sequence on fresh copies; the trial of its last call."""
        await self.renew()
        for call in calls[:-1]:
            await self.try_(call)
        return await self.try_(calls[-1])


def _judged(
    control: Observation,
    candidate: Observation,
    rules: Rules,
    method: str,
    control_rows: list[Row],
    candidate_rows: list[Row],
    moment: datetime,
) -> Comparison:
    written = writes.differences(control_rows, candidate_rows, moment)
    return compare(control, candidate, rules, method=method, written=written)


def _shape(route: Route, call: Call, query: str) -> str:
    looked_at = {route.consumer.name.lower()} if isinstance(route.consumer, HeaderToken) else set()
    given = {name.lower() for name, _ in call.headers}
    form = dict(call.form) if call.form is not None else None
    return request_shape(route, query, form=form, headers=looked_at | given, method=call.method)

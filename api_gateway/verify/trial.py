"""One call put to both sides at once: two answers, two write sets, one verdict."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from api_gateway.dispatch.recognition import is_plain
from api_gateway.evidence.compare import Comparison, Verdict, compare
from api_gateway.evidence.observation import Failure, Observation
from api_gateway.evidence.rules import rules_of
from api_gateway.evidence.shapes import outcome_class, request_shape
from api_gateway.project import Project
from api_gateway.routes import HeaderToken, Route
from api_gateway.verify import writes
from api_gateway.verify.callers import Secrets, kind_of
from api_gateway.verify.calls import Call, Sent, sent
from api_gateway.verify.copies import Copies
from api_gateway.verify.effects import Effect
from api_gateway.verify.effects import differences as differences_of_effects
from api_gateway.verify.keys import Keys
from api_gateway.verify.sides import Legacy, Modern
from api_gateway.verify.sinks import BothSinks
from api_gateway.verify.writes import Row


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a call. `written`: the net rows of the control and of the candidate; `sent`: what each side did
    outside of its database.

    has_parted  the copies differ from here on, or a number was drawn under two names: what is asked next would not be
                the same for both sides.
    """

    call: Call
    control: Observation
    candidate: Observation
    written: tuple[list[Row], list[Row]]
    comparison: Comparison
    shape: str
    has_parted: bool = False
    sent: tuple[list[Effect], list[Effect]] = ([], [])

    @property
    def outcome(self) -> str:
        return outcome_class(self.control)

    @property
    def has_acted(self) -> bool:
        """Written or sent anything, on either side."""
        return any(self.written) or any(self.sent)

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

    def __init__(
        self, project: Project, copies: Copies, legacy: Legacy, modern: Modern, secrets: Secrets, outside: BothSinks
    ) -> None:
        self._project, self.copies, self._outside = project, copies, outside
        self._legacy, self._modern, self._secrets = legacy, modern, secrets
        self._key_columns = copies.key_columns(project.configuration.verify.keys)
        self._keys = Keys(self._key_columns)
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
        self._outside.empty()
        self._keys = Keys(self._key_columns)
        self.is_fresh = True

    async def try_(self, call: Call) -> Trial:
        """Ask both sides at once. A call whose caller the gateway would not name with certainty is inconclusive."""
        route = self._project.routes[call.route]
        secret = self._secrets.get((call.caller, kind_of(route) or ""))
        bare = sent(call, route, secret)
        moment = datetime.now(UTC)
        if why := self._is_legacys(route, bare):
            nothing = Observation.failed(Failure.unavailable, "not asked")
            return Trial(call, nothing, nothing, ([], []), Comparison(Verdict.inconclusive, why=why), "not asked")
        session, keys = self._legacy.session, self._keys
        for_modern = session.on(sent(keys.for_modern(call), route, secret))
        control, candidate = await asyncio.gather(
            self._legacy.ask(session.on(bare)), self._modern.ask(route, for_modern)
        )
        failed = [] if route.is_read else await self._modern.work_off()
        effects = await self._outside.take(0.0 if route.is_read else self._project.configuration.verify.wait)
        control_rows, candidate_rows = map(writes.settled, self.copies.written())
        if control_rows or candidate_rows:
            self.is_fresh = False
        if control_rows or candidate_rows or not route.is_read:
            self.copies.align_sequences()
        has_parted = keys.learn(control_rows, candidate_rows)
        hidden = [*([secret] if secret is not None else []), *session.secrets]
        rules = rules_of(route, today=moment.date(), secrets=hidden)
        comparison = compare(
            control,
            candidate,
            rules,
            method=call.method,
            written=chain(
                failed,
                writes.differences(control_rows, keys.renamed(candidate_rows), moment),
                differences_of_effects(*effects, rules, moment),
            ),
            same=keys.same,
        )
        has_parted = has_parted or any(each.path.startswith("written.") for each in comparison.differences)
        shape = _shape(route, call, bare.query)
        return Trial(call, control, candidate, (control_rows, candidate_rows), comparison, shape, has_parted, effects)

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


def _shape(route: Route, call: Call, query: str) -> str:
    looked_at = {route.consumer.name.lower()} if isinstance(route.consumer, HeaderToken) else set()
    given = {name.lower() for name, _ in call.headers}
    form = dict(call.form) if call.form is not None else None
    return request_shape(route, query, form=form, headers=looked_at | given, method=call.method)

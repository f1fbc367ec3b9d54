"""The pure decision: where a route stands for a consumer, who answers, and whether the other side is observed.

Values only. Nothing here reads a clock, a database or a request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from api_gateway.consumers.identify import Identification

__all__ = ["Answerer", "Decision", "Identification", "Stage", "StageTable", "decide", "is_within"]

WHOLE = 100.0
"""Percent: everyone."""


class Stage(StrEnum):
    """Where a route stands. The order of the members is the order of the migration."""

    legacy = "legacy"
    shadow = "shadow"
    canary = "canary"
    live = "live"
    retired = "retired"

    @property
    def rank(self) -> int:
        return list(Stage).index(self)

    @property
    def is_modern(self) -> bool:
        return self in (Stage.canary, Stage.live)


class Answerer(StrEnum):
    legacy = "legacy"
    modern = "modern"
    gone = "gone"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers, whether the candidate is observed, and why.

    place    whose stage decided: the consumer, None for the route's own
    version  of the ledger that it was decided on
    tester   who asked for modern by a signed header, whatever stage the caller stands at
    """

    route: str
    consumer: str | None
    stage: Stage
    answerer: Answerer
    observe: bool
    why: str
    place: str | None = None
    version: int = 0
    tester: str | None = None


@dataclass(frozen=True, slots=True)
class StageTable:
    """Every (route, consumer) that ever moved, at one ledger version. Consumer None is the route itself.

    shares  percent of those whom nobody names that a route's own stage is for; who is outside stands one stage before,
            and so does every consumer without a stage of its own. A route that is not in it is there for everyone.
    """

    version: int = 0
    stages: Mapping[tuple[str, str | None], Stage] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)

    def stage(self, route: str, consumer: str | None = None) -> Stage:
        """A consumer's own stage, else the route's, else legacy."""
        own = self.stages.get((route, consumer)) if consumer is not None else None
        return own or (self.stages.get((route, None), Stage.legacy) if consumer is None else self.outside(route))

    def outside(self, route: str) -> Stage:
        """Where those stand whom the route's share leaves out."""
        stands = self.stage(route)
        return list(Stage)[max(0, stands.rank - 1)] if route in self.shares else stands

    def position(self, route: str, consumer: str | None = None) -> tuple[int, float]:
        """How far it is: the stage's rank, and within it the share."""
        share = self.shares.get(route, WHOLE) if consumer is None else WHOLE
        return self.stage(route, consumer).rank, share

    def stages_of(self, route: str) -> frozenset[Stage]:
        """Every stage at which anybody stands on this route, the route's own included."""
        moved = {stage for (name, consumer), stage in self.stages.items() if name == route and consumer is not None}
        return frozenset(moved | {self.stage(route), self.outside(route)})

    def needs_gateway(self, route: str) -> bool:
        """True when the edge cannot answer this route from legacy without asking who calls."""
        return any(stage.rank >= Stage.canary.rank for stage in self.stages_of(route))

    def needs_copy(self, route: str) -> bool:
        """True when whole exchanges of this route are to be copied to the observer."""
        return Stage.shadow in self.stages_of(route)

    def to_json(self) -> str:
        rows = [
            {"route": route, "consumer": consumer, "stage": str(stage), **self._share(route, consumer)}
            for (route, consumer), stage in sorted(self.stages.items(), key=lambda row: (row[0][0], row[0][1] or ""))
        ]
        return json.dumps({"version": self.version, "stages": rows}, indent=1)

    def _share(self, route: str, consumer: str | None) -> dict[str, float]:
        return {"share": self.shares[route]} if consumer is None and route in self.shares else {}

    @classmethod
    def from_json(cls, text: str) -> StageTable:
        """Raises ValueError when the text is no stage table."""
        document: dict[str, Any] = json.loads(text)
        try:
            rows: Iterable[dict[str, Any]] = document["stages"]
            stages = {(str(row["route"]), row["consumer"]): Stage(row["stage"]) for row in rows}
            shares = {str(row["route"]): float(row["share"]) for row in rows if row.get("share") is not None}
            return cls(int(document["version"]), stages, shares)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a stage table: {error}") from error


def decide(table: StageTable, route: str, who: Identification, sticky: bytes = b"") -> Decision:
    """Who answers this call. An ambiguous caller always means legacy; one whom we do not know, until it is retired.

    sticky  what stays the same between the calls of somebody whom nobody names; empty: outside every share.
    """
    if who.ambiguous:
        why = "ambiguous consumer"
        return Decision(route, None, Stage.legacy, Answerer.legacy, observe=False, why=why, version=table.version)
    own = who.consumer is not None and (route, who.consumer) in table.stages
    stage = table.stage(route, who.consumer)
    if who.consumer is None and route in table.shares and not is_within(route, sticky, table.shares[route]):
        stage = table.outside(route)
    if who.unknown and stage is not Stage.retired:
        why = "a credential of nobody here"
        return Decision(route, None, stage, Answerer.legacy, observe=False, why=why, version=table.version)
    answerer = {Stage.canary: Answerer.modern, Stage.live: Answerer.modern, Stage.retired: Answerer.gone}.get(
        stage, Answerer.legacy
    )
    return Decision(
        route,
        who.consumer,
        stage,
        answerer,
        observe=stage is Stage.shadow,
        why=f"{'consumer' if own else 'route'} at {stage}",
        place=who.consumer if own else None,
        version=table.version,
    )


def is_within(route: str, sticky: bytes, share: float) -> bool:
    """Does this share of the unnamed hold them? Who is in stays in when it grows; each route has its own first ones."""
    if not sticky:
        return share >= WHOLE
    digest = hashlib.sha256(b"%s\0%s" % (route.encode(), sticky)).digest()
    return int.from_bytes(digest[:8]) < share / WHOLE * 2**64

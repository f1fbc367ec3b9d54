"""The pure decision: where a route stands for a consumer, who answers, and whether the other side is observed.

Values only. Nothing here reads a clock, a database or a request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from api_gateway.consumers.identify import Identification

__all__ = ["Answerer", "Decision", "Identification", "Stage", "StageTable", "decide"]


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
    """Who answers, whether the candidate is observed, and why."""

    route: str
    consumer: str | None
    stage: Stage
    answerer: Answerer
    observe: bool
    why: str


@dataclass(frozen=True, slots=True)
class StageTable:
    """Every (route, consumer) that ever moved, at one ledger version. Consumer None is the route itself."""

    version: int = 0
    stages: Mapping[tuple[str, str | None], Stage] = field(default_factory=dict)

    def stage(self, route: str, consumer: str | None = None) -> Stage:
        """A consumer's own stage, else the route's, else legacy."""
        own = self.stages.get((route, consumer)) if consumer is not None else None
        return own or self.stages.get((route, None), Stage.legacy)

    def stages_of(self, route: str) -> frozenset[Stage]:
        """Every stage at which anybody stands on this route, the route's own included."""
        moved = {stage for (name, consumer), stage in self.stages.items() if name == route and consumer is not None}
        return frozenset(moved | {self.stage(route)})

    def needs_gateway(self, route: str) -> bool:
        """True when the edge cannot answer this route from legacy without asking who calls."""
        return any(stage.rank >= Stage.canary.rank for stage in self.stages_of(route))

    def needs_copy(self, route: str) -> bool:
        """True when whole exchanges of this route are to be copied to the observer."""
        return Stage.shadow in self.stages_of(route)

    def to_json(self) -> str:
        rows = [
            {"route": route, "consumer": consumer, "stage": str(stage)}
            for (route, consumer), stage in sorted(self.stages.items(), key=lambda row: (row[0][0], row[0][1] or ""))
        ]
        return json.dumps({"version": self.version, "stages": rows}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> StageTable:
        """Raises ValueError when the text is no stage table."""
        document: dict[str, Any] = json.loads(text)
        try:
            rows: Iterable[dict[str, Any]] = document["stages"]
            stages = {(str(row["route"]), row["consumer"]): Stage(row["stage"]) for row in rows}
            return cls(int(document["version"]), stages)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a stage table: {error}") from error


def decide(table: StageTable, route: str, who: Identification) -> Decision:
    """Who answers this call. An ambiguous caller always means legacy; one whom we do not know, until it is retired."""
    if who.ambiguous:
        return Decision(route, None, Stage.legacy, Answerer.legacy, observe=False, why="ambiguous consumer")
    stage = table.stage(route, who.consumer)
    if who.unknown and stage is not Stage.retired:
        return Decision(route, None, stage, Answerer.legacy, observe=False, why="a credential of nobody here")
    whose = "consumer" if (route, who.consumer) in table.stages and who.consumer is not None else "route"
    answerer = {Stage.canary: Answerer.modern, Stage.live: Answerer.modern, Stage.retired: Answerer.gone}.get(
        stage, Answerer.legacy
    )
    return Decision(route, who.consumer, stage, answerer, observe=stage is Stage.shadow, why=f"{whose} at {stage}")

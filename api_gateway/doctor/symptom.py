"""One line of what `banyan doctor` says, and the closed list of what it can be about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Severity = Literal["error", "warning", "ok"]
Code = Literal[
    "server_version",
    "standby",
    "read_only",
    "encoding",
    "clock",
    "time_zone",
    "roles",
    "schema_banyan",
    "event_triggers",
    "timeouts",
    "extensions",
    "shadows",
    "encryption",
    "hba",
    "pooler",
    "api_pooler",
    "settings_lost",
    "connections",
    "legacy_paths",
    "legacy_sees",
]
CODES: tuple[str, ...] = get_args(Code)
RANKS: dict[Severity, int] = {"error": 0, "warning": 1, "ok": 2}


@dataclass(frozen=True, slots=True)
class Symptom:
    """`fix` is what to do, empty where nothing is."""

    code: Code
    severity: Severity
    message: str
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.severity}: {self.message} [{self.code}]" + (f" Fix: {self.fix}" if self.fix else "")

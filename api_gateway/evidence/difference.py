"""One place where two answers differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from api_gateway.evidence.rules import Rules

Kind = Literal[
    "status", "header", "value", "type", "missing", "extra", "encoding", "line-endings", "malformed", "failure"
]
SHOWN = 200
MASK = "•••"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where, how, and both values.

    `path`: `$.orders[3].total`, `/orders/order[3]/@no`, `row[3].price`, `line[3]`, `header.location`.

    `missing` is in the control only, `extra` in the candidate only. A side that has nothing there is None.
    """

    path: str
    kind: Kind
    control: str | None
    candidate: str | None

    def as_json(self) -> dict[str, str | None]:
        return {"path": self.path, "kind": self.kind, "control": self.control, "candidate": self.candidate}

    def shown(self, rules: Rules) -> Difference:
        """The same difference, fit to be stored: masked, and cut to SHOWN characters a side."""
        hide = rules.hides(self.path)
        return Difference(
            _shown(self.path, False, rules) or "", self.kind,
            _shown(self.control, hide, rules), _shown(self.candidate, hide, rules),
        )  # fmt: skip


def _shown(value: str | None, hide: bool, rules: Rules) -> str | None:
    if value is None:
        return None
    if hide:
        return MASK
    for secret in sorted(rules.secrets, key=len, reverse=True):
        value = value.replace(secret, MASK)
    # PostgreSQL stores no NUL, and a terminal obeys other control characters.
    value = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in value[: SHOWN + 1])
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"


def first(differences: Iterable[Difference], limit: int) -> tuple[Difference, ...]:
    """At most `limit` of them: comparing two unrelated answers must not cost a difference per byte."""
    found: list[Difference] = []
    for difference in differences:
        found.append(difference)
        if len(found) >= limit:
            break
    return tuple(found)

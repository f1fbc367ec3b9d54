"""One finding of `banyan check`, and the closed list of what it can be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Severity = Literal["error", "warning", "note"]
Code = Literal[
    "contract_unfit",
    "contract_broken",
    "tables_outdated",
    "openapi_missing",
    "openapi_unreadable",
    "openapi_breaking",
    "openapi_changed",
    "scope_unknown",
    "drift_breaking",
    "drift_aside",
    "drift_additive",
    "index_missing",
    "trigger_rights",
    "trigger_unseen",
    "rows_unknown_code",
    "rows_null",
    "rows_beyond_calendar",
    "rows_orphaned",
    "rows_key_repeated",
    "rows_not_checked",
    "role_missing",
    "role_too_strong",
    "grant_missing",
    "grant_excess",
    "grant_inherited",
    "grant_public",
    "server_refuses",
    "server_allows",
    "privileges_untried",
]
CODES: tuple[str, ...] = get_args(Code)
_RANKS: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """What disagrees, where, and what to do.

    code      stable; described in `docs/reference/check.md`.
    between   which of the things compared disagree, for people.
    file      inside the project; `line` None or 0 where there is none.
    table     `schema.table`; `column` of it, or several, separated by commas.
    details   what a program may want to go on with: example keys, consumers, a statement.
    """

    code: Code
    severity: Severity
    between: str
    message: str
    advice: str
    file: str | None = None
    line: int | None = None
    table: str | None = None
    column: str | None = None
    details: dict[str, Any] | None = None

    @property
    def place(self) -> tuple[int, str, int, str, str, str]:
        """Errors first, then in the order of files and tables: the order in which they are told."""
        rank = _RANKS[self.severity]
        return rank, self.file or "", self.line or 0, self.table or "", self.column or "", self.message

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        what = ".".join(part for part in (self.table, self.column) if part)
        return f"{self.severity}: {place}{what}{': ' if what else ''}{self.message} [{self.code}]\n    {self.advice}"

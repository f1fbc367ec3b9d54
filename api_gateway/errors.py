"""What can go wrong, as one tree.

BanyanError            a sentence for a person; at the command line exit code 2
├── UsageError         the command or the project's files are wrong
├── EnvironmentFault   a database, port, tool or file outside is not as it must be
└── Finding            everything worked, and the answer is no; exit code 1
Problem                an HTTP answer, rendered as a problem document (RFC 9457)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class BanyanError(Exception):
    """One readable line. `exit_code` is what the command line ends with."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BanyanError):
    """What was asked for, or what the project's files say, cannot be right."""


class EnvironmentFault(BanyanError):
    """Something outside this program is away, taken, missing, full or forbidden."""


class Finding(BanyanError):
    """The question was understood, and the answer is no."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a request: where it is, and what is wrong there.

    Exactly one of `pointer` (a JSON Pointer into the body, RFC 6901), `parameter` (query) or `header` is set; raises
    ValueError where that is not so.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None

    def __post_init__(self) -> None:
        places = [place for place in (self.pointer, self.parameter, self.header) if place is not None]
        if len(places) != 1 or (self.pointer and not self.pointer.startswith("/")):
            raise ValueError(f"{self.code}: say where it is: pointer, parameter or header")

    def as_json(self) -> dict[str, str]:
        place = {"pointer": self.pointer, "parameter": self.parameter, "header": self.header}
        return {"code": self.code, "detail": self.detail, **{k: v for k, v in place.items() if v is not None}}


@dataclass(slots=True)
class Problem(Exception):
    """An answer that refuses: RFC 9457, media type `application/problem+json`.

    `code` is stable and documented in `docs/reference/errors.md`; `type` is the address of its page. `detail` never
    carries PostgreSQL's own text, a secret, or a name that the contract hides. `extra`: members that another
    standard wants beside these, as OAuth 2.0 wants `error`.
    """

    status: int
    code: str
    title: str
    detail: str | None = None
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)

    def as_json(self, types: str, *, instance: str | None = None) -> dict[str, object]:
        """`types`: what the addresses of all pages begin with: `/api/problems/`."""
        document: dict[str, object] = {
            "type": f"{types}{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail is not None:
            document["detail"] = self.detail
        if instance is not None:
            document["instance"] = instance
        if self.errors:
            document["errors"] = [error.as_json() for error in self.errors]
        return {**document, **self.extra}

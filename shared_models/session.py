"""What the host database wants to know about whoever acts, before any statement: a role, settings of its own.

    [database.session]
    role = "{principal.value.db_role}"                  SET LOCAL ROLE
    settings = { "app.tenant" = "{principal.code}" }    set_config('app.tenant', …, true)

Row security and functions of the host then see the principal. It all ends with the transaction: a pooled connection
carries nothing to whoever comes next. Whoever lacks a value is refused; nobody ever acts with half a session.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_PLACE = re.compile(r"\{([^{}]*)\}")
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)+")


class Acting(Protocol):
    """What is taken of a principal."""

    @property
    def kind(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Session:
    """One principal's session, ready to be set. `settings` in their order; `role` is set last."""

    settings: tuple[tuple[str, str], ...] = ()
    role: str | None = None

    def __bool__(self) -> bool:
        return bool(self.settings) or self.role is not None

    @property
    def sql(self) -> bytes:
        """One SELECT that sets everything until the transaction ends. Literals are escaped for any server setting."""
        pairs = [*self.settings, *([("role", self.role)] if self.role is not None else [])]
        calls = ", ".join(f"pg_catalog.set_config({_literal(name)}, {_literal(value)}, true)" for name, value in pairs)
        return f"SELECT {calls}".encode()


@dataclass(frozen=True, slots=True)
class Template:
    """Text with places for the principal's values: `{principal.code}`, `{principal.kind}`, `{principal.value.NAME}`."""

    text: str

    def __post_init__(self) -> None:
        """Raises ValueError for a place that means nothing."""
        rest = _PLACE.sub("", self.text)
        if "{" in rest or "}" in rest:
            raise ValueError(f"{self.text!r}: a brace without its partner")
        for place in _PLACE.findall(self.text):
            if place not in ("principal.code", "principal.kind") and not re.fullmatch(r"principal\.value\..+", place):
                raise ValueError(
                    f"{{{place}}} means nothing here; there are {{principal.code}}, {{principal.kind}} and"
                    " {principal.value.NAME}"
                )

    def of(self, principal: Acting) -> str | None:
        """The text for this principal; None when it lacks a value, or has one that PostgreSQL cannot hold."""
        found = [self._value(place, principal) for place in _PLACE.findall(self.text)]
        if any(not value or "\0" in value for value in found):
            return None
        values = iter(found)
        return _PLACE.sub(lambda _: next(values) or "", self.text)

    def _value(self, place: str, principal: Acting) -> str | None:
        if place == "principal.code":
            return principal.code
        return principal.kind if place == "principal.kind" else principal.values.get(place.split(".", 2)[2])


@dataclass(frozen=True, slots=True)
class Convention:
    """The host database's convention, as `banyan.toml` tells it. Empty: nothing is set."""

    role: Template | None = None
    settings: tuple[tuple[str, Template], ...] = ()

    @classmethod
    def of(cls, role: str | None, settings: Mapping[str, str]) -> Convention:
        """Raises ValueError for a template, or for a setting that is not the host's own (`name.name`)."""
        for name in settings:
            if not _SETTING.fullmatch(name):
                raise ValueError(f"{name!r} is no setting of the host's own: those have a dot, as app.tenant has")
        templates = tuple((name, Template(text)) for name, text in settings.items())
        return cls(Template(role) if role is not None else None, templates)

    def __bool__(self) -> bool:
        return bool(self.settings) or self.role is not None

    def session(self, principal: Acting | None) -> Session | None:
        """The session of this principal. None: it cannot be had, so the principal must not reach the database."""
        if not self:
            return Session()
        if principal is None:
            return None
        role = self.role.of(principal) if self.role is not None else None
        if self.role is not None and (role is None or role == "none"):  # `none` would be our own role again
            return None
        settings: list[tuple[str, str]] = []
        for name, template in self.settings:
            value = template.of(principal)
            if value is None:
                return None
            settings.append((name, value))
        return Session(tuple(settings), role)


def _literal(text: str) -> str:
    return " E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"

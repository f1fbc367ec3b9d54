"""Resolves a column's type: domains and arrays away, down to the element that values are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared_models import catalog_type_queries as queries
from shared_models import snapshot as s

_KINDS: Mapping[str, s.TypeKind] = {
    "b": "base",
    "e": "enum",
    "c": "composite",
    "r": "range",
    "m": "multirange",
    "p": "pseudo",
}
_WITH_LENGTH = frozenset({"bpchar", "varchar"})
_WITH_BITS = frozenset({"bit", "varbit"})
_WITH_PRECISION = frozenset({"time", "timetz", "timestamp", "timestamptz", "interval"})
_HEADER = 4  # bytes that PostgreSQL adds to the modifier of character and numeric types (VARHDRSZ)
_UNLIMITED = 0xFFFF  # an interval's precision when none was given


@dataclass(frozen=True, slots=True)
class _Type:
    """A row of pg_type."""

    oid: int
    schema: str
    name: str
    kind: str
    category: str
    element: int
    base: int
    modifier: int
    not_null: bool
    default: str | None
    base_spelled: str | None
    comment: str | None
    subtype: str | None

    @property
    def is_array(self) -> bool:
        return self.category == "A" and self.element != 0


class Types:
    """The types that the columns of a snapshot reach, by oid."""

    def __init__(self, server_version: int, rows: Callable[..., list[tuple[Any, ...]]]) -> None:
        self._server_version = server_version
        self._rows = rows

    def read(self, used: Iterable[int]) -> None:
        """`used`: oids of columns' types; what they are made of is read too."""
        self._types = {row[0]: _Type(*row) for row in self._rows(queries.TYPES, types=list(used))}
        self._resolved: dict[tuple[int, int], s.ColumnType] = {}
        oids = list(self._types)
        self._labels = {oid: tuple(labels) for oid, labels in self._rows(queries.ENUM_LABELS, types=oids)}
        self._fields = dict(self._rows(queries.COMPOSITE_FIELDS, types=oids))
        self._checks: dict[int, list[s.Check]] = {}
        for oid, name, expression, validated in self._rows(queries.DOMAIN_CHECKS, types=oids):
            self._checks.setdefault(oid, []).append(s.Check(name, expression, validated=validated))

    def resolve(self, oid: int, modifier: int, spelled: str) -> s.ColumnType:
        """`modifier` is pg_attribute's atttypmod: it belongs to the innermost element, or is -1.

        Equal types are one object: 12,000 columns have a few dozen.
        """
        known = self._resolved.get((oid, modifier))
        if known is None:
            known = self._resolved[oid, modifier] = self._resolve(oid, modifier, spelled)
        return known

    def _resolve(self, oid: int, modifier: int, spelled: str) -> s.ColumnType:
        current, arrays, domain = self._types[oid], 0, None
        while True:
            if current.kind == "d":
                domain = domain or f"{current.schema}.{current.name}"
                modifier = current.modifier if current.modifier >= 0 else modifier
                current = self._types[current.base]
            elif current.is_array:
                arrays += 1
                current = self._types[current.element]
            else:
                break
        length, precision, scale = self._measures(current, modifier)
        return s.ColumnType(
            sql=spelled,
            name=current.name,
            schema=current.schema,
            kind=_KINDS[current.kind],
            arrays=arrays,
            length=length,
            precision=precision,
            scale=scale,
            domain=domain,
            subtype=current.subtype,
            labels=self._labels.get(current.oid, ()),
        )

    def forbids_null(self, oid: int) -> bool:
        """A domain, or the domain under it, may be NOT NULL although the column does not say so."""
        current = self._types[oid]
        while current.kind == "d":
            if current.not_null:
                return True
            current = self._types[current.base]
        return False

    def enums(self) -> tuple[s.Enum, ...]:
        found = (
            s.Enum(t.schema, t.name, self._labels.get(t.oid, ()), t.comment)
            for t in self._types.values()
            if t.kind == "e"
        )
        return tuple(sorted(found, key=lambda e: (e.schema, e.name)))

    def domains(self) -> tuple[s.Domain, ...]:
        found = (
            s.Domain(
                schema=t.schema,
                name=t.name,
                type=t.base_spelled or "",
                nullable=not t.not_null,
                default=t.default,
                checks=tuple(self._checks.get(t.oid, ())),
                comment=t.comment,
            )
            for t in self._types.values()
            if t.kind == "d" and t.schema != "information_schema"
        )
        return tuple(sorted(found, key=lambda d: (d.schema, d.name)))

    def composites(self) -> tuple[s.Composite, ...]:
        found = (
            s.Composite(t.schema, t.name, tuple((name, kind) for name, kind in self._fields.get(t.oid, ())), t.comment)
            for t in self._types.values()
            if t.kind == "c"
        )
        return tuple(sorted(found, key=lambda c: (c.schema, c.name)))

    def _measures(self, kind: _Type, modifier: int) -> tuple[int | None, int | None, int | None]:
        """(length, precision, scale) out of the type modifier, as format_type decodes it."""
        if modifier < 0 or kind.schema != "pg_catalog":
            return None, None, None
        if kind.name in _WITH_LENGTH:
            return modifier - _HEADER, None, None
        if kind.name in _WITH_BITS:
            return modifier, None, None
        if kind.name == "numeric":
            packed = modifier - _HEADER
            # Since 15 the scale is an 11-bit signed number; before it was 16 bits and never negative.
            scale = ((packed & 0x7FF) ^ 1024) - 1024 if self._server_version >= 150000 else packed & 0xFFFF
            return None, packed >> 16 & 0xFFFF, scale
        if kind.name in _WITH_PRECISION:
            precision = modifier & 0xFFFF
            return None, None if precision == _UNLIMITED else precision, None
        return None, None, None

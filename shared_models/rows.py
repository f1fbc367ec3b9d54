"""Which rows a principal sees: a small algebra of values, turned into SQL by `shared_models.resources`.

Rows.where(prt_cd=principal.value("prt_cd"))    Rows.through("customer")    Rows.all()    Rows.none()
Rows.where(act_fl="Y") & Rows.through("order")  Rows.by_kind(consumer=…, account=…, staff=Rows.all())
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """A value of whoever calls: its code, or one of the named values registered for it; None when it has none."""

    name: str | None = None


class _PrincipalReferences:
    """Stands for whoever calls, where a contract says which rows are theirs."""

    code = Reference()

    def value(self, name: str) -> Reference:
        """A value registered for the caller, such as the legacy app's own code for it."""
        return Reference(name)


principal = _PrincipalReferences()

Condition = str | int | bool | Reference
KINDS = ("consumer", "account", "staff")


class Rows:
    """Build with the static methods; combine with `&` and `|`."""

    @staticmethod
    def all() -> Rows:
        """Every row, for everybody who has the scope."""
        return AllRows()

    @staticmethod
    def none() -> Rows:
        return NoRows()

    @staticmethod
    def where(conditions: Mapping[str, Condition] | None = None, /, **columns: Condition) -> Rows:
        """Rows whose columns equal these values. A name that is no identifier goes into the mapping."""
        return Where(tuple({**(conditions or {}), **columns}.items()))

    @staticmethod
    def through(parent: str) -> Rows:
        """Rows whose parent, in the field of this name, the principal sees."""
        return Through(parent)

    @staticmethod
    def by_kind(*, consumer: Rows | None = None, account: Rows | None = None, staff: Rows | None = None) -> Rows:
        """A rule for each kind of principal; a kind that is not named sees nothing."""
        return ByKind(consumer or NoRows(), account or NoRows(), staff or NoRows())

    def parts(self) -> Iterator[Rows]:
        """The rules it is made of, or itself."""
        yield self

    def columns(self) -> set[str]:
        """The columns of the resource's own table that the rule looks at; `through` a parent aside."""
        return {name for part in self.parts() if isinstance(part, Where) for name, _ in part.conditions}

    def __and__(self, other: Rows) -> Rows:
        return Both(self, other)

    def __or__(self, other: Rows) -> Rows:
        return Either(self, other)


@dataclass(frozen=True, slots=True)
class AllRows(Rows):
    pass


@dataclass(frozen=True, slots=True)
class NoRows(Rows):
    pass


@dataclass(frozen=True, slots=True)
class Where(Rows):
    conditions: tuple[tuple[str, Condition], ...]


@dataclass(frozen=True, slots=True)
class Through(Rows):
    parent: str


@dataclass(frozen=True, slots=True)
class ByKind(Rows):
    consumer: Rows
    account: Rows
    staff: Rows

    def parts(self) -> Iterator[Rows]:
        for rule in (self.consumer, self.account, self.staff):
            yield from rule.parts()


@dataclass(frozen=True, slots=True)
class Both(Rows):
    left: Rows
    right: Rows

    def parts(self) -> Iterator[Rows]:
        yield from self.left.parts()
        yield from self.right.parts()


@dataclass(frozen=True, slots=True)
class Either(Rows):
    left: Rows
    right: Rows

    def parts(self) -> Iterator[Rows]:
        yield from self.left.parts()
        yield from self.right.parts()


def implied(rule: Rows, kind: str) -> dict[str, Condition]:
    """What every row of a principal of this kind holds in these columns: a new one gets it without being asked."""
    match rule:
        case Where(conditions):
            return dict(conditions)
        case ByKind():
            rules = {"consumer": rule.consumer, "account": rule.account, "staff": rule.staff}
            return implied(rules.get(kind, NoRows()), kind)
        case Both(left, right):
            return {**implied(left, kind), **implied(right, kind)}
        case Either(left, right):
            one, other = implied(left, kind), implied(right, kind)
            return {name: value for name, value in one.items() if name in other and other[name] == value}
        case _:
            return {}

"""From rows of the catalogs to the parts of a table: constraints, indexes, triggers, rules, policies, privileges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared_models import catalog_queries as queries
from shared_models import snapshot as s
from shared_models.digests import body_digest

Row = tuple[Any, ...]
Rows = Callable[..., list[Row]]
Names = dict[int, dict[int, str]]  # of columns, by relation's oid and column's number

_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_RULE_EVENTS = {"1": "select", "2": "update", "3": "insert", "4": "delete"}
_POLICY_COMMANDS = {"r": "select", "a": "insert", "w": "update", "d": "delete", "*": "all"}
_FIRES: Mapping[str, s.Fires] = {"O": "origin", "R": "replica", "A": "always", "D": "never"}
_TRIGGER_EVENTS = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}
_VOLATILITIES: Mapping[str, Any] = {"i": "immutable", "s": "stable", "v": "volatile"}
_PROVIDERS: Mapping[str, Any] = {"c": "libc", "i": "icu", "b": "builtin"}


class Parts:
    """Runs one query for each kind of part, and gives a table's share of it by the table's oid."""

    def __init__(self, rows: Rows, names: Names) -> None:
        self._names = names
        self._constraints = _by_relation(rows(queries.CONSTRAINTS))
        self._indexes = _by_relation(rows(queries.INDEXES))
        self._operator_classes: dict[int, str] = dict(rows(queries.OPERATOR_CLASSES))
        self._triggers = _by_relation(rows(queries.TRIGGERS))
        self._rules = _by_relation(rows(queries.RULES))
        self._policies = _by_relation(rows(queries.POLICIES))
        self._privileges = _by_relation(rows(queries.PRIVILEGES))
        self._parents = _by_relation(rows(queries.INHERITANCE))

    def primary_key(self, relation: int) -> s.Unique | None:
        return next((self._unique(relation, row) for row in self._of_kind(relation, "p")), None)

    def uniques(self, relation: int) -> tuple[s.Unique, ...]:
        return tuple(self._unique(relation, row) for row in self._of_kind(relation, "u"))

    def foreign_keys(self, relation: int) -> tuple[s.ForeignKey, ...]:
        return tuple(self._foreign_key(relation, row) for row in self._of_kind(relation, "f"))

    def checks(self, relation: int) -> tuple[s.Check, ...]:
        return tuple(
            s.Check(
                name=row[1],
                expression=row[10],
                columns=self._columns(relation, row[3]),
                validated=row[6],
                enforced=row[7],
                inherited=not row[9],
            )
            for row in self._of_kind(relation, "c")
        )

    def exclusions(self, relation: int) -> tuple[s.Exclusion, ...]:
        return tuple(s.Exclusion(row[1], row[11]) for row in self._of_kind(relation, "x"))

    def indexes(self, relation: int) -> tuple[s.Index, ...]:
        return tuple(self._index(relation, row) for row in self._indexes.get(relation, ()))

    def triggers(self, relation: int) -> tuple[s.Trigger, ...]:
        return tuple(self._trigger(relation, row) for row in self._triggers.get(relation, ()))

    def rules(self, relation: int) -> tuple[s.Rule, ...]:
        rows = self._rules.get(relation, ())
        return tuple(s.Rule(row[1], _RULE_EVENTS[row[2]], row[3], row[4], _FIRES[row[5]]) for row in rows)

    def policies(self, relation: int) -> tuple[s.Policy, ...]:
        rows = self._policies.get(relation, ())
        return tuple(s.Policy(r[1], _POLICY_COMMANDS[r[2]], r[3], tuple(sorted(r[4])), r[5], r[6]) for r in rows)

    def privileges(self, relation: int) -> tuple[s.Privilege, ...]:
        rows = sorted(self._privileges.get(relation, ()), key=lambda row: (row[1], row[2], row[3] or ""))
        return tuple(s.Privilege(*row[1:]) for row in rows)

    def parents(self, relation: int) -> tuple[tuple[str, str], ...]:
        return tuple((row[1], row[2]) for row in self._parents.get(relation, ()))

    def _of_kind(self, relation: int, kind: str) -> list[Row]:
        return [row for row in self._constraints.get(relation, ()) if row[2] == kind]

    def _columns(self, relation: int, numbers: Sequence[int] | None) -> tuple[str, ...]:
        names = self._names[relation]
        return tuple(names[number] for number in numbers or () if number > 0)

    def _unique(self, relation: int, row: Row) -> s.Unique:
        return s.Unique(
            name=row[1],
            columns=self._columns(relation, row[3]),
            deferrable=row[4],
            nulls_distinct=row[12],
            initially=_initially(row[5]),
            overlaps=not row[8],
        )

    def _foreign_key(self, relation: int, row: Row) -> s.ForeignKey:
        return s.ForeignKey(
            name=row[1],
            columns=self._columns(relation, row[3]),
            target_schema=row[13],
            target_table=row[14],
            target_columns=tuple(row[19]),
            on_update=_ACTIONS[row[15]],
            on_delete=_ACTIONS[row[16]],
            deferrable=row[4],
            validated=row[6],
            enforced=row[7],
            initially=_initially(row[5]),
            match="full" if row[17] == "f" else "simple",
            clears=self._columns(relation, row[18]),
            period=row[8],
        )

    def _index(self, relation: int, row: Row) -> s.Index:
        _, name, method, numbers, key_length, unique, valid, nulls_distinct, predicate, definition, classes = row
        names = [self._names[relation].get(number) for number in numbers]
        special = tuple(self._operator_classes.get(oid) for oid in classes)
        return s.Index(
            name=name,
            columns=tuple(names[:key_length]),
            method=method,
            unique=unique,
            include=tuple(filter(None, names[key_length:])),
            predicate=predicate,
            definition=definition,
            valid=valid,
            nulls_distinct=nulls_distinct,
            operator_classes=special if any(special) else (),
        )

    def _trigger(self, relation: int, row: Row) -> s.Trigger:
        """`tgtype` is a bit set: see TRIGGER_TYPE_* in PostgreSQL's pg_trigger.h."""
        _, name, bits, fires, function, definer, condition, columns, arguments, deferred = row
        return s.Trigger(
            name=name,
            timing="before" if bits & 2 else "instead of" if bits & 64 else "after",
            events=tuple(event for bit, event in _TRIGGER_EVENTS.items() if bits & bit),
            each="row" if bits & 1 else "statement",
            function=function,
            security_definer=definer,
            fires=_FIRES[fires],
            condition=condition,
            columns=self._columns(relation, columns),
            arguments=tuple(bytes(arguments).decode("utf-8", "replace").split("\0")[:-1]),
            constraint=None if deferred is None else _initially(deferred),
        )


def collation(row: Row) -> s.Collation:
    schema, name, provider, locale, deterministic = row
    return s.Collation(schema, name, _PROVIDERS[provider], locale or "", deterministic)


def sequence(row: Row) -> s.Sequence:
    schema, name, kind, start, increment, minimum, maximum, cycle, *owner = row
    owned_by = (owner[0], owner[1], owner[2]) if all(owner) else None
    return s.Sequence(schema, name, kind, start, increment, minimum, maximum, cycle, owned_by)


def function(row: Row) -> s.Function:
    schema, name, arguments, result, language, definer, volatility, is_open, source, sql_body = row
    return s.Function(
        schema=schema,
        name=name,
        arguments=arguments,
        result=result,
        language=language,
        security_definer=definer,
        volatility=_VOLATILITIES[volatility],
        open=is_open,
        digest=body_digest(source, sql_body),
    )


def _initially(deferred: bool) -> s.Initially:
    return "deferred" if deferred else "immediate"


def _by_relation(rows: list[Row]) -> Mapping[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped

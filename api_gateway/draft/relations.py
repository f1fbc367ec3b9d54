"""Parents and children: from declared foreign keys, from what views pass on, and proposed from matching names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from api_gateway.draft.names import LONGEST
from api_gateway.draft.plan import TableName
from api_gateway.draft.sample import Link, Sample
from api_gateway.draft.words import expanded, singular, words
from shared_models.snapshot import Column, ForeignKey, Snapshot, Table

_REFERENCE_WORDS = frozenset(
    ["cd", "code", "fk", "gid", "guid", "id", "key", "no", "nr", "num", "number", "pk", "ref", "uid", "uuid"]
)
# Names that many tables give to their own key: equal names say nothing.
_COMMON = frozenset(
    ["cd", "code", "guid", "id", "key", "kind", "name", "no", "nr", "num", "number", "pk", "type", "uid", "uuid"]
)
_FAMILIES = (
    frozenset({"int2", "int4", "int8", "numeric", "oid"}),
    frozenset({"text", "varchar", "bpchar", "citext", "name"}),
)
_SHORT = 4  # letters of an abbreviation
_ENOUGH = 0.9  # of the sampled values that must be found for a relation to be proposed


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns that point to columns of another table. `name` is the foreign key's."""

    name: str
    columns: tuple[str, ...]
    target: TableName
    target_columns: tuple[str, ...]

    @property
    def ends(self) -> tuple[object, ...]:
        return self.columns, self.target, self.target_columns


def references(table: Table, snapshot: Snapshot) -> tuple[Reference, ...]:
    """The table's foreign keys, in the order of their names; for a view those of the base columns that it shows.

    Not those over a period: their rows are found by overlap, not by equality.
    """
    if table.is_view:
        return tuple(_passed_on(table, snapshot))
    own = tuple(_reference(key) for key in table.foreign_keys if not key.period)
    return (*own, *_common_to_partitions(table, snapshot, own)) if table.kind == "partitioned table" else own


def _reference(key: ForeignKey) -> Reference:
    return Reference(key.name, key.columns, (key.target_schema, key.target_table), key.target_columns)


def _common_to_partitions(table: Table, snapshot: Snapshot, own: Iterable[Reference]) -> Iterator[Reference]:
    """Foreign keys that every partition declares for itself hold for the whole table too."""
    name = (table.schema, table.name)
    partitions = [partition for partition in snapshot.tables if partition.partition_of == name]
    known = {reference.ends for reference in own}
    shared = [{_reference(key).ends for key in partition.foreign_keys} for partition in partitions]
    for key in partitions[0].foreign_keys if partitions else ():
        ends = _reference(key).ends
        if not key.period and ends not in known and all(ends in each for each in shared):
            known.add(ends)
            yield _reference(key)


def _passed_on(view: Table, snapshot: Snapshot) -> Iterator[Reference]:
    shown: dict[TableName, dict[str, list[str]]] = {}
    for column in view.columns:
        if column.origin is not None:
            schema, name, base = column.origin
            shown.setdefault((schema, name), {}).setdefault(base, []).append(column.name)
    for origin, columns in sorted(shown.items()):
        table = snapshot.table(*origin)
        for key in table.foreign_keys if table is not None else ():
            if key.period:
                continue
            passed = [columns.get(name, []) for name in key.columns]
            # A base column that a view shows twice may come from two joins: pairs of columns could be mixed up.
            if len(passed) == 1 or all(len(names) == 1 for names in passed):
                target = (key.target_schema, key.target_table)
                for columns_here in zip(*passed, strict=True):
                    yield Reference(key.name, columns_here, target, key.target_columns)


def relation_name(reference: Reference, is_free: Callable[[str], bool], *, is_only: bool) -> str:
    """`cust_no` → `customer`, `ParentID` → `parent`, `users_id` → `user`; else the target's name, else both.

    `is_only`: no other reference of the table goes to this target. Of two, `created_by` and `approved_by`, neither
    may take the target's bare name.
    """
    target = expanded(words(reference.target[1])) or ["table"]
    noun = "_".join([*target[:-1], singular(target[-1])])
    column = "_".join(expanded(words(reference.columns[-1])))
    stem = "_".join(_stem(reference.columns[0])) if len(reference.columns) == 1 else ""
    longer = f"{column}_{noun}" if column != noun else f"{column}_row"
    takes_noun = is_only or len(reference.columns) > 1 or not is_distinctive(reference.columns[0])
    if is_only and len(stem) <= _SHORT and noun.startswith(stem):
        stem = noun  # `sup_no` of supplier
    one = noun if stem == "_".join(target) else ""  # `users_id` of users
    role = stem if stem != column else _unglued(column, noun)
    both = f"{stem}_{noun}" if stem not in ("", column) and not stem.endswith(noun) else ""
    for candidate in (one, role, noun if takes_noun else "", both):
        if candidate.isidentifier() and is_free(candidate[:LONGEST]):
            return candidate[:LONGEST]
    return (longer if longer.isidentifier() else f"c_{longer}")[:LONGEST]


def _unglued(column: str, noun: str) -> str:
    """`tocurrencycode` of currency → `tocurrency`: a reference word at the end of what is no several words."""
    ends = (column.removesuffix(word) for word in _REFERENCE_WORDS if column.endswith(word))
    return next((stem for stem in sorted(ends, key=len) if stem.endswith(noun) and stem != noun), "")


def _stem(column: str) -> list[str]:
    """The words of a column without those that only say "reference"."""
    parts = words(column)
    while parts and parts[-1] in _REFERENCE_WORDS:
        parts.pop()
    if parts and len(parts[-1]) > 4 and parts[-1].endswith("id"):
        parts[-1] = parts[-1][:-2]
    return expanded(parts)


def is_composition(table: Table, reference: Reference, target: Table) -> bool:
    """Are the rows part of their parent, like the lines of an order: is its key the head of theirs?"""
    key, columns = table.primary_key, reference.columns
    if target.is_view or not key or reference.target_columns != target.primary_key:
        return False
    rest = key[len(columns) :]
    linking = {name for other in table.foreign_keys for name in other.columns if other.columns != columns}
    return key[: len(columns)] == columns and bool(rest) and not set(rest) & linking


def possible_links(tables: Iterable[Table]) -> tuple[Link, ...]:
    """Columns without a foreign key whose name is that of another table's key, or of the table with `_id` behind."""
    drafted = [table for table in tables if not table.is_view]
    owners = _Owners(drafted)
    return tuple(link for table in drafted for link in _links_of(table, owners))


class _Owners:
    """Tables with a key of one column, to be found by that column's name and by the table's."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._by_key: dict[str, list[tuple[Table, Column]]] = {}
        self._by_noun: dict[str, list[tuple[Table, Column]]] = {}
        for table in tables:
            key = table.column(table.primary_key[0]) if len(table.primary_key) == 1 else None
            # A key that points elsewhere itself belongs to an extension of the table it points to.
            if key is not None and not any(key.name in foreign.columns for foreign in table.foreign_keys):
                self._by_key.setdefault(key.name.lower(), []).append((table, key))
                self._by_noun.setdefault(_noun(table), []).append((table, key))

    def of(self, column: Column) -> tuple[Table, Column] | None:
        """The one table whose key a column of this name would hold."""
        stem = "_".join(map(singular, _stem(column.name)))
        found = self._by_key.get(column.name.lower(), []) if is_distinctive(column.name) else []
        if len(found) > 1:
            found = [owner for owner in found if _noun(owner[0]) == stem]
        if len(found) != 1 and _says_reference(column.name):
            found = self._by_noun.get(stem, [])
        return found[0] if len(found) == 1 else None


def _noun(table: Table) -> str:
    return "_".join(map(singular, expanded(words(table.name))))


def _links_of(table: Table, owners: _Owners) -> Iterator[Link]:
    declared = {name for key in table.foreign_keys for name in key.columns}
    for column in table.columns:
        if column.name in declared or (column.name,) == table.primary_key or column.type.is_array:
            continue
        owner = owners.of(column)
        if owner is None or owner[0] is table or (owner[0].schema, owner[0].name) in table.inherits:
            continue
        if comparable(column, owner[1]):
            target, key = owner
            yield Link((table.schema, table.name), column.name, (target.schema, target.name), key.name)


def is_distinctive(column: str) -> bool:
    """May two tables that both have a column of this name be thought to mean the same?"""
    return "_".join(words(column)) not in _COMMON


def _says_reference(column: str) -> bool:
    """`cust_no`, `hostid`: does the name itself say that it points somewhere?"""
    parts = words(column)
    return bool(set(parts) & _REFERENCE_WORDS) or "_".join(expanded(parts)) != "_".join(_stem(column))


def evidence(link: Link, sample: Sample) -> str | None:
    """Why a link is worth proposing, or None when the rows speak against it.

    A name like `description` is reason enough only together with the values.
    """
    telling = _says_reference(link.column)
    if link.place not in sample.found:
        return "no foreign key; the names match, no rows were read" if telling else None
    found = sample.found[link.place]
    if found.of == 0:
        return "no foreign key; the names match, there are no values to compare" if telling else None
    if found.there < _ENOUGH * found.of:
        return None
    none = f"; {found.none!r} stands for none" if found.none is not None else ""
    key = f"{'.'.join(link.target)}.{link.key}"
    return f"no foreign key; {found.there:,} of {found.of:,} sampled values are in {key}{none}"


def comparable(left: Column, right: Column) -> bool:
    """May SQL compare the two as they are?"""
    if left.type.is_array or right.type.is_array:
        return False
    names = {left.type.name, right.type.name}
    same = (left.type.schema, left.type.name) == (right.type.schema, right.type.name)
    return same or any(names <= family for family in _FAMILIES)

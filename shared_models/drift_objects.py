"""What changed in types, sequences, collations and functions. Whole types come and go with the columns of them."""

from __future__ import annotations

from collections.abc import Iterator

from shared_models.differences import Drift, Kind, listed, pairs, verb
from shared_models.snapshot import Collation, Composite, Domain, Enum, Function, Sequence, Snapshot

Found = Iterator[tuple[Kind, str]]
_Placed = Enum | Domain | Composite | Collation | Sequence


def objects(old: Snapshot, new: Snapshot) -> Iterator[Drift]:
    for name, before, after in pairs(old.enums, new.enums, _place):
        if before is not None and after is not None:
            yield from _told(name, _enum(before, after))
    for name, before, after in pairs(old.domains, new.domains, _place):
        if before is not None and after is not None:
            yield from _told(name, _domain(before, after))
    for name, before, after in pairs(old.composites, new.composites, _place):
        if before is not None and after is not None:
            yield from _told(name, _composite(before, after))
    for name, before, after in pairs(old.collations, new.collations, _place):
        if before is not None and after is not None and before != after:
            yield from _told(name, iter([("additive", f"collation {name[1]} sorts or compares differently")]))
    for name, before, after in pairs(old.sequences, new.sequences, _place):
        if before != after:
            yield from _told(name, iter([("additive", f"sequence {name[1]} {verb(before, after)}")]))
    for name, before, after in pairs(old.functions, new.functions, lambda f: (f.schema, f.name, f.arguments)):
        yield from _told(name[:2], _function(before, after))


def _place(part: _Placed) -> tuple[str, str]:
    return part.schema, part.name


def _told(place: tuple[str, str], found: Found) -> Iterator[Drift]:
    return (Drift(kind, place[0], None, None, message) for kind, message in found)


def _enum(old: Enum, new: Enum) -> Found:
    lost = [label for label in old.labels if label not in new.labels]
    added = [label for label in new.labels if label not in old.labels]
    if lost:
        yield "breaking", f"enum {new.name} lost {listed(map(repr, lost))}"
    if added:
        yield "additive", f"enum {new.name} gained {listed(map(repr, added))}"
    if not lost and not added and old.labels != new.labels:
        yield "additive", f"enum {new.name} has another order: it sorts differently"
    if old.comment != new.comment:
        yield "additive", f"enum {new.name}: comment changed"


def _domain(old: Domain, new: Domain) -> Found:
    if old.checks != new.checks:
        yield "additive", f"domain {new.name} allows other values"
    if old.default != new.default:
        yield "additive", f"domain {new.name}: default was {old.default}, is {new.default}"
    if old.comment != new.comment:
        yield "additive", f"domain {new.name}: comment changed"


def _composite(old: Composite, new: Composite) -> Found:
    for name, before, after in pairs(old.fields, new.fields, lambda field: field[0]):
        if before is None:
            yield "additive", f"type {new.name} has a new field {name}"
        elif after is None:
            yield "breaking", f"type {new.name}: field {name} gone"
        elif before != after:
            yield "breaking", f"type {new.name}: field {name} was {before[1]}, is {after[1]}"
    if [n for n, _ in old.fields if n in dict(new.fields)] != [n for n, _ in new.fields if n in dict(old.fields)]:
        yield "additive", f"type {new.name}: fields stand in another order"
    if old.comment != new.comment:
        yield "additive", f"type {new.name}: comment changed"


def _function(old: Function | None, new: Function | None) -> Found:
    """One that is new or gone was called, or is called, by something that changed and says so itself."""
    if old is None or new is None:
        return
    if old.security_definer != new.security_definer:
        rights = "its owner's" if new.security_definer else "the caller's"
        yield "additive", f"function {new.name} runs with {rights} rights now"
    if old.open and not new.open:
        yield "breaking", f"function {new.name} may no longer be executed by everybody: what calls it is refused"
    if new.open and not old.open:
        yield "additive", f"function {new.name} may be executed by everybody now"
    if (old.digest, old.language) != (new.digest, new.language):
        yield "additive", f"function {new.name} has another body"
    if (old.result, old.volatility) != (new.result, new.volatility):
        yield "additive", f"function {new.name} was {old.volatility} and gave {old.result}, {_gives(new)}"


def _gives(function: Function) -> str:
    return f"is {function.volatility} and gives {function.result}"

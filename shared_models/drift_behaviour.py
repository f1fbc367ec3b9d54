"""How a table or view behaves: triggers, rules, row security, what a view shows and lets be written."""

from __future__ import annotations

from collections.abc import Iterator

from shared_models.differences import Kind, listed, pairs, verb
from shared_models.snapshot import Policy, Query, Table

Found = Iterator[tuple[Kind, str]]


def behaviour(old: Table, new: Table) -> Found:
    for what, parts in (("trigger", "triggers"), ("rule", "rules")):
        for name, before, after in pairs(getattr(old, parts), getattr(new, parts), lambda part: part.name):
            if before != after:
                yield "additive", f"{what} {name} {verb(before, after)}"
    yield from _row_security(old, new)
    yield from _view(old, new)
    yield from _storage(old, new)
    if old.comment != new.comment:
        yield "additive", "comment changed"
    if old.privileges != new.privileges:
        yield "additive", "privileges of other roles changed"
    if old.extension != new.extension:
        yield "additive", f"belonged to extension {old.extension}, belongs to {new.extension}"


def _row_security(old: Table, new: Table) -> Found:
    if old.row_security != new.row_security:
        kind: Kind = "additive" if new.row_security is None else "breaking"
        yield kind, f"row security was {old.row_security or 'off'}, is {new.row_security or 'off'}"
    for name, before, after in pairs(old.policies, new.policies, lambda policy: policy.name):
        if before != after:
            hides = new.row_security is not None and not _shows_more(before, after)
            yield ("breaking" if hides else "additive"), f"policy {name} {verb(before, after)}"


def _shows_more(before: Policy | None, after: Policy | None) -> bool:
    """A new permissive policy, or a restrictive one that is gone: no row is lost by it."""
    if before is None:
        return after is not None and after.permissive
    return after is None and not before.permissive


def _view(old: Table, new: Table) -> Found:
    if old.reads != new.reads:
        yield "additive", f"reads {_relations(new)}, read {_relations(old)}"
    lost = [write for write in old.accepts if write not in new.accepts]
    gained = [write for write in new.accepts if write not in old.accepts]
    if lost:
        yield "breaking", f"takes no {listed(lost)} any more"
    if gained:
        yield "additive", f"takes {listed(gained)} now"
    if old.query is not None and new.query is not None:
        yield from _query(old.query, new.query)


def _query(old: Query, new: Query) -> Found:
    if old.digest != new.digest:
        yield "additive", "the view's query changed: it may show other rows"
    if old.security_invoker != new.security_invoker:
        if new.security_invoker:
            yield "breaking", "readers need privileges on what the view reads now (security_invoker)"
        else:
            yield "additive", "the view reads with its owner's privileges now"
    if old.check_option != new.check_option:
        kind: Kind = "additive" if new.check_option is None else "breaking"
        yield kind, f"check option was {old.check_option or 'off'}, is {new.check_option or 'off'}"
    if old.security_barrier != new.security_barrier:
        yield "additive", f"security barrier is {'on' if new.security_barrier else 'off'} now"


def _storage(old: Table, new: Table) -> Found:
    partitioning = [(t.partition_key, t.partition_of, t.partition_bound, t.inherits) for t in (old, new)]
    if partitioning[0] != partitioning[1]:
        yield "additive", "partitioning or inheritance changed"
    if old.unlogged != new.unlogged:
        yield "additive", "a crash empties it now" if new.unlogged else "it survives a crash now"
    if old.server != new.server:
        yield "additive", f"foreign server was {old.server}, is {new.server}"


def _relations(table: Table) -> str:
    return listed(".".join(name) for name in table.reads)

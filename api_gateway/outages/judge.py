"""What of the contract, its operations and the routes does not fit the live schema: exactly that is out of service.

A resource is judged by binding it to the live schema; an operation or a mimic by what it declares to touch, compared
with the committed snapshot, for which it was written. One that declares nothing is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from api_gateway.api.contract import Contract, Served, contract_modules
from api_gateway.api.operations import operation_of
from api_gateway.ledger import Outage, Reason
from api_gateway.outages.look import Place, Rights
from api_gateway.project import Project
from shared_models.binding import bind_what_fits, classes_of, own_columns
from shared_models.drift import is_compatible
from shared_models.grants import Columns, inserted, place_of, read_for_the_journal, touches_of, updated
from shared_models.places import Places
from shared_models.resources import BoundResource, Finding, Resources
from shared_models.snapshot import Column, Snapshot, Table


@dataclass(frozen=True, slots=True)
class Judgement:
    """`versions`: each version of the contract as it can be served; `outages`: what is out of service, and why."""

    versions: Mapping[str, Served]
    outages: tuple[Outage, ...] = ()

    @classmethod
    def whole(cls, contract: Contract) -> Judgement:
        return cls({version.version: Served(version.resources) for version in contract.versions})

    @property
    def routes(self) -> frozenset[str]:
        """The routes whose mimic cannot be run."""
        return frozenset(outage.name for outage in self.outages if outage.subject == "route")

    def is_as(self, other: Judgement) -> bool:
        """Would the same be served?"""
        same = all(one.resources is other.versions[name].resources for name, one in self.versions.items())
        return same and self.outages == other.outages


def places_of(project: Project, contract: Contract) -> frozenset[Place]:
    """Every table that resources, operations and mimics use, whether the schema has it or not."""
    modules = contract_modules(project).values()
    definitions = (cls.__definition__ for module in modules for cls in classes_of(module))
    places = {(one.schema, one.table) for one in definitions if one is not None}
    mimics = [route.mimic for route in project.routes.values() if route.mimic is not None]
    for touches in touches_of([*contract.every_operation, *mimics]):
        for names in (touches.select, touches.insert, touches.update, touches.delete):
            places |= {place_of(name) for name in names}
    return frozenset(places)


def judge(project: Project, contract: Contract, before: Snapshot, live: Snapshot, rights: Rights | None) -> Judgement:
    """Compare `before`, the committed snapshot to which `contract` is bound, with the live schema.

    rights  what our role may do; None: its rights are another role's business, and not looked at.
    """
    changes = _Changes(before, live, rights)
    modules = contract_modules(project)
    versions: dict[str, Served] = {}
    outages: list[Outage] = []
    for version in contract.versions:
        resources = _fitting(project, modules[version.version], version, before, live, rights)
        named = "" if version is contract else f"{version.version}/"  # of the project's own version as ever
        missing = [(path, _reasons(findings)) for path, findings in sorted(resources.unavailable.items())]
        outages += [Outage("resource", f"{named}{name}", reasons) for name, reasons in (*missing, *_parts(resources))]
        broken = dict(_operations(version, resources, changes))
        outages += [Outage("operation", f"{named}{name}", reasons) for name, reasons in broken.items()]
        versions[version.version] = Served(resources, frozenset(broken))
    outages += [
        Outage("route", route.name, _sorted(reasons))
        for route in project.routes.values()
        if route.mimic is not None and (reasons := {*changes.of(route.mimic)})
    ]
    if not outages and all(before.table(*place) == live.table(*place) for place in places_of(project, contract)):
        return Judgement.whole(contract)  # as they are served already
    return Judgement(versions, tuple(outages))


def _fitting(
    project: Project, module: ModuleType, version: Contract, before: Snapshot, live: Snapshot, rights: Rights | None
) -> Resources:
    unfit = dict.fromkeys(version.resources.findings())

    def besides(resources: Resources) -> Iterator[Finding]:
        yield from unfit  # what did not fit the snapshot has no place in the frozen API document either
        yield from _out_of_reach(resources, before, rights)

    return bind_what_fits(module, live, zone=project.configuration.api.time_zone, besides=besides)


def _parts(resources: Resources) -> Iterator[tuple[str, tuple[Reason, ...]]]:
    """What of a resource is out while the rest of it is served: `orders create`, `orders include=customer`."""
    for resource in resources:
        name = resource.path or resource.name
        for verb, findings in resource.stopped.items():
            yield f"{name} {verb}", _reasons(findings)
        for link, lost in sorted(resource.lost.items()):
            yield f"{name} include={link}", _reasons(lost.findings)


def _operations(
    contract: Contract, resources: Resources, changes: _Changes
) -> Iterator[tuple[str, tuple[Reason, ...]]]:
    """The names of those that cannot run, and why."""
    for handler in contract.operations:
        declared = operation_of(handler)
        reasons = {*changes.of(handler)}
        answer = declared.answer
        if answer is not None and resources.same(answer) is None and answer.__definition__ is not None:
            reasons |= {*_reasons(resources.unavailable.get(answer.__definition__.path or "", ()))}
        if reasons:
            yield declared.name, _sorted(reasons)


def _out_of_reach(resources: Resources, before: Snapshot, rights: Rights | None) -> Iterator[Finding]:
    """Resources that are bound and yet would not be answered, or not with all their rows."""
    places = Places()
    for resource in resources:
        table = resource.table
        for message in _unreadable(before.table(table.schema, table.name), table):
            yield places.finding(resource.cls, table.qualified, None, message)
        for need in _needed(resource, resources):
            if not _may(rights, need.place, need.column, need.privilege):
                where, message = ".".join(need.place), _lacking(need.privilege)
                yield places.finding(resource.cls, where, need.column, message, verbs=need.verbs, link=need.link)


@dataclass(frozen=True, slots=True)
class _Need:
    """A privilege; without it these verbs cannot be served, or this link; where neither is named, nothing of it."""

    place: Place
    column: str
    privilege: str
    verbs: tuple[str, ...] = ()
    link: str | None = None


def _needed(resource: BoundResource, resources: Resources) -> Iterator[_Need]:
    own = (resource.table.schema, resource.table.name)
    shown = own_columns(resource)
    yield from (_Need(own, column, "SELECT") for column in sorted(shown))
    for link in resource.links.values():
        target = resources.of(link.target)
        there = (target.table.schema, target.table.name)
        yield from (_Need(own, column, "SELECT", link=link.name) for column, _ in link.pairs if column not in shown)
        yield from (_Need(there, column, "SELECT", link=link.name) for _, column in link.pairs)
    for place, columns in inserted(resource, resources).items():
        yield from (_Need(place, column, "INSERT", ("create", "upsert")) for column in sorted(columns))
    is_soft = resource.soft_delete is not None
    changing = ("update", "upsert", *(("delete",) if is_soft else ()))
    yield from (_Need(own, column, "UPDATE", changing) for column in sorted(updated(resource)))
    if "delete" in resource.verbs and not is_soft:
        yield from (_Need(own, field.column.name, "DELETE", ("delete",)) for field in resource.key[:1])


def _lacking(privilege: str) -> str:
    return f"our role has no {privilege} on it"


def _unreadable(before: Table | None, live: Table) -> Iterator[str]:
    if not live.is_filled:
        yield "the materialized view was never filled"
    if before is not None and live.row_security != before.row_security and live.row_security is not None:
        yield "row security was switched on: rows would be missing without a word"


class _Changes:
    """What of the declared needs of a handler changed between two snapshots."""

    def __init__(self, before: Snapshot, live: Snapshot, rights: Rights | None) -> None:
        self._before, self._live, self._rights = before, live, rights

    def of(self, handler: Callable[..., Any]) -> Iterator[Reason]:
        for touches in touches_of([handler]):
            for privilege in ("SELECT", "INSERT", "UPDATE"):
                columns: Columns = getattr(touches, privilege.lower())
                for name, wanted in columns.items():
                    yield from self._of_table(place_of(name), privilege, wanted)
            for name in touches.delete:
                yield from self._of_table(place_of(name), "DELETE", ())
            for place, kept in read_for_the_journal(touches, self._before).items():
                yield from self._unread(place, kept)

    def _unread(self, place: Place, columns: Iterable[str]) -> Iterator[Reason]:
        """What is written and may not be read cannot be journalled, so it cannot be written."""
        live = self._live.table(*place)
        for column in sorted(columns):
            if live is not None and live.column(column) is not None and not _may(self._rights, place, column, "SELECT"):
                yield Reason(".".join(place), column, "our role has no SELECT on it, which the journal needs")

    def _of_table(self, place: Place, privilege: str, wanted: Sequence[str]) -> Iterator[Reason]:
        schema, name = place
        before, live = self._before.table(schema, name), self._live.table(schema, name)
        qualified = f"{schema}.{name}"
        if live is None:
            yield Reason(qualified, None, "there is no such table or view")
            return
        for message in _unreadable(before, live):
            yield Reason(qualified, None, message)
        for column in wanted:
            was, is_now = before.column(column) if before is not None else None, live.column(column)
            yield from (Reason(qualified, column, message) for message in _column_changes(privilege, was, is_now))
            if is_now is not None and not _may(self._rights, place, column, privilege):
                yield Reason(qualified, column, _lacking(privilege))
        if privilege == "INSERT":
            for added in _demanded(before, live, wanted):
                yield Reason(qualified, added, "new, not null and without a default: rows without it are refused")
        if privilege == "DELETE" and live.columns and not _may(self._rights, place, live.columns[0].name, privilege):
            yield Reason(qualified, None, _lacking("DELETE"))


def _may(rights: Rights | None, place: Place, column: str, privilege: str) -> bool:
    return rights is None or privilege in rights.get((*place, column), frozenset())


def _column_changes(privilege: str, before: Column | None, live: Column | None) -> Iterator[str]:
    if live is None:
        yield "there is no such column"
        return
    if before is None:
        return  # written for a schema that the snapshot does not know: nothing to compare with
    if not is_compatible(before.type, live.type):
        yield f"type was {before.type.sql}, is {live.type.sql}"
    if privilege == "SELECT" and live.nullable and not before.nullable:
        yield "may be null now"
    if privilege != "SELECT" and before.is_writable and not live.is_writable:
        yield "can no longer be written"


def _demanded(before: Table | None, live: Table, given: Iterable[str]) -> Iterator[str]:
    """Columns that an INSERT leaves out, and may not any more."""
    for column in live.columns:
        if column.nullable or column.has_default or column.name in given or live.is_view:
            continue
        known = before.column(column.name) if before is not None else None
        if known is None or known.nullable or known.has_default:
            yield column.name


def _reasons(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    reasons = {Reason(finding.table, finding.column, finding.message) for finding in findings}
    return _sorted(reasons)


def _sorted(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda one: (one.table, one.column or "", one.message)))

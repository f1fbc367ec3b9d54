"""What of a contract can be served although some of it does not fit the schema: no more is taken out than must be.

A resource goes out whole where its own documents could not be given, or where it cannot be said whose rows they are.
What merely leads to it loses that link: to include it, or to filter by it, is refused. What only stands against
writing stops the verbs concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared_models import contract as c
from shared_models.binder import api_name, link_marker, target_of
from shared_models.resources import BoundResource, Finding, Lost, Resources
from shared_models.rows import AllRows, Through

Found = dict[str, list[Finding]]
Broken = dict[type[c.Resource], tuple[Finding, ...]]
Target = tuple[type[c.Resource], c.Parent | c.Children]


def fitting(resources: Resources, findings: Iterable[Finding], classes: Iterable[type[c.Resource]]) -> Resources:
    """`classes`: all of the contract, bound or not."""
    by_name: Found = {}
    for finding in dict.fromkeys(findings):
        by_name.setdefault(finding.resource, []).append(finding)
    declared = {cls: _targets(cls) for cls in classes}
    out = _broken(by_name, declared, resources)
    served = {
        cls: _in_part(resource, by_name.get(cls.__name__, []), declared[cls], out)
        for cls, resource in resources.bound.items()
        if cls not in out
    }
    paths = {cls.__definition__.path: reasons for cls, reasons in out.items() if cls.__definition__ is not None}
    return Resources(served, {path: reasons for path, reasons in paths.items() if path is not None})


def _targets(cls: type[c.Resource]) -> dict[str, Target]:
    """What its links lead to, by the link's name, as the class says it: also of links that could not be bound."""
    found = {}
    for attribute, info in cls.model_fields.items():
        target, marker = target_of(info.annotation), link_marker(info)
        if target is not None and marker is not None:
            found[api_name(attribute, info)] = (target, marker)
    return found


def _broken(by_name: Found, declared: Mapping[type[c.Resource], Mapping[str, Target]], resources: Resources) -> Broken:
    """Resources that are out whole: those with a fault of their own, and those whose rows they decide about."""
    out: Broken = {}
    for cls in declared:
        whole = [finding for finding in by_name.get(cls.__name__, ()) if not finding.verbs and finding.link is None]
        if whole:
            out[cls] = tuple(whole)
    grows = True
    while grows:
        grows = False
        for cls, targets in declared.items():
            reasons = dict.fromkeys(out.get(cls, ()))
            for parent in _deciding(cls):
                target = targets.get(parent)
                reasons |= dict.fromkeys(out.get(target[0], ()) if target is not None else ())
                reasons |= dict.fromkeys(one for one in by_name.get(cls.__name__, ()) if one.link == parent)
            if len(reasons) > len(out.get(cls, ())):
                out[cls] = tuple(reasons)
                grows = True
    return out


def _deciding(cls: type[c.Resource]) -> list[str]:
    """The parents whose rows decide which of its own a principal sees."""
    definition = cls.__definition__
    rows = definition.rows if definition is not None else None
    return [part.parent for part in rows.parts() if isinstance(part, Through)] if rows is not None else []


def _in_part(
    resource: BoundResource, findings: list[Finding], targets: Mapping[str, Target], out: Broken
) -> BoundResource:
    """The resource without the links and the verbs that cannot be served; itself where all can."""
    lost = {}
    for name, (target, marker) in targets.items():
        reasons = (*(finding for finding in findings if finding.link == name), *out.get(target, ()))
        if reasons:
            lost[name] = _lost(target, marker, reasons)
    stopped: dict[str, tuple[Finding, ...]] = {
        verb: found
        for verb in resource.verbs
        if (found := tuple(finding for finding in findings if verb in finding.verbs))
    }
    if not lost and not stopped:
        return resource
    links = {name: link for name, link in resource.links.items() if name not in lost}
    return replace(resource, links=links, lost=lost, stopped=stopped)


def _lost(target: type[c.Resource], marker: c.Parent | c.Children, reasons: tuple[Finding, ...]) -> Lost:
    columns = frozenset(marker.columns) if isinstance(marker, c.Parent) else frozenset()
    definition = target.__definition__
    if definition is None:
        return Lost(None, columns, is_open=True, findings=reasons)
    is_open = (definition.rows is None or isinstance(definition.rows, AllRows)) and definition.soft_delete is None
    return Lost(definition.scope, columns, is_open, reasons)

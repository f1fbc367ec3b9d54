"""Names of the schemas in an API's document: those that it has anyway, and those that each resource brings.

A class of the contract must take none of them: the schemas of two things under one name would be one schema, and
generated clients would read the rows of one as those of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared_models.resources import BoundResource, Link

RESERVED = frozenset({"Caller", "FieldError", "Job", "Problem", "SignIn", "SignOut", "Tokens"})
"""Schemas of refusals, jobs and signing in."""


def shapes_of_reads(resource: str) -> frozenset[str]:
    """What every resource brings besides its rows: `Order` → `SparseOrder`, `OrderPage`, `OrderFilter`."""
    return frozenset({f"Sparse{resource}", f"{resource}Page", f"{resource}Filter"})


def body_of_child(link: Link, resource: BoundResource, resources: Mapping[type, BoundResource]) -> str:
    """What a new row's body calls the body of a child in it: `NewLine`, or `NewLineOfOrder` where lines have others."""
    target = resources[link.target]
    is_created = bool({"create", "upsert"}.intersection(target.verbs))
    writers = [one for one in resources.values() for other in one.written_links if other.target is link.target]
    return f"New{target.name}" if len(writers) == 1 and not is_created else f"New{target.name}Of{resource.name}"


def clashes(resources: Mapping[type, BoundResource]) -> Iterator[tuple[BoundResource, str]]:
    """(resource, why) of each whose schemas would take the place of others. Of two resources the later is named."""
    taken: dict[str, str] = {}
    classes: dict[str, BoundResource] = {}
    for resource in resources.values():
        if resource.name in classes:
            yield resource, _called_the_same(resource, classes[resource.name], resources)
            continue
        classes[resource.name] = resource
        if resource.name in RESERVED:
            yield resource, "the API's document has something of its own of this name; the class needs another"
        names = {resource.name} | _shapes(resource, resources)
        for name in sorted(names & taken.keys()):
            told = f"{taken[name]} has a schema {name} in the API's document already; the class needs another name"
            yield resource, told
        taken = dict.fromkeys(names, resource.name) | taken


def _called_the_same(resource: BoundResource, first: BoundResource, resources: Mapping[type, BoundResource]) -> str:
    """Mostly a class of the first version, to which something leads that the second one imports."""
    told = f"{first.cls.__module__} has a class {resource.name} as well"
    ways = [
        f"{one.name}.{link.attribute}"
        for one in resources.values()
        for link in one.links.values()
        if link.target is resource.cls
    ]
    return f"{told}; {', '.join(ways)} of {resource.cls.__module__} leads to this one" if ways else told


def _shapes(resource: BoundResource, resources: Mapping[type, BoundResource]) -> frozenset[str]:
    name = resource.name
    found = set(shapes_of_reads(name))
    if {"create", "upsert"}.intersection(resource.verbs):
        links = (link for link in resource.written_links if link.target in resources)
        found |= {f"New{name}", *(body_of_child(link, resource, resources) for link in links)}
    bodies = (("create", "Batch"), ("upsert", "Put"), ("update", "Patch"))
    found |= {f"{name}{word}" for verb, word in bodies if verb in resource.verbs}
    if resource.aggregates is not None:
        parts = ("Group", "Groups", "GroupBy", *(f"Group{one.capitalize()}" for one in resource.aggregates.functions))
        found |= {f"{name}{part}" for part in parts}
    return frozenset(found)

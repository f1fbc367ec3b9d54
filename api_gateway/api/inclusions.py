"""What comes along: `include`, the `fields` of it, and of children which, in what order and how many.

    include=customer,lines.item    fields=number,customer.name
    lines.where=(quantity[gte]=3)  lines.sort=-amount  lines.limit=5

Who says something about a parent or children includes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from api_gateway.api.filters import Fault, Names, Values, where_of
from api_gateway.api.shapes import Included, Node
from api_gateway.api.sorting import sorts_of
from shared_models.resources import BoundResource, Link, Sort

CHILD_WORDS = ("where", "sort", "limit")


@dataclass(slots=True)
class _Branch:
    """A resource that is shown, with what was said about it so far. `link` None: the one that was asked for."""

    resource: BoundResource
    link: Link | None = None
    fields: set[str] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)
    inner: dict[str, _Branch] = field(default_factory=dict)


class Inclusions:
    """Collects, then gives the tree; names are in the order of the contract or of the alphabet, never of the query."""

    def __init__(self, resource: BoundResource, names: Names, fault: Fault) -> None:
        self._root, self._names, self._fault = _Branch(resource), names, fault

    def include(self, dotted: str) -> bool:
        """False: there is nothing of that name."""
        return self._branch(dotted.split(".")) is not None

    def show(self, dotted: str) -> bool:
        """Show this field; False: there is nothing of that name."""
        *path, name = dotted.split(".")
        branch = self._branch(path, name)
        if branch is None:
            return False
        branch.fields.add(name)
        return True

    def say(self, parameter: str, text: str) -> bool:
        """`lines.limit`; False: it is no word about children."""
        *path, word = parameter.split(".")
        if word not in CHILD_WORDS or not path:
            return False
        branch = self._branch(path, children=True)
        if branch is None:
            return False
        branch.words[word] = text
        return True

    def fields(self) -> tuple[str, ...]:
        return _shown(self._root)

    def tree(self, values: Values) -> tuple[Included, ...]:
        return self._tree(self._root, "", values)

    def _branch(self, path: list[str], name: str | None = None, *, children: bool = False) -> _Branch | None:
        """The branch at the end of the path, made where it is new; None, and nothing made, when it leads nowhere."""
        steps: list[tuple[str, Link, BoundResource]] = []
        resource = self._root.resource
        if len(path) > resource.include_depth:
            return None
        for step in path:
            found = self._names.link(resource, step)
            if found is None:
                return None
            steps.append((step, *found))
            resource = found[1]
        if (name is not None and name not in resource.fields) or (children and steps[-1][1].kind != "children"):
            return None
        branch = self._root
        for step, link, target in steps:
            branch = branch.inner.setdefault(step, _Branch(target, link))
        return branch

    def _tree(self, branch: _Branch, above: str, values: Values) -> tuple[Included, ...]:
        return tuple(self._included(name, branch.inner[name], above + name, values) for name in sorted(branch.inner))

    def _included(self, name: str, branch: _Branch, path: str, values: Values) -> Included:
        assert branch.link is not None  # noqa: S101 - only the root has none
        words = branch.words
        where: tuple[Node, ...] = ()
        sorts: tuple[Sort, ...] = ()
        limit = None
        if "where" in words:
            where = where_of(words["where"], branch.resource, self._names, values, f"{path}.where", self._fault)
        if "sort" in words:
            sorts = sorts_of(words["sort"], branch.resource, self._at(f"{path}.sort"))
        if "limit" in words:
            limit = self._limit(words["limit"], branch.link.limit, f"{path}.limit", values)
        return Included(name, self._tree(branch, f"{path}.", values), _shown(branch), where, sorts, limit)

    def _limit(self, text: str, most: int, parameter: str, values: Values) -> str:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
            self._fault(parameter, "invalid_value", f"Expected: a whole number from 1 to {most}.")
            text = "1"
        return f"f{values.add([text])}"

    def _at(self, parameter: str) -> Callable[[str, str], None]:
        return lambda code, detail: self._fault(parameter, code, detail)


def _shown(branch: _Branch) -> tuple[str, ...]:
    """In the contract's order, the key always among them; empty: all."""
    if not branch.fields:
        return ()
    resource = branch.resource
    known = branch.fields | {found.name for found in resource.key}
    return () if len(known) == len(resource.fields) else tuple(name for name in resource.fields if name in known)

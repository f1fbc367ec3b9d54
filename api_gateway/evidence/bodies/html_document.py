"""HTML, as a browser reads it (WHATWG): elements, attributes and words; layout and comments do not count."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from selectolax.lexbor import LexborHTMLParser, LexborNode

from api_gateway.evidence.bodies.sequences import align
from api_gateway.evidence.bodies.volatile import TOKEN_NAME, steady, steady_script, steady_times, steady_url
from api_gateway.evidence.difference import Difference, Kind

MAX_DEPTH = 400
MAX_UNCLOSED = 5000  # a parser's work grows with the square of what was never closed
_LITERAL = frozenset({"pre", "textarea", "listing"})
_CODE = frozenset({"script", "style"})
_URLS = frozenset({"href", "src", "action", "formaction", "data", "poster", "srcset"})


@dataclass(frozen=True)
class Element:
    """One element of a page, without what changes from answer to answer. A child is an element or its words."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Element | str, ...]

    @cached_property
    def key(self) -> Hashable:
        """Equal when the pages below would be found equal."""
        inner = tuple(child if isinstance(child, str) else child.key for child in self.children)
        return hash((self.tag, self.attributes, inner))

    def __str__(self) -> str:
        words = " ".join(str(child) for child in self.children)
        named = "".join(f' {name}="{value}"' for name, value in self.attributes)
        return f"<{self.tag}{named}>{words}</{self.tag}>"


def parse(text: str, moment: datetime | None) -> Element:
    """`moment`: when it was answered. Every text is HTML; raises ValueError when it is nested too deep to be read."""
    if len(re.findall(r"<[A-Za-z]", text)) - text.count("</") > MAX_UNCLOSED:
        raise ValueError("nested too deep")
    root = LexborHTMLParser(text).root
    if root is None:
        return Element("html", (), ())
    return _element(root, moment, 0)


def differences(control: Element, candidate: Element, path: str = "") -> Iterator[Difference]:
    """Between two pages; paths in the manner of XPath, positions from 1 among elements of one name."""
    place = path or f"/{control.tag}"
    if control.tag != candidate.tag:
        yield Difference(place, "value", f"<{control.tag}>", f"<{candidate.tag}>")
        return
    here, there = dict(control.attributes), dict(candidate.attributes)
    for name in sorted({*here, *there}):
        if here.get(name) != there.get(name):
            kind: Kind = "missing" if name not in there else "extra" if name not in here else "value"
            yield Difference(f"{place}/@{name}", kind, here.get(name), there.get(name))
    for i, j in align([_key(child) for child in control.children], [_key(child) for child in candidate.children]):
        if i is not None and j is not None:
            yield from _children(control, candidate, i, j, place)
        elif i is not None:
            yield Difference(_step(place, control, i), "missing", str(control.children[i]), None)
        elif j is not None:
            yield Difference(_step(place, candidate, j), "extra", None, str(candidate.children[j]))


def _children(control: Element, candidate: Element, i: int, j: int, place: str) -> Iterator[Difference]:
    here, there = control.children[i], candidate.children[j]
    step = _step(place, control, i)
    if isinstance(here, Element) and isinstance(there, Element):
        if here.key != there.key:
            yield from differences(here, there, step)
    elif here != there:
        yield Difference(step, "value", str(here), str(there))


def _step(place: str, parent: Element, index: int) -> str:
    child = parent.children[index]
    if isinstance(child, str):
        return f"{place}/text()"
    same = [other for other in parent.children[: index + 1] if isinstance(other, Element) and other.tag == child.tag]
    return f"{place}/{child.tag}[{len(same)}]"


def _key(child: Element | str) -> Hashable:
    return child if isinstance(child, str) else child.key


def _element(node: LexborNode, moment: datetime | None, depth: int) -> Element:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    tag = node.tag or ""
    given = {name: value or "" for name, value in node.attributes.items()}
    attributes = tuple(sorted((name, _attribute(tag, name, value, given, moment)) for name, value in given.items()))
    if tag in _CODE:
        return Element(tag, attributes, _words(steady_script(node.text(), moment), literal=True))
    if tag == "template":
        return Element(tag, attributes, _words(node.html or "", literal=False))
    children: list[Element | str] = []
    child = node.child
    while child is not None:
        if child.is_text_node:
            children.extend(_words(steady(child.text_content or "", moment), literal=tag in _LITERAL))
        elif not child.is_comment_node:
            children.append(_element(child, moment, depth + 1))
        child = child.next
    return Element(tag, attributes, tuple(children))


def _words(text: str, *, literal: bool) -> tuple[str, ...]:
    words = text if literal else " ".join(text.split())
    return (words,) if words.strip() else ()


def _attribute(tag: str, name: str, value: str, given: dict[str, str], moment: datetime | None) -> str:
    """One attribute's value without what changes from answer to answer."""
    called = given.get("name") or given.get("property") or given.get("id") or ""
    is_token = (tag == "input" and name == "value" and given.get("type", "").lower() == "hidden") or (
        tag == "meta" and name == "content"
    )
    if value and (name == "nonce" or (is_token and TOKEN_NAME.search(called))):
        return "‹token›"
    if value and name.startswith("data-") and TOKEN_NAME.search(name):
        return "‹token›"
    if name == "class":
        return " ".join(sorted(value.split()))
    if name in _URLS:
        return steady_url(value, moment)
    if name.startswith("on"):
        return steady_script(value, moment)
    return value if moment is None else steady_times(value, moment)

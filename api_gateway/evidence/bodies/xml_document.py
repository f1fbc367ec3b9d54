"""XML 1.0: names, attributes, text and order of elements; comments and white space between elements do not count."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from api_gateway.evidence.bodies.sequences import align
from api_gateway.evidence.difference import Difference, Kind

MAX_DEPTH = 200
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?encoding=["']([A-Za-z0-9._-]{1,40})["']""")


def parse(content: bytes, charset: str | None) -> Element:
    """`charset` of the content type wins over the document's own declaration (RFC 7303 section 3).

    Raises ValueError when it is no XML, declares entities, or is nested deeper than MAX_DEPTH.
    """
    try:
        parser = DefusedXMLParser(encoding=charset)
        parser.feed(content)
        root: Element = parser.close()
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise ValueError(f"no XML: {type(error).__name__}") from None
    if _depth(root) > MAX_DEPTH:
        raise ValueError("nested too deep")
    return root


def encodings(control: bytes, candidate: bytes) -> Iterator[Difference]:
    """The encoding that each document declares: a reader may trust it, a writer may copy it."""
    here, there = _declared(control), _declared(candidate)
    if here != there:
        yield Difference("/", "encoding", here, there)


def differences(control: Element, candidate: Element, path: str = "") -> Iterator[Difference]:
    """Between two parsed documents; paths in the manner of XPath, positions from 1."""
    place = path or f"/{control.tag}"
    if control.tag != candidate.tag:
        yield Difference(place, "value", f"<{control.tag}>", f"<{candidate.tag}>")
        return
    for name in sorted({*control.attrib, *candidate.attrib}):
        here, there = control.get(name), candidate.get(name)
        if here != there:
            kind: Kind = "missing" if there is None else "extra" if here is None else "value"
            yield Difference(f"{place}/@{name}", kind, here, there)
    if _own_text(control) != _own_text(candidate):
        yield Difference(place, "value", _own_text(control), _own_text(candidate))
    yield from _children(control, candidate, place)


def _declared(content: bytes) -> str:
    found = _ENCODING.match(content)
    return found[1].decode("ascii").lower() if found else "utf-8"


def _children(control: Element, candidate: Element, place: str) -> Iterator[Difference]:
    here, there = list(control), list(candidate)
    for i, j in align([_key(child) for child in here], [_key(child) for child in there]):
        if i is not None and j is not None:
            yield from differences(here[i], there[j], _step(place, here, i))
        elif i is not None:
            yield Difference(_step(place, here, i), "missing", tostring(here[i], "unicode"), None)
        elif j is not None:
            yield Difference(_step(place, there, j), "extra", None, tostring(there[j], "unicode"))


def _step(place: str, siblings: list[Element], index: int) -> str:
    tag = siblings[index].tag
    return f"{place}/{tag}[{sum(1 for child in siblings[: index + 1] if child.tag == tag)}]"


def _own_text(element: Element) -> str:
    """The text of an element; where there are children, white space between them is layout."""
    if len(element) == 0:
        return element.text or ""
    pieces = [element.text or "", *(child.tail or "" for child in element)]
    return "".join(piece for piece in pieces if piece.strip())


def _key(element: Element) -> Hashable:
    children = tuple(_key(child) for child in element)
    return (element.tag, _own_text(element), frozenset(element.attrib.items()), children)


def _depth(root: Element) -> int:
    depth, level = 0, [root]
    while level and depth <= MAX_DEPTH:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth

"""The body of an answer: content coding off, charset known, then read as what the control says it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from api_gateway.evidence.bodies import binary, html_document, json_document, table, text, xml_document
from api_gateway.evidence.bodies.volatile import moment_of
from api_gateway.evidence.difference import Difference
from api_gateway.evidence.media import ContentType
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import Rules

MAX_PARSED = 8 * 1024 * 1024  # a larger body is compared by its hash: parsing costs thirty times its size


def differences(control: Observation, candidate: Observation, rules: Rules) -> Iterator[Difference]:
    """Equal bytes need no reading at all."""
    here_type = ContentType.parse(control.header("content-type"))
    there_type = ContentType.parse(candidate.header("content-type"))
    same_coding = control.header("content-encoding") == candidate.header("content-encoding")
    if control.body == candidate.body and same_coding and here_type.charset == there_type.charset:
        return
    here = _plain(control)
    try:
        there = candidate.content()
    except ValueError as error:
        yield Difference("body", "malformed", f"{len(here)} bytes", str(error))
        return
    if here == there and here_type.charset == there_type.charset:
        return
    if max(len(here), len(there)) > MAX_PARSED or here_type.reading == "binary":
        yield from binary.differences(here, there)
        return
    if here_type.reading == "html":
        yield from _pages(here_type.decode(here), there_type.decode(there), control, candidate)
    else:
        yield from _read(here, there, here_type, there_type, rules)


def _read(
    here: bytes, there: bytes, here_type: ContentType, there_type: ContentType, rules: Rules
) -> Iterator[Difference]:
    if here_type.reading == "json":
        yield from _documents(
            here, there, here_type, there_type,
            lambda content, _: json_document.parse(content),
            lambda control, candidate: json_document.differences(control, candidate, rules),
        )  # fmt: skip
    elif here_type.reading == "xml":
        yield from xml_document.encodings(here, there)
        yield from _documents(
            here, there, here_type, there_type,
            lambda content, kind: xml_document.parse(content, kind.charset),
            xml_document.differences,
        )  # fmt: skip
    else:
        as_text = table.differences if here_type.reading == "csv" else text.differences
        yield from as_text(here_type.decode(here), there_type.decode(there))


def _pages(here: str, there: str, control: Observation, candidate: Observation) -> Iterator[Difference]:
    """A side without a clock of its own is read by the control's: an answer made in process carries no `Date`."""
    moment = moment_of(control.header("date"))
    try:
        pages = (
            html_document.parse(here, moment),
            html_document.parse(there, moment_of(candidate.header("date")) or moment),
        )
    except ValueError:
        yield from text.differences(here, there)
        return
    yield from html_document.differences(*pages)


def _documents(
    here: bytes,
    there: bytes,
    here_type: ContentType,
    there_type: ContentType,
    parse: Callable[[bytes, ContentType], Any],
    compared: Callable[[Any, Any], Iterator[Difference]],
) -> Iterator[Difference]:
    """A control that is not what it claims to be is compared as text; such a candidate is a difference."""
    try:
        control = parse(here, here_type)
    except ValueError:
        yield from text.differences(here_type.decode(here), there_type.decode(there))
        return
    try:
        candidate = parse(there, there_type)
    except ValueError as error:
        yield Difference("body", "malformed", here_type.reading, str(error))
        return
    yield from compared(control, candidate)


def _plain(control: Observation) -> bytes:
    try:
        return control.content()
    except ValueError:  # legacy sends what it sends; then the coded bytes are what must be equal
        return control.body

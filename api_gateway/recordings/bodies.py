"""Bodies without secrets, each read as what it says it is. What cannot be read as that is not kept."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from email.message import Message as Mail
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, tostring

from selectolax.lexbor import LexborHTMLParser

from api_gateway.evidence.bodies import xml_document
from api_gateway.evidence.bodies.table import DELIMITERS
from api_gateway.evidence.difference import MASK
from api_gateway.evidence.media import ContentType
from api_gateway.recordings.hiding import Hiding
from api_gateway.recordings.recording import Pairs

LONGEST = 65536  # bytes of a body that is kept; a longer one is left out whole

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class LeftOut(Exception):
    """The body is not kept; the argument says why."""


def text_of(content: bytes, content_type: str | None, hiding: Hiding) -> str:
    """The body as text, with what is secret hidden. Raises LeftOut."""
    if len(content) > LONGEST:
        raise LeftOut(f"longer than {LONGEST} bytes")
    kind = ContentType.parse(content_type)
    reading = kind.reading
    if reading == "binary" or b"\0" in content:
        raise LeftOut("binary")
    text = kind.decode(content)
    try:
        match reading:
            case "json":
                return _json(text, hiding)
            case "xml":
                return hiding.text(_xml(content, text, kind.charset, hiding))
            case "csv":
                return hiding.text(_table(text, hiding))
            case "html":
                return hiding.text(_page(text, hiding))
            case _:
                return hiding.text(text)
    except (ValueError, RecursionError, csv.Error):
        raise LeftOut("unreadable") from None


def form_of(content: bytes, content_type: str) -> tuple[Pairs, tuple[str, ...]] | None:
    """The fields of a form as they came, and which files it held; None when it is no form.

    Raises LeftOut when it is too long or cannot be read.
    """
    kind = ContentType.parse(content_type)
    if kind.media_type not in (FORM, MULTIPART):
        return None
    if len(content) > LONGEST:
        raise LeftOut(f"longer than {LONGEST} bytes")
    if kind.media_type == FORM:
        try:
            pairs = parse_qsl(content.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="strict")
        except UnicodeDecodeError:
            pairs = parse_qsl(content.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        return tuple(pairs), ()
    parts = list(_parts(content, content_type))
    fields = tuple((name, ContentType.parse(None).decode(data)) for name, filename, data in parts if filename is None)
    files = tuple(f"file in {name}: {len(data)} bytes" for name, filename, data in parts if filename is not None)
    return fields, files


def _parts(content: bytes, content_type: str) -> Iterator[tuple[str, str | None, bytes]]:
    """Name, file name, content (RFC 7578)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + content)
    if not message.is_multipart():
        raise LeftOut("unreadable")
    for part in message.iter_parts():
        if not isinstance(part, Mail):
            continue
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(data, bytes):
            yield name, part.get_filename(), data


def _json(text: str, hiding: Hiding) -> str:
    """Unchanged where nothing in it is hidden: numbers keep their spelling."""
    document = json.loads(text)
    hidden = _hidden(document, "", hiding)
    return json.dumps(hidden, ensure_ascii=False) if hidden != document else text


def _hidden(value: Any, name: str, hiding: Hiding) -> Any:
    """Whatever stands under a secret name is hidden whole."""
    if value not in (None, "") and not isinstance(value, bool) and hiding.hides(name):
        hiding.names.add(name[:80])
        return MASK
    match value:
        case dict():
            return {hiding.value("name", key): _hidden(inner, key, hiding) for key, inner in value.items()}
        case list():
            return [_hidden(inner, name, hiding) for inner in value]
        case str():
            return hiding.value(name, value)
        case _:
            return value


def _xml(content: bytes, text: str, charset: str | None, hiding: Hiding) -> str:
    root = xml_document.parse(content, charset)
    return tostring(root, "unicode") if _hide_element(root, "", hiding) else text


def _hide_element(element: Element, above: str, hiding: Hiding) -> bool:
    """Whether anything was hidden. `above`: the secret name under which this element stands."""
    tag = str(element.tag).rpartition("}")[2]
    named = above or (tag if hiding.hides(tag) else "")
    changed = False
    if named and element.text and element.text.strip():
        element.text, changed = hiding.value(named, element.text), True
    for name, value in element.attrib.items():
        told = named or name.rpartition("}")[2]
        if value and hiding.hides(told):
            element.set(name, hiding.value(told, value))
            changed = True
    for child in element:
        changed = _hide_element(child, named, hiding) or changed
    return changed


def _table(text: str, hiding: Hiding) -> str:
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    columns = {place: name for place, name in enumerate(rows[0] if rows else ()) if hiding.hides(name)}
    if not columns:
        return text
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n" if "\r\n" in text else "\n")
    writer.writerow(rows[0])
    for row in rows[1:]:
        writer.writerow(hiding.value(columns[n], cell) if n in columns else cell for n, cell in enumerate(row))
    return out.getvalue()


def _page(text: str, hiding: Hiding) -> str:
    """Fields and `meta` elements are hidden by their name, other attributes by theirs."""
    page = LexborHTMLParser(text)
    changed = False
    for node in page.css("*"):
        given = {name: value or "" for name, value in node.attributes.items()}
        named = given.get("name") or given.get("id") or ""
        for name, value in given.items():
            told = named if name in ("value", "content") else name
            if value and name not in ("name", "id", "for") and hiding.hides(told):
                node.attrs[name] = hiding.value(told, value)
                changed = True
    return (page.html or "") if changed else text

"""What a side did outside of its database: mail, calls of other systems, files; and where two sides differ. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from api_gateway.evidence.bodies import body
from api_gateway.evidence.bodies.sequences import align
from api_gateway.evidence.bodies.volatile import steady_times
from api_gateway.evidence.difference import Difference
from api_gateway.evidence.media import ContentType
from api_gateway.evidence.observation import Observation
from api_gateway.evidence.rules import Rules

Kind = Literal["mail", "call", "file"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One of them.

    fields    such as sender, recipient and subject; a name may come more than once.
    contents  parts of a mail, the body of a call, a file: each as its type and its bytes.
    """

    kind: Kind
    fields: tuple[tuple[str, str], ...]
    contents: tuple[Observation, ...]

    def __str__(self) -> str:
        """One line for people."""
        told = ", ".join(f"{name}={value!r}" for name, value in self.fields)
        return f"{self.kind}: {told}, {sum(len(each.body) for each in self.contents)} bytes"


def differences(
    control: Sequence[Effect], candidate: Sequence[Effect], rules: Rules, moment: datetime
) -> Iterator[Difference]:
    """Paths `sent.mail[1].subject`, `sent.call[2].$.total`, `sent.file[1].row[3].price`; each kind in its own order.

    moment  when it was done: a clock that was read then is no difference.
    """
    for kind in ("mail", "call", "file"):
        here, there = ([_steady(each, moment) for each in side if each.kind == kind] for side in (control, candidate))
        for i, j in align([_key(each) for each in here], [_key(each) for each in there]):
            if i is not None and j is not None:
                if here[i] != there[j]:
                    yield from _differences(here[i], there[j], rules, f"sent.{kind}[{i + 1}]")
            elif i is not None:
                yield Difference(f"sent.{kind}[{i + 1}]", "missing", str(here[i]), None)
            elif j is not None:
                yield Difference(f"sent.{kind}[{j + 1}]", "extra", None, str(there[j]))


def _differences(here: Effect, there: Effect, rules: Rules, place: str) -> Iterator[Difference]:
    one, other = _named(here), _named(there)
    for name in [*one, *(name for name in other if name not in one)]:
        if name not in other:
            yield Difference(f"{place}.{name}", "missing", one[name], None)
        elif name not in one:
            yield Difference(f"{place}.{name}", "extra", None, other[name])
        elif one[name] != other[name]:
            yield Difference(f"{place}.{name}", "value", one[name], other[name])
    for n in range(max(len(here.contents), len(there.contents))):
        part = place if n == 0 else f"{place}.part[{n + 1}]"
        if n >= len(there.contents):
            yield Difference(part, "missing", f"{len(here.contents[n].body)} bytes", None)
        elif n >= len(here.contents):
            yield Difference(part, "extra", None, f"{len(there.contents[n].body)} bytes")
        else:
            yield from _contents(here.contents[n], there.contents[n], rules, part)


def _contents(here: Observation, there: Observation, rules: Rules, place: str) -> Iterator[Difference]:
    for name in ("content-type", "content-disposition"):
        one, other = here.header(name), there.header(name)
        if one != other and not (name == "content-type" and ContentType.parse(one) == ContentType.parse(other)):
            yield Difference(f"{place}.{name}", "value", one, other)
    for difference in body.differences(here, there, rules):
        yield replace(difference, path=f"{place}.{difference.path}")


def _named(effect: Effect) -> dict[str, str]:
    """A name that comes again is numbered."""
    seen: Counter[str] = Counter()
    named = {}
    for name, value in effect.fields:
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name}[{seen[name]}]"] = value
    return named


def _steady(effect: Effect, moment: datetime) -> Effect:
    """Without the time at which it was done, and without layout of lines that a mail program is free to choose."""
    fields = tuple((name, steady_times(value, moment)) for name, value in effect.fields)
    return replace(effect, fields=fields, contents=tuple(_steady_content(each, moment) for each in effect.contents))


def _steady_content(content: Observation, moment: datetime) -> Observation:
    kind = ContentType.parse(content.header("content-type"))
    if kind.reading == "binary":
        return content
    text = kind.decode(content.body).replace("\r\n", "\n").rstrip("\n")
    steady = steady_times(text, moment)
    try:
        return replace(content, body=steady.encode(kind.charset or "utf-8"))
    except (UnicodeEncodeError, LookupError):
        return content if steady == text else replace(content, body=steady.encode())


def _key(effect: Effect) -> Hashable:
    return effect.fields, tuple(each.body for each in effect.contents)

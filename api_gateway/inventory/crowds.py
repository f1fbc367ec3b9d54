"""Names that are values because there are many of their kind: found by looking at all paths together. Pure.

Below one prefix:

    invoice-1.txt … invoice-9.txt     differ in digits only: `invoice-{id}.txt`
    NS-10023, AB-77120, …             codes of one pattern: `{code}`
    a-long-title, another-one, …      more titles than an application has pages: `{slug}`
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

ALIKE = 5  # names that differ in digits only
CODES = 8  # names of one pattern, digits in it
SLUGS = 25  # names of several words
WORDS = 120  # plain words; an old application may well have a hundred endpoints in one folder

_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,23}(?:_[a-z0-9]+)*")
_PROGRAM = re.compile(
    r".+\.(?:php\d?|phtml|aspx?|ashx|asmx|jspx?|do|action|cgi|pl|py|rb|cfm|dll|exe|xml|json|csv|txt|html?)"
)


def crowded(paths: Iterable[str]) -> dict[str, str]:
    """The template of each path (itself a template of `segments`) that is not to stay as it is."""
    changed: dict[str, str] = {}
    _descend([(path, path.split("/")[1:]) for path in sorted(set(paths))], 0, "", changed)
    return {path: template for path, template in changed.items() if path != template}


def _descend(paths: list[tuple[str, list[str]]], depth: int, before: str, changed: dict[str, str]) -> None:
    here: defaultdict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for path, segments in paths:
        if depth < len(segments):
            here[segments[depth]].append((path, segments))
        else:
            changed[path] = before
    renamed = _together([name for name in here if "{" not in name and name not in ("", "…")])
    merged: defaultdict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for name, below in here.items():
        merged[renamed.get(name, name)] += below
    for name, below in merged.items():
        _descend(below, depth + 1, f"{before}/{name}", changed)


def _together(names: list[str]) -> Mapping[str, str]:
    renamed: dict[str, str] = {}
    for pattern, alike in _grouped(names, lambda name: _LETTERS.sub("A", _DIGITS.sub("#", _stem(name)))).items():
        if "#" in pattern and len(alike) >= CODES and len({_DIGITS.sub("#", name) for name in alike}) >= CODES:
            renamed |= {name: f"{{code}}{_extension(name)}" for name in alike}
    left = [name for name in names if name not in renamed]
    for pattern, alike in _grouped(left, lambda name: _DIGITS.sub("#", name)).items():
        if "#" in pattern and len(alike) >= ALIKE:
            renamed |= dict.fromkeys(alike, _differing(alike))
    slugs = [name for name in left if not _WORD.fullmatch(name) and not _PROGRAM.fullmatch(name)]
    if len({renamed.get(name, name) for name in slugs}) >= SLUGS:
        renamed |= {name: f"{{slug}}{_extension(name)}" for name in slugs}
    words = [name for name in left if name not in renamed and _WORD.fullmatch(name)]
    return renamed | (dict.fromkeys(words, "{name}") if len(words) >= WORDS else {})


def _grouped(names: Iterable[str], key: Callable[[str], str]) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        found[key(name)].append(name)
    return found


def _differing(alike: list[str]) -> str:
    """Only the numbers that differ are values: `v2-order-17` and `v2-order-18` are `v2-order-{id}`."""
    numbers = [_DIGITS.findall(name) for name in alike]
    differ = [len(set(column)) > 1 for column in zip(*numbers, strict=True)]
    places = iter(zip(differ, numbers[0], strict=True))

    def shown(_: re.Match[str]) -> str:
        is_value, number = next(places)
        return "{id}" if is_value else number

    return _DIGITS.sub(shown, alike[0])


def _stem(name: str) -> str:
    return name.removesuffix(_extension(name))


def _extension(name: str) -> str:
    found = re.search(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,5}$", name)
    return found[0] if found else ""

"""The spellings of a listed path: which targets some legacy stack might fold to it, and the folding itself.

The edge forwards what the client sent, byte for byte, but it matches by what the legacy app may understand: escapes
(once or twice), doubled and backward slashes, `/./`, path parameters, trailing noise. The regular expressions are RE2
(no look-around) and are matched against the whole of what they name. Pure.
"""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import unquote_to_bytes

_PARTS = re.compile(r"(\{[^}]*\}|/)")
_SLASH = r"(?:/|\\|%(?:25)?2[fF]|%(?:25)?5[cC])"
_DOT = r"(?:\.|%(?:25)?2[eE])"
_PARAMETERS = r"(?:(?:;|%(?:25)?3[bB])[^/?]*)?"  # ;jsessionid=…
_SEPARATOR = f"{_PARAMETERS}{_SLASH}(?:{_PARAMETERS}{_SLASH}|{_DOT}{_PARAMETERS}{_SLASH})*"
_TAIL = (
    f"(?:{_SLASH}|;[^?]*|%(?:25)?3[bB][^?]*|%(?:25)?00[^?]*|%(?:25)?0[9aAdD]|%(?:25)?20|{_DOT}"
    r"|%(?:25)?23[^?]*|%(?:25)?3[fF][^?]*)*"
)

# Matched against `:path`, the query included.
CLIMBS = r"[^?]*(?:/|\\|%(?:25)?2[fF]|%(?:25)?5[cC])(?:\.|%(?:25)*2[eE]){2}(?:;|%|/|\\|\?|$).*"
ODD_PATH = r"[^?]*(?:%|//|/\.|;|\\).*"  # an escape, //, /., ; or \


def literal(template: str) -> str:
    """What every target of this template begins with: the template up to its first `{`."""
    return template.partition("{")[0]


def plain(template: str) -> str:
    """RE2 of the path as clients normally send it."""
    return "".join("[^/?]+" if part.startswith("{") else re.escape(part) for part in _PARTS.split(template))


def plain_with_tail(template: str) -> str:
    """RE2 of the spellings that hold no odd character: slashes and dots at the end."""
    return plain(template) + "[/.]+"


def tolerant(template: str) -> str:
    """RE2 of every spelling of the path that some stack could fold to it. Climbing (`..`) is not among them."""
    return "".join(_tolerant_part(part) for part in _PARTS.split(template) if part) + _TAIL


def odd_query(names: frozenset[str]) -> str:
    """RE2, against `:path`: a query in which one of these parameters may hide from an exact comparison.

    That is: an escaped name, a name sent twice or with `[…]`, an escaped value, or `;` as a separator.
    """
    forms = [r"(?:.*&)?[^=&]*[%+][^=&]*(?:=.*|&.*)?", ".*;.*"]
    for name in sorted(map(re.escape, names)):
        forms += [rf"(?:.*&)?{name}=[^&]*[%+].*", rf"(?:.*&)?{name}=.*&{name}=.*", rf"(?:.*&)?{name}\[.*"]
    return r"[^?]*\?(?:" + "|".join(forms) + ")"


def is_odd(path: str) -> bool:
    """Does this path (or template) hold a character that makes the edge look closer?"""
    return re.fullmatch(ODD_PATH, path, re.DOTALL) is not None


def fold(target: str) -> str:
    """The path that the most lenient legacy stack would see.

    Escapes are undone twice; `//`, `/./`, `..`, backslashes, path parameters (`;…`) and noise at the end are folded.
    `target` is what the client sent, as latin-1; its query is dropped. The result begins with `/`; only the root ends
    with one.
    """
    path = target.partition("?")[0]
    for _ in range(2):
        path = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    path = re.split(r"[\x00?#]", path, maxsplit=1)[0].replace("\\", "/")
    segments: list[str] = []
    for segment in path.split("/"):
        name = segment.partition(";")[0]
        if name == "..":
            del segments[-1:]
        elif name not in ("", "."):
            segments.append(name)
    return "/" + "/".join(segments).rstrip("/. \t\r\n")


def values(template: str, path: str) -> dict[str, str] | None:
    """What the `{name}`s of the template stand for in this (folded) path, or None when it does not match.

    The end of both is compared as `fold` leaves it: a listed `/orders/` answers to `/orders`.
    """
    found = _capturing(template).fullmatch(path)
    if found is None:
        return None
    return dict(zip(re.findall(r"\{([^}]*)\}", template), found.groups(), strict=True))


@cache
def _capturing(template: str) -> re.Pattern[str]:
    stem, _, last = template.rpartition("/")
    ending = template if "{" in last else f"{stem}/{last}".rstrip("/. ") or "/"
    return re.compile("".join(map(_capturing_part, _PARTS.split(ending))), re.DOTALL)


def _capturing_part(part: str) -> str:
    """Literal text is compared as `fold` leaves it: unescaped, its bytes read as latin-1."""
    return "([^/]+)" if part.startswith("{") else re.escape(unquote_to_bytes(part).decode("latin-1"))


def _tolerant_part(part: str) -> str:
    if part == "/":
        return _SEPARATOR
    if part.startswith("{"):
        return "[^?]+"
    return "".join(map(_tolerant_character, part))


def _tolerant_character(character: str) -> str:
    """This character, plain, escaped once or escaped twice."""
    codes = "".join(f"%(?:25)?{_hex(code)}" for code in character.encode())
    return f"(?:{re.escape(character)}|{codes})"


def _hex(code: int) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{code:02x}")

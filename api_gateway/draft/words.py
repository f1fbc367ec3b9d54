"""Names of tables and columns as English words: split, expanded where certain, plural and singular."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_SPLIT = re.compile(r"[^a-zA-Z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# Only what stands for one word wherever databases are written; `no`, `inv`, `cat`, `st` do not and stay as they are.
_EXPANDED = {
    "acct": "account",
    "addr": "address",
    "amt": "amount",
    "cust": "customer",
    "dept": "department",
    "descr": "description",
    "dtl": "detail",
    "grp": "group",
    "hdr": "header",
    "msg": "message",
    "pct": "percent",
    "qty": "quantity",
    "usr": "user",
}
_IRREGULAR = {
    "child": "children",
    "person": "people",
    "man": "men",
    "woman": "women",
    "datum": "data",
    "medium": "media",
    "criterion": "criteria",
    "analysis": "analyses",
    "basis": "bases",
    "index": "indexes",
    "leaf": "leaves",
    "shelf": "shelves",
    "half": "halves",
    "life": "lives",
    "mouse": "mice",
    "foot": "feet",
    "quiz": "quizzes",
    "movie": "movies",
    "cookie": "cookies",
    "cache": "caches",
    "axe": "axes",
}
_SINGULAR = {plural: singular for singular, plural in _IRREGULAR.items()}
_UNCOUNTABLE = frozenset(
    [
        "audit",
        "data",
        "equipment",
        "feedback",
        "hardware",
        "history",
        "info",
        "information",
        "inventory",
        "mail",
        "media",
        "metadata",
        "money",
        "news",
        "rtdata",
        "series",
        "sms",
        "software",
        "species",
        "staff",
        "stock",
        "stuff",
        "traffic",
        "trans",
    ]
)


def words(name: str) -> list[str]:
    """Lower-case words of a name in any style: `OrderDetail`, `order-detail`, `ORDER_DETAIL`, `order detail`.

    ASCII only, as names in URLs are: accents are taken off, other letters are lost. May be empty.
    """
    return list(_words(name))


@cache  # a name is looked at for each of the meanings that it may have
def _words(name: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode("ascii")
    parts = _SPLIT.split(plain)
    camel = [word for part in parts if part for word in _CAMEL.split(part)]
    return tuple(word.lower() for word in camel if word)


def expanded(parts: list[str]) -> list[str]:
    return [_EXPANDED.get(word, word) for word in parts]


def plural(word: str) -> str:
    """`order` → `orders`; a word that is plural already, or has no plural, stays.

    So do abbreviations: what has two letters (`gl`), or three and an s at the end (`tls`, which may be one; `ids`).
    """
    if len(word) < 3 or (len(word) == 3 and word.endswith("s")):
        return word
    if word in _UNCOUNTABLE or not word.isascii() or not word[-1:].isalpha() or singular(word) != word:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def singular(word: str) -> str:
    """`orders` → `order`; `address`, `status`, `news` and what is no plural stay."""
    if word in _UNCOUNTABLE or len(word) < 4:
        return word
    if word in _SINGULAR:
        return _SINGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "uses", "xes", "ches", "shes", "zzes")) and not word.endswith(("ouses", "auses")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "as", "os")):
        return word[:-1]
    return word

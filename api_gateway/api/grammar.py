"""The grammar of filters: text in, a tree out. It knows no names of any contract.

group      = "(" item *( "," item ) ")"
item       = ( "or" / "and" / "not" ) group  /  name [ "[" operator "]" ] "=" operand
operand    = value / "(" value *( "," value ) ")"      a list for `in` and `contains`
value      = plain / quoted
plain      = any characters but , ( ) and no " at the beginning
quoted     = DQUOTE *( any but " and \\ / "\" any ) DQUOTE
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from api_gateway.api.query import MAX_CONDITIONS, MAX_NESTING

NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*)(?:\[([a-z_]+)\])?")
WORDS = ("or", "and", "not")

_GROUP = re.compile(r"(or|and|not)\(")
_PLAIN = re.compile(r'(?!")[^,()]*')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """One condition as it is written. `operand` is a tuple where a list was given in parentheses."""

    name: str
    operator: str
    operand: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrittenGroup:
    word: str
    items: tuple[Written | WrittenGroup, ...]


def named(parameter: str) -> tuple[str, str] | None:
    """The field and the operator that a parameter or an item of a group names."""
    match = NAME.fullmatch(parameter)
    return (match[1], match[2] or "eq") if match else None


def group(word: str, text: str) -> WrittenGroup:
    """`(status[eq]=open,not(total[gt]=100))`. Raises ValueError: what was expected."""
    reader = _Reader(text)
    found = WrittenGroup(word, reader.items(1))
    if reader.at != len(text):
        raise ValueError("nothing behind the last parenthesis")
    return found


def values(text: str) -> tuple[str, ...]:
    """`a,b,"c,d"`: a list without parentheses, as a parameter of its own has it. Raises ValueError."""
    reader = _Reader(text)
    found = [reader.value(plain=_BARE)]
    while reader.take(","):
        found.append(reader.value(plain=_BARE))
    if reader.at != len(text):
        raise ValueError('values separated by commas; one that begins with " is quoted to its end')
    return tuple(found)


_BARE = re.compile(r'(?!")[^,]*')


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.count = text, 0, 0

    def take(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def items(self, depth: int) -> tuple[Written | WrittenGroup, ...]:
        if depth > MAX_NESTING:
            raise ValueError(f"groups in each other at most {MAX_NESTING} deep")
        if not self.take("("):
            raise ValueError("(…), conditions separated by commas")
        found = [self.item(depth)]
        while self.take(","):
            found.append(self.item(depth))
        if not self.take(")"):
            raise ValueError("a comma or a closing parenthesis behind each condition")
        return tuple(found)

    def item(self, depth: int) -> Written | WrittenGroup:
        if word := _GROUP.match(self.text, self.at):
            self.at = word.end() - 1
            return WrittenGroup(word[1], self.items(depth + 1))
        name = NAME.match(self.text, self.at)
        if name is None or not self.text.startswith("=", name.end()):
            raise ValueError("conditions such as status[in]=(open,shipped), or groups: or(…), and(…), not(…)")
        self.count += 1
        if self.count > MAX_CONDITIONS:
            raise ValueError(f"at most {MAX_CONDITIONS} conditions")
        self.at = name.end() + 1
        return Written(name[1], name[2] or "eq", self.operand())

    def operand(self) -> str | tuple[str, ...]:
        if not self.take("("):
            return self.value(_PLAIN)
        found = [self.value(_PLAIN)]
        while self.take(","):
            found.append(self.value(_PLAIN))
        if not self.take(")"):
            raise ValueError("a closing parenthesis behind a list of values")
        return tuple(found)

    def value(self, plain: re.Pattern[str]) -> str:
        if self.text.startswith('"', self.at):
            quoted = _QUOTED.match(self.text, self.at)
            if quoted is None:
                raise ValueError('a closing " behind a quoted value')
            self.at = quoted.end()
            return _ESCAPED.sub(r"\1", quoted[1])
        match = plain.match(self.text, self.at)
        assert match is not None  # noqa: S101 - it matches nothing, too
        self.at = match.end()
        return match[0]

"""Meanings that a column may have and no catalog states: flags, codes, sentinels, soft deletes. Each with its evidence.

Nothing here is applied: a proposal is a comment above the field, written so that it can be pasted over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from api_gateway.draft.columns import with_beyond
from api_gateway.draft.names import python_string
from api_gateway.draft.plan import Proposal
from api_gateway.draft.sample import LONGEST, ROWS, Sample, Values
from api_gateway.draft.words import words
from shared_models.snapshot import Check, Column, Table

_FLAG_PAIRS = (("Y", "N"), ("y", "n"), ("T", "F"), ("t", "f"), ("J", "N"), ("S", "N"), ("1", "0"), ("X", ""))
_FLAG_WORDS = frozenset(
    ["active", "deleted", "enabled", "disabled", "fl", "flag", "flg", "has", "is", "locked", "visible", "yn"]
)
_CODE_WORDS = frozenset(
    [
        "category",
        "cd",
        "class",
        "code",
        "kind",
        "level",
        "mode",
        "prio",
        "priority",
        "stat",
        "state",
        "status",
        "type",
        "typ",
    ]
)
_FLAG_NAMES = frozenset(["disabled", "enabled", "isactive", "isdeleted", "isdefault", "isenabled", "islocked"])
_MONEY_WORDS = frozenset(
    [
        "amount",
        "amt",
        "balance",
        "cost",
        "credit",
        "debit",
        "fee",
        "money",
        "paid",
        "price",
        "salary",
        "subtotal",
        "total",
    ]
)
_MINOR_UNITS = frozenset(["cent", "cents", "pence", "rappen"])
_MOST_CODES = 12
_INTEGERS = frozenset({"int2", "int4", "int8"})
_TEXT = frozenset({"bpchar", "varchar", "text", "citext"})
_SENTINELS = re.compile(r"-?infinity|(?:0001|1753|1[89]00|1970)-01-01|1899-1[12]-\d\d|(?:2099|2999|9999)-12-31")
_LISTED = re.compile(r"'((?:[^']|'')*)'|(?<![\w.'])(-?\d+)(?![\w.'])")
_CONSTANT = re.compile(r"'(\w?)'(?:::[\w. \"]+)?|\(?([01])\)?(?:::\w+)?")
_EXPLAINED = re.compile(r"(?<![\w])[\"']?(\w{1,8})[\"']?\s*(?:=|:|->|–|-)\s*[\"']?([A-Za-z][A-Za-z ]{1,30})")
_CALL = re.compile(r"([\w.\"]+)\(")
_FOLDED = re.compile(r"\(*(?:upper|lower)\(")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{2,}")


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a class that a proposal would take the place of: its attribute, and the API's name where it differs.

    What is read through a marker may turn out to be none of what was foreseen, so it is null unless `certain`.
    """

    attribute: str
    alias: str | None
    column: str

    def __call__(self, kind: str, *marks: str, certain: bool = False) -> str:
        alias = [f"Field(alias={python_string(self.alias)})"] if self.alias else []
        shown = kind if certain else f"{kind} | None"
        return f"{self.attribute}: Annotated[{shown}, {', '.join([*marks, *alias])}]{'' if certain else ' = None'}"

    def mark(self, name: str, *more: str) -> str:
        return f"{name}({', '.join([python_string(self.column), *more])})"


def proposals(table: Table, column: Column, sample: Sample, line: Line, drafted: str) -> Iterator[Proposal]:
    """What one column may mean. `line`: the field in the drafted class, `drafted` its annotation there."""
    if column.type.is_array:
        return
    values, rows = sample.values(table, column.name), sample.rows.get((table.schema, table.name), 0)
    allowed = allowed_by_check(table, column)
    flag = flag_of(column, values, allowed)
    if flag:
        true, false = (literal(column, value) for value in flag)
        marker = line.mark("Flag", f"true={true}", f"false={false}")
        yield Proposal(line("bool", marker), evidence_of(table, column, values, rows, allowed))
    elif _looks_coded(table, column, values, allowed):
        codes = allowed or sorted(values, key=_code_order)
        yield Proposal(_coded(line, column, codes), evidence_of(table, column, values, rows, allowed))
    if column.type.name == "timestamp":
        kind = with_beyond("datetime", column, values)
        local = line(kind, line.mark("LocalTime"), certain=not column.nullable)
        yield Proposal(local, "stored without a zone: a clock on the wall of api.time_zone in banyan.toml")
    if column.type.name in ("date", "timestamp"):
        yield from _sentinels(column, values, rows, line)
    yield from _none(table, column, sample, line, drafted)
    yield from _money(column)


def _none(table: Table, column: Column, sample: Sample, line: Line, drafted: str) -> Iterator[Proposal]:
    """A reference that says "none" with a value of its own."""
    found = sample.found.get(((table.schema, table.name), column.name))
    if found is not None and found.none is not None and found.there and column.type.name in _TEXT | _INTEGERS:
        none = f"NoneWhen({literal(column, found.none)})"
        evidence = f"{found.none!r} has no row on the other side, {found.there:,} other values have one"
        yield Proposal(line(drafted, line.mark("Column"), none), evidence)


def _money(column: Column) -> Iterator[Proposal]:
    parts = set(words(column.name))
    if column.type.name in ("float4", "float8") and parts & _MONEY_WORDS:
        yield Proposal(None, "an amount in binary floating point: what was stored as 0.1 need not be 0.1")
    elif column.type.name in _INTEGERS and parts & _MINOR_UNITS:
        yield Proposal(None, "an amount in minor units (cents), as its name says: whole numbers, nothing is divided")


def flag_of(column: Column, values: Values, allowed: tuple[str, ...]) -> tuple[str, str] | None:
    """(true, false) when all values seen, or all that a CHECK allows, are of one pair; a number needs the name too.

    Where there are no values, the default may show the pair, if the name is a flag's.
    """
    seen = set(allowed or values) or _default_flag(column)
    if column.type.name not in _TEXT | _INTEGERS or not seen:
        return None
    if column.type.name in _INTEGERS and not _is_named_as_a_flag(column):
        return None
    if column.type.name in _TEXT and column.type.length != 1 and not allowed:
        return None
    return next((pair for pair in _FLAG_PAIRS if seen <= set(pair) and seen != {""}), None)


def _default_flag(column: Column) -> set[str]:
    default = _CONSTANT.fullmatch(column.default or "")
    parts = words(column.name)
    if default is None or not ((parts[-1:] and parts[-1] in _FLAG_WORDS) or {"is", "has"} & set(parts[:-1])):
        return set()
    return {next(part for part in default.groups() if part is not None)}


def _is_named_as_a_flag(column: Column) -> bool:
    parts = words(column.name)
    return bool(_FLAG_WORDS & set(parts)) or "".join(parts) in _FLAG_NAMES


def _looks_coded(table: Table, column: Column, values: Values, allowed: tuple[str, ...]) -> bool:
    if column.type.name not in _TEXT | _INTEGERS or any(column.name in key.columns for key in table.foreign_keys):
        return False
    if allowed:
        return True
    short = column.type.name == "bpchar" and (column.type.length or LONGEST) <= 4
    named = bool(_CODE_WORDS & set(words(column.name))) and column.name not in table.primary_key
    return (named or short) and 1 < len(values) <= _MOST_CODES and sum(values.values()) >= 5 * len(values)


def _coded(line: Line, column: Column, codes: Iterable[str]) -> str:
    """Codes that are words keep them; cryptic ones are named by the column's comment, else by who knows."""
    codes = list(codes)
    if column.type.name in _TEXT and all(map(_WORD.fullmatch, codes)):
        return line(f"Literal[{', '.join(map(python_string, codes))}]", line.mark("Column"))
    names = _names_in(column.comment or "", codes)
    mapping = ", ".join(f"{literal(column, code)}: {python_string(names.get(code, '…'))}" for code in codes)
    return line("str", line.mark("Codes", f"{{{mapping}}}"))


def _names_in(comment: str, codes: Iterable[str]) -> dict[str, str]:
    """`M = married, S = single`: the words that a comment gives to codes."""
    known, found = set(codes), _EXPLAINED.findall(comment)
    return {code: " ".join(name.split()).lower() for code, name in found if code in known}


def _sentinels(column: Column, values: Values, rows: int, line: Line) -> Iterator[Proposal]:
    for value, count in sorted(values.items()):
        if not _SENTINELS.match(value):
            continue
        evidence = f"{value[:10]} in {count} of {_first(rows)}"
        kind, marker = ("date", "Column") if column.type.name == "date" else ("datetime", "LocalTime")
        if value.endswith("infinity"):
            yield Proposal(line(kind, line.mark(marker), f"NoneWhen({python_string(value)})"), evidence)
            continue
        year, month, day = (int(part) for part in value[:10].split("-"))
        yield Proposal(line(kind, line.mark(marker), f"NoneWhen({kind}({year}, {month}, {day}))"), evidence)


def allowed_by_check(table: Table, column: Column) -> tuple[str, ...]:
    """The values of `CHECK (status IN ('a', 'b'))`, as PostgreSQL rewrites it: `= ANY (ARRAY['a'::text, …])`."""
    for check in table.checks:
        if check.columns == (column.name,) and check.validated and _is_plain_list(check):
            listed = _LISTED.findall(check.expression.split("ARRAY[", 1)[1].rsplit("]", 1)[0])
            return tuple(digits or text.replace("''", "'") for text, digits in listed)
    return ()


def _is_folded(table: Table, column: Column) -> bool:
    """Does the CHECK look at `upper(status)` instead of the column itself?"""
    lists = (c.expression for c in table.checks if c.columns == (column.name,) and c.validated and _is_plain_list(c))
    return any(_FOLDED.match(expression) for expression in lists)


def _is_plain_list(check: Check) -> bool:
    expression = check.expression
    called = _CALL.search(expression.split(" = ANY (")[0])
    if called is not None and called[1] not in ("upper", "lower"):
        return False
    joined = " AND " in expression or " OR " in expression or "NOT " in expression or "<>" in expression
    return "= ANY (" in expression and "ARRAY[" in expression and not joined


def evidence_of(table: Table, column: Column, values: Values, rows: int, allowed: tuple[str, ...]) -> str:
    ordered = sorted(values.items(), key=lambda item: _code_order(item[0]))
    counts = ", ".join(f"{value!r} {count}" for value, count in ordered)
    found = f"{_first(rows)}: {counts}" if counts else ""
    stated = "" if counts else f"its name, its default {column.default}"
    if allowed:
        stated = "a CHECK allows only these"
        if _is_folded(table, column):
            stated += ", in small and in capital letters: in the other ones they would be read as null"
    return "; ".join(part for part in (stated, found) if part)


def _first(rows: int) -> str:
    return f"the first {rows:,} rows" if rows >= ROWS else f"{rows:,} row{'s' if rows != 1 else ''}"


def literal(column: Column, value: str) -> str:
    return value if column.type.name in _INTEGERS else python_string(value)


def _code_order(value: str) -> tuple[int, str]:
    return (int(value), "") if re.fullmatch(r"-?\d{1,18}", value) else (0, value)

"""From a value of a JSON body to what PostgreSQL reads as the column's type: the inverse of how `values` shows it.

    number   int, or Decimal where it has a point or an exponent: no digit is lost on the way
    taker    gives text that is stored exactly, or raises ValueError saying what was expected

Whatever PostgreSQL would round, cut or pad silently is refused here: a value is stored as it was sent, or not at all.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException
from typing import Any

from shared_models.request_text import Parser
from shared_models.snapshot import ColumnType

Taker = Callable[[Any], str]

_FEW = 2**63
_DIGITS_BEFORE, _DIGITS_BEHIND = 131_072, 16_383  # of a numeric without precision
_DATE = re.compile(r"[0-9]{4,7}-[0-9]{2}-[0-9]{2}( BC)?|-?infinity", re.ASCII)
_CLOCK = r"[0-9]{4,6}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_NAIVE = re.compile(rf"{_CLOCK}( BC)?|-?infinity", re.ASCII)
_INSTANT = re.compile(rf"{_CLOCK}([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})( BC)?|-?infinity", re.ASCII)


def json_text(value: Any) -> str:
    """JSON whose numbers are written with the digits they were read with."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{json_text(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return json.dumps(value)


def taker_of(column_type: ColumnType, schema: Mapping[str, Any], parse: Parser) -> Taker | None:
    """The inverse of a value that is shown as `schema` says. None: such a value can be read only."""
    if column_type.arrays > 1:
        return None  # an array of a domain over arrays: PostgreSQL has no cast from plain arrays to it
    if column_type.is_array:
        return _string(plain) if schema.get("type") == "string" else _array(column_type)
    if schema.get("type") == "string" or column_type.name in ("date", "timestamptz"):
        return _texts(column_type, schema, parse)
    if column_type.kind == "composite":
        return None
    if column_type.name == "bool":
        return _boolean
    if column_type.name in ("json", "jsonb"):
        return json_text
    if column_type.name == "hstore":
        return _hstore
    if column_type.name == "numeric":
        return _number(lambda number: _numeric(number, column_type))
    if column_type.name in ("float4", "float8"):
        return _number(lambda number: _floating(number, column_type))
    return _integer(parse)


def plain(text: str) -> str:
    return text


def _texts(column_type: ColumnType, schema: Mapping[str, Any], parse: Parser) -> Taker:
    match column_type.name:
        case "numeric":
            return _string(_exact(parse, column_type))
        case "float4" | "float8":
            return _string(lambda text: _floating(_decimal(parse(text)), column_type))
        case "date":
            return _string(_matching(_DATE, "a date, such as 2024-02-29"))
        case "timestamp":
            return _string(_matching(_NAIVE, "a local time, such as 2024-02-29T13:45:00"))
        case "timestamptz":
            return _string(_matching(_INSTANT, "a moment with its offset, such as 2024-02-29T13:45:00Z"))
        case "bytea" if schema.get("contentEncoding") == "base64":
            return _string(_bytes)
        case "json" | "jsonb":
            return _string(_json_document)
        case "char":
            return _string(_bounded(1, "at most one ASCII character"))
        case "name":
            return _string(_bounded(63, "at most 63 bytes"))
        case "varchar" | "bpchar" | "bit" | "varbit" if column_type.length is not None:
            return _string(_fitting(column_type))
        case _:
            return _string(parse)


def _string(parse: Parser) -> Taker:
    def take(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("a string")
        return parse(value)

    return take


def _number(write: Callable[[Decimal], str]) -> Taker:
    def take(value: Any) -> str:
        if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
            return write(Decimal(value))
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise ValueError("a number")
        return write(Decimal(value))

    return take


def _integer(parse: Parser) -> Taker:
    other = _number(lambda number: parse(_whole(number)))

    def take(value: Any) -> str:
        """A number as most are is not made a decimal first."""
        return parse(str(value)) if type(value) is int and -_FEW < value < _FEW else other(value)

    return take


def _boolean(value: Any) -> str:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return "true" if value else "false"


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except DecimalException:
        raise ValueError("a decimal number") from None


def _exact(parse: Parser, column_type: ColumnType) -> Parser:
    """Digits that stand as the column keeps them are taken as they are; anything else is looked at as a number."""
    before, behind = (column_type.precision or 0) - (column_type.scale or 0), column_type.scale or 0
    digits = f"(?:0|[1-9][0-9]{{0,{before - 1}}})" if before > 0 else "0"
    plainly = re.compile(f"-?{digits}" + (f"(?:\\.[0-9]{{1,{behind}}})?" if behind > 0 else ""))
    is_bounded = column_type.precision is not None and behind >= 0

    def exact(text: str) -> str:
        text = parse(text)
        if is_bounded and plainly.fullmatch(text):
            return text
        return _numeric(_decimal(text), column_type)

    return exact


def _whole(number: Decimal) -> str:
    if not number.is_finite() or number.adjusted() > 40 or number != number.to_integral_value():
        raise ValueError("a whole number")
    return str(int(number))


def _numeric(number: Decimal, column_type: ColumnType) -> str:
    """Exactly as given: a digit that the column has no place for is refused, not rounded away."""
    precision, scale = column_type.precision, column_type.scale or 0
    if not number.is_finite():
        if precision is not None and not number.is_nan():
            raise ValueError("a number that is not infinite")
        return str(number)
    digits, exponent = number.as_tuple().digits, int(number.as_tuple().exponent)
    significant = _without_zeros(digits, exponent)
    if precision is None:
        if number and (number.adjusted() >= _DIGITS_BEFORE or exponent < -_DIGITS_BEHIND):
            raise ValueError("a number of fewer digits")
    elif number and (significant < -scale or number.adjusted() >= precision - scale):
        raise ValueError(_places(precision, scale))
    return "0" if not number and not -_DIGITS_BEHIND <= exponent <= 0 else format(number, "f")


def _without_zeros(digits: tuple[int, ...], exponent: int) -> int:
    """The exponent of the last digit that is not a zero."""
    for digit in reversed(digits):
        if digit:
            break
        exponent += 1
    return exponent


def _places(precision: int, scale: int) -> str:
    if scale <= 0:
        unit = f" and a multiple of {10**-scale}" if scale else ""
        return f"a whole number of at most {precision - scale} digits{unit}"
    return f"a number with at most {max(precision - scale, 0)} digits before the point and {scale} behind"


def _floating(number: Decimal, column_type: ColumnType) -> str:
    if not number.is_finite():
        return str(number)
    wide = column_type.name == "float8"
    near = float(number)
    try:
        (stored,) = (near,) if wide else struct.unpack("f", struct.pack("f", near))
    except OverflowError:
        stored = math.inf
    if math.isinf(stored) or (stored == 0) is not (number == 0):
        raise ValueError("a number in the range of a double" if wide else "a number in the range of a float")
    return str(number)


def _matching(form: re.Pattern[str], expected: str) -> Parser:
    def parse(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(expected)
        return text

    return parse


def _bounded(size: int, expected: str) -> Parser:
    def parse(text: str) -> str:
        if len(text.encode()) > size:
            raise ValueError(expected)
        return text

    return parse


def _fitting(column_type: ColumnType) -> Parser:
    """PostgreSQL cuts blanks off what is too long, and fills bits up: both would be another value."""
    length, is_bits = column_type.length or 0, column_type.name in ("bit", "varbit")

    def parse(text: str) -> str:
        given = text.rstrip(" ") if column_type.is_padded else text
        if is_bits and (set(text) - {"0", "1"} or (column_type.name == "bit" and len(text) != length)):
            raise ValueError(f"{length} of the digits 0 and 1" if column_type.name == "bit" else "digits 0 and 1")
        if len(given) > length:
            raise ValueError(f"at most {length} characters")
        return given

    return parse


def _bytes(text: str) -> str:
    try:
        return "\\x" + base64.b64decode(text.encode("ascii"), validate=True).hex()
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("base64 (RFC 4648, section 4)") from None


def _json_document(text: str) -> str:
    try:
        json.loads(text, parse_constant=_no_constant, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise ValueError("a JSON document as text") from None
    return text


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _hstore(value: Any) -> str:
    if not isinstance(value, dict) or not all(part is None or isinstance(part, str) for part in value.values()):
        raise ValueError("an object of strings and nulls")
    return ",".join(f"{_quoted(name)}=>{'NULL' if part is None else _quoted(part)}" for name, part in value.items())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array(column_type: ColumnType) -> Taker | None:
    """An array literal. Elements may be strings or what JSON has for them, as `values` shows either."""
    element = _element(column_type)
    if element is None:
        return None
    separator = ";" if column_type.name == "box" else ","

    def write(value: Any, sizes: list[int], depth: int) -> str:
        if not isinstance(value, list):
            if depth != len(sizes):
                raise ValueError("an array whose parts are equally deep")
            return "NULL" if value is None else _quoted(element(value))
        if depth == len(sizes):
            raise ValueError("an array whose parts are equally deep")
        if len(value) != sizes[depth]:
            raise ValueError("an array whose parts are equally long")
        return "{" + separator.join([write(part, sizes, depth + 1) for part in value]) + "}"

    def take(value: Any) -> str:
        if not isinstance(value, list):
            raise ValueError("an array")
        sizes: list[int] = []
        inner: Any = value
        while isinstance(inner, list):
            sizes.append(len(inner))
            inner = inner[0] if inner else None
        if len(sizes) > 6:
            raise ValueError("an array of at most six dimensions")
        return "{}" if not value else write(value, sizes, 0)

    return take


def _element(column_type: ColumnType) -> Taker | None:
    if column_type.kind == "composite":
        return None
    name, as_text = column_type.name, column_type
    if name == "bool":
        return _boolean
    if name in ("json", "jsonb"):
        return json_text
    if name == "numeric":
        return _either(lambda number: _numeric(number, as_text))
    if name in ("float4", "float8"):
        return _either(lambda number: _floating(number, as_text))
    if name in ("int2", "int4", "int8", "oid"):
        return _either(_whole)
    element = ColumnType(column_type.sql, name, column_type.schema, column_type.kind, length=column_type.length)
    return _texts(element, {"type": "string"}, _label(column_type))


def _label(column_type: ColumnType) -> Parser:
    def parse(text: str) -> str:
        if column_type.kind == "enum" and text not in column_type.labels:
            raise ValueError("elements among " + ", ".join(column_type.labels))
        return text

    return parse


def _either(write: Callable[[Decimal], str]) -> Taker:
    """A number, or the string that shows one exactly."""
    as_number = _number(write)
    return lambda value: write(_decimal(value)) if isinstance(value, str) else as_number(value)

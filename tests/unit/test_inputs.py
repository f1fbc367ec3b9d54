"""From JSON to what PostgreSQL stores: exactly, or refused saying what was expected."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared_models.contract import BigInt, Bytes
from shared_models.meanings import coded, local, without
from shared_models.snapshot import ColumnType
from shared_models.values import Value, value_of

MONEY = ColumnType("numeric(12,2)", "numeric", precision=12, scale=2)
HUNDREDS = ColumnType("numeric(3,-2)", "numeric", precision=3, scale=-2)
NUMERIC = ColumnType("numeric", "numeric")
WALL = local(ColumnType("timestamp", "timestamp"), datetime, "America/New_York")


def base(name: str, annotation: Any = str, **more: Any) -> Value:
    return value_of(ColumnType(name, name, **more), annotation)


def stored(value: Value, given: Any) -> str:
    assert value.take is not None
    return value.take(given)


@pytest.mark.parametrize(
    ("value", "given", "text"),
    [
        (base("int4", int), 5, "5"),
        (base("int4", int), Decimal("5.0"), "5"),
        (base("int8", BigInt), "-9223372036854775808", "-9223372036854775808"),
        (value_of(MONEY, Decimal), "1.100", "1.100"),
        (value_of(MONEY, float), Decimal("9999999999.99"), "9999999999.99"),
        (value_of(HUNDREDS, Decimal), "12300", "12300"),
        (value_of(NUMERIC, Decimal), "0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        (value_of(NUMERIC, Decimal), "-Infinity", "-Infinity"),
        (base("float4", float), Decimal("-0"), "-0"),
        (base("float8", float), "NaN", "NaN"),
        (base("bool", bool), False, "false"),
        (base("bpchar", str, length=4), "ab  ", "ab"),
        (base("bytea", Bytes), "AP8=", "\\x00ff"),
        (base("date", date), "0001-10-10 BC", "0001-10-10 BC"),
        (base("timestamptz", datetime), "15000-12-31T23:40:28+00:00", "15000-12-31T23:40:28+00:00"),
        (base("jsonb", Any), {"n": Decimal("12345678901234567890.10")}, '{"n":12345678901234567890.10}'),
        (base("hstore", dict[str, str | None]), {'a"': "b\\", "n": None}, '"a\\""=>"b\\\\","n"=>NULL'),
        (base("text", list[str], arrays=1), ['a"b', None, "NULL"], '{"a\\"b",NULL,"NULL"}'),
        (base("int4", list[int], arrays=1), [[1, 2], [3, 4]], '{{"1","2"},{"3","4"}}'),
        (base("numeric", list[Decimal], arrays=1), ["1.10", "NaN"], '{"1.10","NaN"}'),
        (WALL, "2024-07-01T10:00:00.5+02:00", "2024-07-01 04:00:00.500000"),
        (WALL, "2024-11-03T06:30:00Z", "2024-11-03 01:30:00"),
        (WALL, "infinity", "infinity"),
    ],
)
def test_a_value_is_stored_exactly(value: Value, given: Any, text: str) -> None:
    assert stored(value, given) == text


@pytest.mark.parametrize(
    ("value", "given", "expected"),
    [
        (base("int4", int), True, "a number"),
        (base("int4", int), Decimal("1.5"), "a whole number"),
        (base("int4", int), 2**31, "a whole number from"),
        (base("int8", BigInt), 5, "a string"),
        (value_of(MONEY, Decimal), "1.101", "2 behind"),
        (value_of(MONEY, Decimal), "10000000000", "10 digits before the point"),
        (value_of(MONEY, Decimal), "Infinity", "not infinite"),
        (value_of(MONEY, float), "1.10", "a number"),
        (value_of(HUNDREDS, Decimal), "12345", "a multiple of 100"),
        (base("float4", float), Decimal("1e39"), "range of a float"),
        (base("float8", float), Decimal("1e-400"), "range of a double"),
        (base("bool", bool), "true", "true or false"),
        (base("varchar", str, length=3), "abc ", "at most 3 characters"),
        (base("bit", str, length=4), "101", "4 of the digits"),
        (base("bytea", Bytes), "A", "base64"),
        (base("char", str), "é", "one ASCII character"),
        (base("json", str), "{", "a JSON document"),
        (base("int4", list[int], arrays=1), [[1], [2, 3]], "equally long"),
        (base("int4", list[int], arrays=1), [1, [2]], "equally deep"),
        (base("int4", list[int], arrays=1), 1, "an array"),
        (base("hstore", dict[str, str | None]), {"a": 1}, "an object of strings"),
        (base("date", date), "29.02.2024", "a date"),
        (WALL, "2024-11-03T05:30:00Z", "comes twice"),
        (WALL, "2024-11-03T05:30:00", "with its offset"),
    ],
)
def test_what_would_be_stored_as_something_else_is_refused(value: Value, given: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        stored(value, given)


def test_a_composite_can_be_read_only_unless_it_is_text() -> None:
    pair = ColumnType("public.pair", "pair", "public", "composite")
    assert value_of(pair, dict).take is None
    assert stored(value_of(pair, str), '(1,"x y")') == '(1,"x y")'


def test_codes_and_sentinels_are_stored_as_the_contract_says() -> None:
    code = ColumnType("smallint", "int2")
    status = coded(code, str, {10: "open", 11: "open", 20: "closed"}, "odd")
    assert stored(status, "open") == "10"
    with pytest.raises(ValueError, match="one of"):
        stored(status, "odd")
    day = ColumnType("date", "date")
    ended = without(value_of(day, date | None), day, [date(1900, 1, 1)])
    assert ended.none == "1900-01-01"
    with pytest.raises(ValueError, match="null"):
        stored(ended, "1900-01-01")

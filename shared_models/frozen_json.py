"""Frozen dataclasses as JSON a person can review: stable order, defaults left out, one line per small object.

A field whose metadata says `volatile` or `derived` is not written. Supported field types: str, int, bool,
Literal, dataclasses, `X | None`, `tuple[X, ...]` and `tuple[X, Y]`.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Frozen = TypeVar("Frozen")


def encode(value: Any) -> str:
    """Objects that hold lists of objects are spread over lines, every other object stands on one line."""
    return "".join(_lines(_plain(value), "")) + "\n"


def decode(cls: type[Frozen], text: str) -> Frozen:
    """The value that `encode` wrote. Raises ValueError with a fault's place: `tables[3].columns[0].type`."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    value: Frozen = _build(cls, data, "")
    return value


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        written = ((field, getattr(value, field.name)) for field in _written(type(value)))
        return {field.name: _plain(part) for field, part in written if part != field.default}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


@cache
def _written(cls: Any) -> tuple[Field[Any], ...]:
    return tuple(f for f in fields(cls) if not f.metadata.get("volatile") and not f.metadata.get("derived"))


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and any(_is_list_of_objects(part) for part in value.values()):
        yield from _spread("{", "}", ((json.dumps(key) + ": ", part) for key, part in value.items()), indent)
    elif _is_list_of_objects(value):
        yield from _spread("[", "]", (("", part) for part in value), indent)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _spread(opening: str, closing: str, parts: Iterator[tuple[str, Any]], indent: str) -> Iterator[str]:
    yield opening
    separator = "\n"
    for prefix, part in parts:
        yield f"{separator}{indent} {prefix}"
        yield from _lines(part, indent + " ")
        separator = ",\n"
    yield f"\n{indent}{closing}"


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _build(hint: Any, data: Any, place: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if data is None else _build(next(a for a in arguments if a is not type(None)), data, place)
    if origin is tuple:
        return _build_tuple(arguments, data, place)
    if origin is Literal:
        return _expect(data in arguments, data, place, f"one of {', '.join(map(repr, arguments))}")
    if is_dataclass(hint):
        return _build_dataclass(hint, data, place)
    fits = isinstance(data, hint) and (hint is bool or not isinstance(data, bool))
    return _expect(fits, data, place, getattr(hint, "__name__", str(hint)))


def _build_tuple(arguments: tuple[Any, ...], data: Any, place: str) -> tuple[Any, ...]:
    _expect(isinstance(data, list), data, place, "a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_build(arguments[0], part, f"{place}[{n}]") for n, part in enumerate(data))
    _expect(len(data) == len(arguments), data, place, f"a list of {len(arguments)}")
    return tuple(_build(a, part, f"{place}[{n}]") for n, (a, part) in enumerate(zip(arguments, data, strict=True)))


def _build_dataclass(cls: Any, data: Any, place: str) -> Any:
    _expect(isinstance(data, dict), data, place, "an object")
    hints, values = _hints(cls), {}
    for field in _written(cls):
        if field.name in data:
            values[field.name] = _build(hints[field.name], data[field.name], f"{place}.{field.name}".lstrip("."))
        elif field.default is MISSING:
            raise ValueError(f"{place or 'top level'}: {field.name!r} is missing")
    return cls(**values)


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


def _expect(fits: bool, data: Any, place: str, wanted: str) -> Any:
    if not fits:
        raise ValueError(f"{place or 'top level'}: {wanted} expected, found {json.dumps(data)[:60]}")
    return data

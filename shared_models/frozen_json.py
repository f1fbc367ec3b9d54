"""Frozen dataclasses as JSON a person can review: stable order, defaults left out, one line per small object.

A field whose metadata says `volatile` or `derived` is not written. Supported field types: str, int, bool,
Literal, dataclasses, `X | None`, `tuple[X, ...]` and `tuple[X, Y]`.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from itertools import repeat
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

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
    try:
        value: Frozen = _builder(cast("Any", cls))(data)
    except _Fault as fault:
        raise ValueError(f"{fault.place or 'top level'}: {fault.message}") from None
    return value


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is tuple:
        return [_plain(part) for part in value]
    return {n: _plain(part) for n, default in _names(cast("Any", kind)) if (part := getattr(value, n)) != default}


_AS_THEY_ARE = frozenset({str, int, bool, type(None)})


@cache
def _names(cls: Any) -> tuple[tuple[str, Any], ...]:
    """Of a dataclass: what is written of it, and the default that is not."""
    return tuple((field.name, field.default) for field in _written(cls))


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


class _Fault(Exception):
    """What is wrong with a piece; its place is put together on the way out, so that what is right pays nothing."""

    def __init__(self, wanted: str, data: Any) -> None:
        super().__init__(wanted)
        self.message = f"{wanted} expected, found {json.dumps(data)[:60]}"
        self.place = ""

    def at(self, step: str) -> _Fault:
        self.place = step + (self.place if not self.place or self.place.startswith("[") else f".{self.place}")
        return self


Build = Callable[[Any], Any]


@cache
def _builder(hint: Any) -> Build:
    """The function that builds a value of this type out of what JSON gives."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _builder(next(a for a in arguments if a is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin is tuple:
        return _tuple_builder(arguments)
    if origin is Literal:
        wanted = f"one of {', '.join(map(repr, arguments))}"
        return lambda data: data if data in arguments else _raise(wanted, data)
    if is_dataclass(hint):
        return _dataclass_builder(hint)
    name = getattr(hint, "__name__", str(hint))
    return lambda data: data if type(data) is hint else _raise(name, data)


def _tuple_builder(arguments: tuple[Any, ...]) -> Build:
    many = len(arguments) == 2 and arguments[1] is Ellipsis
    parts = [_builder(argument) for argument in arguments if argument is not Ellipsis]

    def build(data: Any) -> tuple[Any, ...]:
        if type(data) is not list:
            _raise("a list", data)
        if not many and len(data) != len(parts):
            _raise(f"a list of {len(parts)}", data)
        built: list[Any] = []
        try:
            for part, piece in zip(repeat(parts[0]) if many else parts, data, strict=False):
                built.append(part(piece))
        except _Fault as fault:
            raise fault.at(f"[{len(built)}]") from None
        return tuple(built)

    return build


def _dataclass_builder(cls: Any) -> Build:
    hints = get_type_hints(cls)
    parts = {field.name: _builder(hints[field.name]) for field in _written(cls)}
    required = [field.name for field in _written(cls) if field.default is MISSING]

    def build(data: Any) -> Any:
        if type(data) is not dict:
            _raise("an object", data)
        values = {}
        name = ""
        try:
            for name, piece in data.items():
                part = parts.get(name)
                if part is not None:
                    values[name] = part(piece)
        except _Fault as fault:
            raise fault.at(name) from None
        for name in required:
            if name not in values:
                raise _Missing(name)
        return cls(**values)

    return build


class _Missing(_Fault):
    def __init__(self, name: str) -> None:
        super().__init__("", None)
        self.message = f"{name!r} is missing"


def _raise(wanted: str, data: Any) -> Any:
    raise _Fault(wanted, data)

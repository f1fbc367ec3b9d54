"""What a type annotation says: `Annotated[int | None, …]` is an int, may be None, and carries markers."""

from __future__ import annotations

import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin


def bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """An annotation without `| None` and Annotated, and the metadata found on the way."""
    markers: tuple[Any, ...] = ()
    while not isinstance(annotation, type):
        origin = _origin(annotation)
        if origin is Annotated:
            markers += annotation.__metadata__
            annotation = annotation.__origin__
        elif origin in (Union, types.UnionType):
            rest = [part for part in get_args(annotation) if part is not type(None)]
            if len(rest) != 1:
                return annotation, markers
            annotation = rest[0]
        else:
            break
    return annotation, markers


def _origin(annotation: Any) -> Any:
    """`typing.get_origin`, with what most fields of a contract are, `X | None`, looked at first."""
    return types.UnionType if type(annotation) is types.UnionType else get_origin(annotation)


def is_optional(annotation: Any) -> bool:
    origin = None if isinstance(annotation, type) else _origin(annotation)
    if origin is Annotated:
        return is_optional(annotation.__origin__)
    if origin in (Union, types.UnionType):
        return type(None) in get_args(annotation)
    return annotation is Any or annotation is None


def name_of(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def choices(annotation: Any) -> tuple[Any, ...] | None:
    """The values of an Enum class or a Literal."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(member.value for member in annotation)
    return get_args(annotation) if get_origin(annotation) is Literal else None

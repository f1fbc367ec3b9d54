"""What a field's own annotation asks of a written value besides its type: `Field(min_length=1)`, `Field(ge=0)`.

They bind whoever writes. What is stored already may break them, and is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from annotated_types import BaseMetadata
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from shared_models.annotations import bare
from shared_models.values import Value

_WORDS = frozenset(
    {"minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)


def limits_of(info: FieldInfo) -> Mapping[str, Any]:
    """As JSON Schema; empty when there are none, or none that it can say."""
    adapter = _adapter(info)
    schema = adapter.json_schema() if adapter is not None else {}
    return {word: value for word, value in schema.items() if word in _WORDS}


def limited(value: Value, info: FieldInfo) -> Value:
    """The value, whose `take` refuses what the annotation does not allow."""
    adapter, take = _adapter(info), value.take
    if adapter is None or take is None:
        return value

    def within(given: Any) -> str:
        text = take(given)
        try:
            adapter.validate_python(given)
        except ValidationError as error:
            raise ValueError(str(error.errors()[0]["msg"])) from None
        return text

    return replace(value, take=within)


def _adapter(info: FieldInfo) -> TypeAdapter[Any] | None:
    constraints = [metadata for metadata in info.metadata if isinstance(metadata, BaseMetadata)]
    if not constraints:
        return None
    annotation: Any = Annotated.__class_getitem__((bare(info.annotation)[0], *constraints))  # type: ignore[attr-defined]  # typing leaves it untyped
    return TypeAdapter(annotation)

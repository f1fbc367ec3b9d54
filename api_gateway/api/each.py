"""A row that is judged by itself: `list[Each[NewOrder]]` takes what fits, and knows what is wrong with the rest.

For operations that answer row by row. In the OpenAPI document each is what it should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, get_args

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from api_gateway.api.problems import faults_of_a_body
from api_gateway.errors import FieldError

Value = TypeVar("Value")


class Each(Generic[Value]):  # no dataclass: pydantic would take it for one of its own
    """`value` where it fits; else None and the `faults`, their pointers within the row."""

    def __init__(self, value: Value | None, faults: Sequence[FieldError] = ()) -> None:
        self.value, self.faults = value, faults

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (inner,) = get_args(source)
        return core_schema.no_info_wrap_validator_function(cls._judged, handler.generate_schema(inner))

    @classmethod
    def _judged(cls, given: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Each[Any]:
        try:
            return Each(validate(given))
        except ValidationError as error:
            return Each(None, faults_of_a_body(error.errors(include_url=False)))

"""What makes schemathesis quick: groups of filters that it can generate in a tenth of the time. No answer needs it."""

from __future__ import annotations

import os
from typing import Any

import schemathesis

from tests.support.generated_filters import with_single_conditions


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    if os.environ.get("SINGLE_CONDITIONS"):
        raw_schema.update(with_single_conditions(raw_schema))

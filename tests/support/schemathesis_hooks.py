"""What a schema cannot tell schemathesis: a cursor is not made up, it is taken from a page.

Cursors that no page has given are left out of requests that are meant to be valid; `test_api_refusals` is about those.
"""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis

from tests.support.generated_filters import with_single_conditions

_seen: set[str] = set()


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    if os.environ.get("SINGLE_CONDITIONS"):
        raw_schema.update(with_single_conditions(raw_schema))


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or not case.query:
        return
    if case.query.get("cursor") not in _seen:
        case.query.pop("cursor", None)


@schemathesis.hook
def after_call(_context: Any, _case: Any, response: Any) -> None:
    if response.status_code != 200:
        return
    try:
        document = json.loads(response.content)
    except ValueError:
        return
    cursor = document.get("next_cursor") if isinstance(document, dict) else None
    if cursor:
        _seen.add(cursor)

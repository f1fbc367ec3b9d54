"""Filter groups that a generator of requests can afford.

The pattern of `or`, `and`, `not` and `….where` allows eight conditions and groups of eight among them. To make a
generator out of that costs seconds for each parameter of each operation: nine tenths of a run.
"""

from __future__ import annotations

from typing import Any

_OPENING = r"^\((?:"
_FIRST_GROUP = r"|(?:or|and|not)\("


def with_single_conditions(document: dict[str, Any]) -> dict[str, Any]:
    """The API document, where every group holds one condition: any field, operator and value, as before."""
    schemas = document["components"]["schemas"]
    simple = {
        name: _simple(schema) if schema.get("pattern", "").startswith(_OPENING) else schema
        for name, schema in schemas.items()
    }
    return {**document, "components": {**document["components"], "schemas": simple}}


def _simple(schema: dict[str, Any]) -> dict[str, Any]:
    condition, found, _ = schema["pattern"].removeprefix(_OPENING).partition(_FIRST_GROUP)
    assert found, f"not the pattern of a filter: {schema['pattern'][:80]}"
    return {**schema, "pattern": rf"^\({condition}\)$"}

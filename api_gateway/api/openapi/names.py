"""Names that generated clients are made of: once published they stay."""

from __future__ import annotations

import re

from shared_models.resources import BoundResource


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def get_id(resource: BoundResource) -> str:
    return f"get_{snake(resource.name)}"


def list_id(resource: BoundResource) -> str:
    return f"list_{str(resource.path).replace('-', '_')}"

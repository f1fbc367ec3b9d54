"""What was found once is kept in the project's `cases/`, one file each, and asked again ever after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api_gateway.errors import UsageError
from api_gateway.project import Project
from api_gateway.verify.calls import Call
from api_gateway.verify.findings import Found

FOLDER = "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """Calls that once showed a difference. `differences`: which, for people."""

    name: str
    calls: list[Call]
    differences: list[Mapping[str, Any]]


def keep(project: Project, found: Found) -> Path:
    """Write a case down; the same calls are the same file. Callers are named, their secrets are nowhere in it."""
    document = {
        "calls": [call.as_json() for call in found.calls],
        "differences": [difference.as_json() for difference in found.trial.comparison.differences[:8]],
    }
    digest = hashlib.sha256(json.dumps(document["calls"], sort_keys=True).encode()).hexdigest()[:8]
    path = project.folder / FOLDER / f"{found.route}-{digest}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def kept(project: Project, routes: set[str]) -> list[Case]:
    """The cases of these routes. Raises UsageError naming a file that is none."""
    found = []
    for path in sorted((project.folder / FOLDER).glob("*.json")):
        try:
            document = json.loads(path.read_text("utf-8"))
            calls = [Call.from_json(call) for call in document["calls"]]
            case = Case(path.stem, calls, list(document.get("differences", ())))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: no case of verify: {error}") from None
        if calls and {call.route for call in calls} <= routes:
            found.append(case)
    return found

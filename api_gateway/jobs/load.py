"""The project's tasks: `tasks`, a list of decorated functions, in its `tasks.py` or `tasks/__init__.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api_gateway.errors import UsageError
from api_gateway.jobs.task import Task
from api_gateway.project import Project


def load_tasks(project: Project) -> Mapping[str, Task[Any]]:
    """By name; none when the project has no such file. Raises UsageError in one line for a file that is wrong."""
    folder = project.folder
    if not (folder / "tasks.py").exists() and not (folder / "tasks" / "__init__.py").exists():
        return {}
    listed = getattr(project.module("tasks"), "tasks", None)
    if not isinstance(listed, (list, tuple)) or not all(isinstance(one, Task) for one in listed):
        raise UsageError(f"{folder.name}/tasks must define `tasks`, a list of functions decorated with @task(…).")
    found = {one.name: one for one in listed}
    if len(found) < len(listed):
        twice = sorted({one.name for one in listed if sum(other.name == one.name for other in listed) > 1})
        raise UsageError(f"{folder.name}/tasks: two tasks of one name: {', '.join(twice)}.")
    return found

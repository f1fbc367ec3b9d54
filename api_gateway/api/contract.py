"""A project's contract, loaded: its resources bound to the committed snapshot, and its operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from api_gateway.api.operations import operation_of
from api_gateway.errors import UsageError
from api_gateway.jobs import load_tasks
from api_gateway.project import Project
from shared_models.binding import bind, bind_what_fits, tables_of
from shared_models.granting import Wanted, wanted
from shared_models.grants import Touches, grants, missing, touches_of
from shared_models.resources import ContractError, Resources
from shared_models.snapshot import Snapshot

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Contract:
    resources: Resources
    operations: tuple[Handler, ...]

    def scopes(self) -> tuple[str, ...]:
        """Every scope that a consumer can be given."""
        of_resources = {scope for resource in self.resources for scope in resource.scopes if scope is not None}
        return tuple(sorted(of_resources | {operation_of(handler).scope for handler in self.operations}))


def load_snapshot(project: Project, only: Collection[tuple[str, str]] | None = None) -> Snapshot:
    """The committed one, or of it only these tables: (schema, name). Raises UsageError when it cannot be read."""
    path = project.snapshot_path
    try:
        return Snapshot.from_json(path.read_text("utf-8"), only)
    except FileNotFoundError:
        raise UsageError(f"{path.name} is missing.", hint="`banyan check --write` takes a snapshot.") from None
    except ValueError as error:
        raise UsageError(f"{path.name}: {error}") from None


def load_contract(project: Project, snapshot: Snapshot | None = None, *, strict: bool = True) -> Contract:
    """Raises UsageError, one line per fault. Not strict: resources that do not fit are out of service instead.

    `snapshot`: another one than the committed, such as the live schema. Of the committed one only the contract's own
    tables are read: a start costs what is served, not what the database holds.
    """
    contract = project.module("contract")
    found = snapshot or load_snapshot(project, tables_of(contract))
    zone = project.configuration.api.time_zone
    try:
        binder = bind if strict else bind_what_fits
        resources = binder(contract, found, zone=zone)
    except ContractError as error:
        raise UsageError(str(error)) from None
    return Contract(resources, _operations(project))


def touched_by(project: Project, contract: Contract) -> list[Touches]:
    """What operations, mimics and tasks declare to touch besides the contract's own columns."""
    mimics = [route.mimic for route in project.routes.values() if route.mimic is not None]
    tasks = [task.run for task in load_tasks(project).values()]
    return touches_of([*contract.operations, *mimics, *tasks])


def wanted_grants(project: Project, contract: Contract) -> Wanted:
    """What the database must grant for resources, operations, mimics and tasks.

    Raises UsageError when `@touches` names what the schema does not have.
    """
    touched, snapshot = touched_by(project, contract), load_snapshot(project)
    columns = grants(contract.resources, touched, snapshot)
    if lost := missing(columns, snapshot):
        raise UsageError(f"@touches names what the schema does not have: {', '.join(lost)}")
    return wanted(columns, touched, snapshot, contract.resources)


def _operations(project: Project) -> tuple[Handler, ...]:
    """`operations`, a list of decorated functions, in the project's `operations/__init__.py` or its contract."""
    modules = [project.module("contract")]
    if (project.folder / "operations" / "__init__.py").exists():
        modules.append(project.module("operations"))
    handlers = [handler for module in modules for handler in _listed(module)]
    for handler in handlers:
        try:
            operation_of(handler)
        except TypeError as error:
            raise UsageError(f"{project.folder.name}: {error}") from None
    return tuple(dict.fromkeys(handlers))


def _listed(module: ModuleType) -> list[Handler]:
    listed = getattr(module, "operations", [])
    if isinstance(listed, ModuleType):  # the sub-package itself, imported by somebody
        return []
    if not isinstance(listed, (list, tuple)):
        raise UsageError(f"{module.__name__}: `operations` must be a list of functions.")
    return list(listed)

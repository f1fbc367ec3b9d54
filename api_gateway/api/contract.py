"""A project's contract, loaded: each version's resources bound to the committed snapshot, and its operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from api_gateway.accounts.rows import owner_deletes, owner_grants
from api_gateway.api.operations import operation_of
from api_gateway.errors import UsageError
from api_gateway.jobs import load_tasks
from api_gateway.project import Project, age_of
from shared_models.binding import bind, bind_what_fits, tables_of
from shared_models.contract import Deprecated, Resource
from shared_models.granting import Wanted, wanted
from shared_models.grants import Touches, grants, missing, touches_of
from shared_models.resources import BoundResource, ContractError, Resources
from shared_models.snapshot import Snapshot

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Contract:
    """One version of the API, over the same tables as every other.

    beside  the other versions that are served with it; filled in only in the project's own (`contract.py`)
    """

    resources: Resources
    operations: tuple[Handler, ...]
    version: str = "v1"
    deprecated: Deprecated | None = None
    beside: tuple[Contract, ...] = ()

    @property
    def versions(self) -> tuple[Contract, ...]:
        """This one first."""
        return (self, *self.beside)

    @property
    def in_order(self) -> tuple[Contract, ...]:
        """The oldest first."""
        return tuple(sorted(self.versions, key=lambda one: age_of(one.version)))

    @property
    def every_operation(self) -> tuple[Handler, ...]:
        """Of all versions; one that several serve once."""
        return tuple(dict.fromkeys(handler for version in self.versions for handler in version.operations))

    def scopes(self) -> tuple[str, ...]:
        """Every scope that a consumer can be given."""
        resources = (resource for version in self.versions for resource in version.resources)
        of_resources = {scope for resource in resources for scope in resource.scopes if scope is not None}
        return tuple(sorted(of_resources | {operation_of(handler).scope for handler in self.every_operation}))

    def together(self) -> Resources:
        """The resources of all versions: for what is about tables and rows, and not about addresses."""
        bound: dict[type[Resource], BoundResource] = dict(self.resources.bound)
        for version in self.beside:
            for cls, resource in version.resources.bound.items():
                known = bound.get(cls)
                bound[cls] = resource if known is None else replace(known, columns=known.columns | resource.columns)
        return Resources(bound) if self.beside else self.resources


@dataclass(frozen=True, slots=True)
class Served:
    """What of one version the live schema allows. `without`: the operations that cannot run."""

    resources: Resources
    without: frozenset[str] = frozenset()


def load_snapshot(project: Project, only: Collection[tuple[str, str]] | None = None) -> Snapshot:
    """The committed one, or of it only these tables: (schema, name). Raises UsageError when it cannot be read."""
    path = project.snapshot_path
    try:
        return Snapshot.read(path, only)
    except FileNotFoundError:
        raise UsageError(f"{path.name} is missing.", hint="`banyan check --write` takes a snapshot.") from None
    except ValueError as error:
        raise UsageError(f"{path.name}: {error}") from None


def load_contract(project: Project, snapshot: Snapshot | None = None, *, strict: bool = True) -> Contract:
    """All versions. Raises UsageError, one line per fault. Not strict: what does not fit is out of service instead.

    `snapshot`: another one than the committed, such as the live schema. Of the committed one only the contract's own
    tables are read: a start costs what is served, not what the database holds.
    """
    modules = contract_modules(project)
    found = snapshot or load_snapshot(project, frozenset().union(*map(tables_of, modules.values())))
    zone = project.configuration.api.time_zone
    binder = bind if strict else bind_what_fits
    versions: dict[str, Contract] = {}
    faults: list[str] = []
    for name, module in modules.items():
        try:
            resources = binder(module, found, zone=zone)
        except ContractError as error:
            faults.append(str(error))
            continue
        versions[name] = Contract(resources, _operations(project, module), name, _deprecated(module))
    if faults:
        raise UsageError("\n".join(faults))
    own = versions.pop(project.configuration.api.version)
    return replace(own, beside=tuple(versions.values()))


def contract_modules(project: Project) -> Mapping[str, ModuleType]:
    """The module of each version, the oldest first. Raises UsageError."""
    return {version: project.module(name) for version, name in project.versions.items()}


def touched_by(project: Project, contract: Contract) -> list[Touches]:
    """What operations, mimics and tasks declare to touch besides the contract's own columns."""
    mimics = [route.mimic for route in project.routes.values() if route.mimic is not None]
    tasks = [task.run for task in load_tasks(project).values()]
    return touches_of([*contract.every_operation, *mimics, *tasks])


def wanted_grants(project: Project, contract: Contract, snapshot: Snapshot | None = None) -> Wanted:
    """What the database must grant for resources, operations, mimics, tasks and accounts.

    `snapshot`: where it is at hand.

    Raises UsageError when `@touches` or `[accounts]` names what the schema does not have.
    """
    touched, snapshot = touched_by(project, contract), snapshot or load_snapshot(project)
    resources = contract.together()
    columns = grants(resources, touched, snapshot)
    if lost := missing(columns, snapshot):
        raise UsageError(f"@touches names what the schema does not have: {', '.join(lost)}")
    sources = project.configuration.accounts.values()
    of_accounts = owner_grants(sources)
    if lost := missing(of_accounts, snapshot):
        raise UsageError(f"[accounts] in banyan.toml names what the schema does not have: {', '.join(lost)}")
    return wanted([*columns, *of_accounts], touched, snapshot, resources, owner_deletes(sources))


def _deprecated(module: ModuleType) -> Deprecated | None:
    """`deprecated` of a contract module: the whole version should not be used any more."""
    found = getattr(module, "deprecated", None)
    if found is not None and not isinstance(found, Deprecated):
        raise UsageError(f"{module.__name__}: `deprecated` must be Deprecated(…).")
    return found


def _operations(project: Project, contract: ModuleType) -> tuple[Handler, ...]:
    """`operations`, a list of decorated functions, in the version's contract; of `contract.py` in `operations/` too."""
    modules = [contract]
    is_own = contract is project.module("contract")
    if is_own and (project.folder / "operations" / "__init__.py").exists():
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

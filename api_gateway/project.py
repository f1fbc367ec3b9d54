"""A project: the folder that a platform team writes, loaded by path.

banyan.toml   where legacy runs, path prefixes        contract.py    resources, operations
routes.py     the migration on one page               contract_v2.py   the same, of version 2
schema.lock.json, contract.openapi.json, contract_v2.openapi.json
"""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api_gateway.errors import UsageError
from api_gateway.identities import Cors, Issuer, Source, Tokens, check_names
from api_gateway.routes import Route, check_routes
from api_gateway.thresholds import Check, Gate, Rollback
from shared_models.session import Convention

_VERSION = re.compile(r"contract_(v[1-9][0-9]{0,5})")


def age_of(version: str) -> tuple[int, str]:
    """v2 is before v10; a name that is no number is before them all."""
    number = re.fullmatch(r"v([0-9]+)", version)
    return (int(number[1]) if number else -1, version)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Legacy(_Table):
    """The legacy app: where it listens, and how one machine starts it for `up` and `verify`.

    `start`, `prepare` and the values of `env` may hold `{host}`, `{port}`, `{database_url}`; they run in `workdir`,
    a folder relative to the project's. `prepare` commands run when the embedded database is new.
    """

    url: str | None = None
    twin: str | None = None
    compared: float = Field(0.05, ge=0, le=1)
    start: str | None = None
    prepare: tuple[str, ...] = ()
    workdir: str = "."
    env: Mapping[str, str] = Field(default_factory=dict)
    ready_path: str = "/"
    panel_path: str = "/"
    panel_login: Mapping[str, str] = Field(default_factory=dict)


class Api(_Table):
    """`url`: the origin under which callers know it; with it the addresses of problem types are whole."""

    prefix: str = "/api"
    url: str | None = Field(None, pattern=r"^https?://[^/?#\s]+$")
    version: str = "v1"
    title: str = "API"
    jobs: str = Field("jobs", pattern=r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*$")
    time_zone: str = "UTC"

    @property
    def problem_types(self) -> str:
        """What the `type` of every problem document begins with (RFC 9457, section 3.1.1)."""
        return f"{self.url or ''}{self.prefix}/problems/"


class DatabaseSession(_Table):
    """The host database's own convention of telling it who acts: a role, settings; values are templates."""

    role: str | None = None
    settings: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_readable(self) -> DatabaseSession:
        self.convention()
        return self

    def convention(self) -> Convention:
        """Raises ValueError for a template or a setting's name that cannot be."""
        return Convention.of(self.role, self.settings)


class DatabaseTable(_Table):
    session: DatabaseSession = Field(default_factory=DatabaseSession)


class Limits(_Table):
    """What one caller may ask of the typed API. Requests per minute, and PostgreSQL's cost of one list; 0: any."""

    requests_per_minute: int = Field(60_000, ge=0)
    anonymous_per_minute: int = Field(600, ge=0)
    account_per_minute: int = Field(600, ge=0)
    plan_cost: float = Field(100_000, ge=0)


class Edge(_Table):
    """`trusted_hops`: proxies in front of the edge whose X-Forwarded-For is believed.

    `unlisted_share`: of the requests that are not listed, whose heads are looked at for the inventory; 0: none.
    """

    trusted_hops: int = 0
    unlisted_share: float = Field(0.1, ge=0, le=1)


class Login(_Table):
    """How `verify` signs in at the legacy app, by the form of a page. Values may hold the places of `legacy.env`.

    fields  what is typed into the form; what else it holds is sent back as it is. `{password}`: BANYAN_VERIFY_PASSWORD.
    query   what the app's addresses carry of the session, added to every request.
    tokens  hidden fields against forgery: as the page after the sign-in has them, they are sent with every form.
    """

    path: str = Field(pattern="^/")
    fields: Mapping[str, str] = Field(min_length=1)
    query: Mapping[str, str] = Field(default_factory=dict)
    tokens: tuple[str, ...] = ()


class Verify(_Table):
    """What `banyan verify` needs to know of the legacy app beyond how it is started.

    env   environment of both sides, each with its own sinks: `{smtp_host}`, `{smtp_port}`, `{http_url}`, `{files}`.
    wait  seconds after each write for what a side does once it has answered.
    keys  columns that the legacy app fills with keys of its own, such as from a counter: `orders.order_no`.
    """

    env: Mapping[str, str] = Field(default_factory=dict)
    wait: float = Field(0.0, ge=0, le=60)
    login: Login | None = None
    keys: tuple[str, ...] = ()


class Notices(_Table):
    """Who is told by mail when something went back by itself. (A webhook is a secret: BANYAN_NOTICE_WEBHOOK.)"""

    mail_to: tuple[str, ...] = ()
    mail_from: str = "banyan@localhost"


class Configuration(_Table):
    """`banyan.toml`, whole."""

    name: str
    schemas: tuple[str, ...] = ("public",)
    legacy: Legacy = Field(default_factory=Legacy)
    api: Api = Field(default_factory=Api)
    limits: Limits = Field(default_factory=Limits)
    edge: Edge = Field(default_factory=Edge)
    gate: Gate = Field(default_factory=Gate)
    rollback: Rollback = Field(default_factory=Rollback)
    checks: Mapping[str, Check] = Field(default_factory=dict)
    notices: Notices = Field(default_factory=Notices)
    database: DatabaseTable = Field(default_factory=DatabaseTable)
    accounts: Mapping[str, Source] = Field(default_factory=dict)
    issuers: Mapping[str, Issuer] = Field(default_factory=dict)
    tokens: Tokens = Field(default_factory=Tokens)
    cors: Cors = Field(default_factory=Cors)
    verify: Verify = Field(default_factory=Verify)
    traffic: str | None = None  # module of simulated partners, for the demonstration

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Configuration:
        check_names({**self.accounts, **self.issuers})
        if both := sorted(self.accounts.keys() & self.issuers.keys()):
            raise ValueError(f"{', '.join(both)} cannot be both accounts and issuer: their principals would meet")
        return self


@dataclass(frozen=True, slots=True)
class Project:
    """A loaded project. Modules are imported when first asked for."""

    folder: Path
    configuration: Configuration
    package: str
    routes: Mapping[str, Route] = attribute(default_factory=dict)

    @property
    def convention(self) -> Convention:
        """How the host database wants to be told who acts."""
        return self.configuration.database.session.convention()

    def together(self, route: Route) -> tuple[Route, ...]:
        """The routes of its group, it among them, as routes.py has them; it alone where it has none."""
        return tuple(one for one in self.routes.values() if route.group and one.group == route.group) or (route,)

    @property
    def snapshot_path(self) -> Path:
        return self.folder / "schema.lock.json"

    @property
    def openapi_path(self) -> Path:
        return self.folder / "contract.openapi.json"

    @property
    def versions(self) -> Mapping[str, str]:
        """The contract module by version, the oldest first: `contract.py` is `api.version`, `contract_v2.py` is v2.

        Raises UsageError where two files are one version.
        """
        found = {self.configuration.api.version: "contract"}
        for path in sorted(self.folder.glob("contract_v*.py")):
            match = _VERSION.fullmatch(path.stem)
            if match and match[1] in found:
                raise UsageError(f"{path.name} and {found[match[1]]}.py are both version {match[1]} of the API.")
            found.update({match[1]: path.stem} if match else {})
        return dict(sorted(found.items(), key=lambda pair: age_of(pair[0])))

    def openapi_path_of(self, version: str) -> Path:
        """Where the frozen document of this version lies."""
        return self.folder / f"{self.versions[version]}.openapi.json"

    def module(self, name: str) -> ModuleType:
        """Import `name` (such as `contract`) out of the project. Raises UsageError with file and line of a fault."""
        try:
            return importlib.import_module(f"{self.package}.{name}")
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(f"{_place(error, self.folder)}: {type(error).__name__}: {error}") from error


def load_project(folder: Path) -> Project:
    """Read banyan.toml and routes.py. Raises UsageError in one line when there is no project or a file is wrong."""
    folder = folder.resolve()
    configuration = read_configuration(folder)
    project = Project(folder, configuration, _package(folder))
    if not (folder / "routes.py").exists():
        return project
    listed: Any = getattr(project.module("routes"), "routes", None)
    if not isinstance(listed, (list, tuple)) or not all(isinstance(route, Route) for route in listed):
        raise UsageError(f"{folder.name}/routes.py must define `routes`, a list of Route.")
    return Project(folder, configuration, project.package, check_routes(listed))


def read_configuration(folder: Path) -> Configuration:
    path = folder / "banyan.toml"
    try:
        return Configuration.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise UsageError(f"{folder} is no project: it has no banyan.toml.", hint="`banyan init` writes one.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path.name}: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{path.name}: {faults}") from None


def _package(folder: Path) -> str:
    """Make the folder importable under its own name, wherever it lies, without widening sys.path."""
    name = re.sub(r"\W", "_", folder.name)
    known = sys.modules.get(name)
    if known is None or str(folder) not in [str(p) for p in getattr(known, "__path__", [])]:
        for stale in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
            del sys.modules[stale]
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def _place(error: BaseException, folder: Path) -> str:
    """`file:line` of the innermost frame that lies in the project, for a message a person can act on."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    place, trace = folder.name, error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(folder):
            place = f"{path.relative_to(folder)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place

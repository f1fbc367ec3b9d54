"""`banyan edge`: keeps Envoy running at the stages of the ledger. Read top to bottom.

Envoy starts at once, with the stages kept in the file from last time; the ledger follows as soon as it can be read. A
change is acknowledged when Envoy acts on it. What goes wrong here leaves Envoy running with the last good table.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from api_gateway.edge import envoy
from api_gateway.edge.admin import Unreachable
from api_gateway.edge.entries import Json
from api_gateway.edge.envoy import Envoy, TableRefused
from api_gateway.edge.files import EdgeFiles, lock
from api_gateway.edge.hung import end_hung_gateways
from api_gateway.edge.shape import Shape, read_upstream
from api_gateway.edge.table import everything_to_legacy, route_table
from api_gateway.errors import BanyanError, EnvironmentFault, UsageError
from api_gateway.events import ChildEnded, EdgeTableRefused, EdgeTableWritten, ProcessStarted, ProcessStopped
from api_gateway.logging import configure, report
from api_gateway.project import Configuration, load_project, read_configuration
from api_gateway.routes import ClientCertificate, Route
from api_gateway.settings import Settings
from api_gateway.stages import StageTable

if TYPE_CHECKING:  # the ledger brings SQLAlchemy along: the break-glass must not wait for it
    from api_gateway.consumers import Register

_SWAP_SECONDS = 0.8  # within which Envoy has read a table; the ledger waits a second for all of us
_LOOK_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_DRAIN_SECONDS = 0.3  # `banyan up` gives all of its processes less than a second


@dataclass(frozen=True, slots=True)
class Plan:
    """What this edge serves. `routes` is None when routes.py cannot be loaded, and `fault` says why."""

    shape: Shape
    prefixes: Sequence[str]
    routes: Sequence[Route] | None
    pass_secret: str
    fault: str = ""
    unlisted_share: float = 0.0

    def table(self, stages: StageTable) -> Json:
        if self.routes is None:
            raise TableRefused(self.fault)
        return route_table(
            self.routes,
            stages,
            prefixes=self.prefixes,
            pass_secret=self.pass_secret,
            keep_proto=self.shape.keep_proto,
            unlisted_share=self.unlisted_share,
        )


def run(settings: Settings, *, all_legacy: bool = False) -> None:
    """Run until SIGTERM or SIGINT, then stop Envoy. Killed, it leaves Envoy running, and the next one adopts it.

    `all_legacy` needs neither database nor gateway, project or secrets: everything goes to the legacy app.
    Raises UsageError or EnvironmentFault in one line.
    """
    configure("edge", form=settings.log_format, level=settings.log_level)
    files = EdgeFiles(settings.state_dir.resolve() / "edge")
    plan = all_to_legacy(settings, files) if all_legacy else planned(settings, files)
    owner = None if all_legacy else settings.require("owner_database_url")
    binary = envoy.find_envoy()
    files.prepare()
    with lock(files.folder):
        asyncio.run(Supervisor(plan, files, binary).run(owner, settings.state_dir))
        envoy.end_running(files)  # one that was just being started again


def planned(settings: Settings, files: EdgeFiles) -> Plan:
    """The plan of a project. Routes that cannot be loaded do not keep the legacy app from being reached."""
    configuration = read_configuration(settings.project.resolve())
    shape = _shape(settings, configuration, files)
    secret = settings.require("pass_secret")
    prefixes = [configuration.api.prefix]
    try:
        routes = list(load_project(settings.project).routes.values())
        shape = replace(shape, certificate_headers=certificate_headers(routes))
        return Plan(shape, prefixes, routes, secret, unlisted_share=configuration.edge.unlisted_share)
    except BanyanError as error:
        return Plan(shape, prefixes, None, secret, error.message)


def certificate_headers(routes: Iterable[Route]) -> tuple[str, ...]:
    return tuple(sorted({route.consumer.header for route in routes if isinstance(route.consumer, ClientCertificate)}))


def all_to_legacy(settings: Settings, files: EdgeFiles) -> Plan:
    """The break-glass plan: the project's configuration is used where it can be read, and not missed otherwise."""
    try:
        configuration = read_configuration(settings.project.resolve())
    except UsageError:
        if settings.legacy_url is None:
            raise
        configuration = Configuration(name="")
    return Plan(_shape(settings, configuration, files), (), (), "")


def _shape(settings: Settings, configuration: Configuration, files: EdgeFiles) -> Shape:
    url = settings.legacy_url or configuration.legacy.url
    if url is None:
        raise UsageError(
            "nothing says where the legacy app is.", hint="Give --legacy-url, or [legacy] url in banyan.toml."
        )
    legacy = read_upstream(url)
    return Shape(
        host="127.0.0.1" if settings.edge_host == "localhost" else settings.edge_host,
        port=settings.edge_port,
        legacy=legacy,
        table=files.table,
        admin_socket=files.admin_socket,
        gateways=settings.gateways,
        observer_port=settings.observer_port,
        trusted_hops=configuration.edge.trusted_hops,
        ca_file=_trusted_certificates() if legacy.tls else None,
    )


def _trusted_certificates() -> Path:
    """The system's, or those that SSL_CERT_FILE names."""
    file = ssl.get_default_verify_paths().cafile
    if file is None:
        raise EnvironmentFault(
            "there are no certificates to check an https legacy app against.", hint="SSL_CERT_FILE names them."
        )
    return Path(file)


@dataclass(slots=True)
class Supervisor:
    """One running Envoy, and the version of the table that was written for it."""

    plan: Plan
    files: EdgeFiles
    binary: Path
    envoy: Envoy | None = None
    written: str = ""
    _swapping: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, owner_url: str | None, state_dir: Path) -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await self._begin(None if owner_url is None else _kept_stages(state_dir))
        tasks = [asyncio.create_task(self._keep_alive())]
        if owner_url is not None:
            from api_gateway.ledger import watch

            tasks.append(asyncio.create_task(watch(owner_url, "edge", state_dir, self.take)))
            tasks.append(asyncio.create_task(end_hung_gateways(self.plan.shape.gateways, state_dir)))
        await stopping.wait()
        tasks[0].cancel()
        if self.envoy is not None:  # before the ledger is told: that may take long, and the port must be free soon
            await asyncio.to_thread(self.envoy.stop, drain_seconds=_DRAIN_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        report(ProcessStopped("edge"))

    async def take(self, stages: StageTable, register: Register) -> None:
        """Make Envoy act on these stages. Raises TableRefused, EnvironmentFault or Unreachable; the old table stays."""
        async with self._swapping:
            try:
                await self._swap(self.plan.table(stages), stages.version)
            except (TableRefused, EnvironmentFault, Unreachable) as error:
                report(EdgeTableRefused(str(error)))
                raise

    async def _begin(self, stages: StageTable | None) -> None:
        """Put a table in place that Envoy takes, then adopt the Envoy that runs, or start one. None: all to legacy."""
        document = await asyncio.to_thread(self._first_table, stages)
        self.files.write_table(document)
        self.written = document["version_info"]
        self.envoy = await asyncio.to_thread(envoy.adopt, self.files, self.plan.shape)
        if self.envoy is not None:
            try:
                await asyncio.to_thread(self.envoy.wait_for_table, document["version_info"], _SWAP_SECONDS)
            except (TableRefused, Unreachable):
                self.envoy = None  # it runs, and does not follow: it is replaced
        if self.envoy is None:
            await asyncio.to_thread(envoy.end_running, self.files)
            self.envoy = await asyncio.to_thread(envoy.start, self.binary, self.files, self.plan.shape)
        report(ProcessStarted("edge", f"{self.plan.shape.host}:{self.envoy.admin.port()}"))

    def _first_table(self, stages: StageTable | None) -> Json:
        """The table of these stages; else the one written last, if routes.py is what is wrong; else all to legacy."""
        if stages is not None:
            try:
                document = self.plan.table(stages)
                envoy.check_table(self.binary, self.plan.shape, document)
                return document
            except TableRefused as error:
                report(EdgeTableRefused(str(error)))
            last = self.files.read_table() if self.plan.routes is None else None
            try:
                if last is not None:
                    envoy.check_table(self.binary, self.plan.shape, last)
                    return last
            except TableRefused as error:
                report(EdgeTableRefused(str(error)))
        return everything_to_legacy(keep_proto=self.plan.shape.keep_proto)

    async def _swap(self, document: Json, version: int) -> None:
        running = self.envoy
        if running is None:
            raise Unreachable("Envoy is being started")
        if document["version_info"] != self.written:
            await asyncio.to_thread(envoy.check_table, self.binary, self.plan.shape, document)
            self.files.write_table(document)
            self.written = document["version_info"]
        await asyncio.to_thread(running.wait_for_table, document["version_info"], _SWAP_SECONDS)
        report(EdgeTableWritten(version, len(self.plan.routes or ())))

    async def _keep_alive(self) -> None:
        """Start Envoy again whenever it ended, with growing pauses while that fails."""
        pause = 0.0
        while True:
            await asyncio.sleep(_LOOK_SECONDS + pause)
            if self.envoy is not None and self.envoy.is_alive():
                pause = 0.0
                continue
            if self.envoy is not None:
                report(ChildEnded("envoy", self.envoy.exit_code, "started again"))
                self.envoy = None
            try:
                self.envoy = await asyncio.to_thread(envoy.start, self.binary, self.files, self.plan.shape)
            except EnvironmentFault as error:
                report(ChildEnded("envoy", None, error.message))
                pause = min(2 * pause + 0.2, _LONGEST_PAUSE_SECONDS)


def _kept_stages(state_dir: Path) -> StageTable:
    """The last known stages; everything at legacy when none are known."""
    from api_gateway.ledger import read_kept

    kept = read_kept(state_dir)
    return kept.table if kept is not None else StageTable()

"""The supervisor: prepare, start, describe, keep alive, stop. Read top to bottom."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from api_gateway.errors import EnvironmentFault
from api_gateway.postgres import Server, start
from api_gateway.project import Configuration, load_project, read_configuration
from api_gateway.settings import Settings
from api_gateway.up import children, readiness
from api_gateway.up.announce import Progress, announce
from api_gateway.up.children import Child
from api_gateway.up.database import embedded_database, prepare_legacy, reach
from api_gateway.up.forking import Main, preload
from api_gateway.up.instance import Instance, claim, end_leftovers, remember
from api_gateway.up.plan import (
    Program,
    legacy_program,
    our_programs,
    traffic_program,
    wants_secret_key,
    with_secret_key,
)
from api_gateway.up.ports import Ports, choose_ports

_LEAST_FREE_BYTES = 300 * 1024 * 1024
_READY_SECONDS = 45.0
_STOP_SECONDS = 0.9  # all of ours together; with PostgreSQL after them, everything is gone within two seconds


@dataclass(slots=True)
class Running:
    """What is up so far; whatever happens, `stop` ends it."""

    instance: Instance
    main: Main
    server: Server | None = None
    pairs: list[tuple[Program, Child]] = field(default_factory=list)
    stopping: bool = False

    @property
    def all(self) -> list[Child]:
        return [child for _, child in self.pairs]

    def launch(self, program: Program, environment: Mapping[str, str]) -> None:
        merged = {**environment, **program.environment}
        log = self.instance.log(program.name)
        child = Child(program.name, program.command, merged, log, program.folder, verb=program.verb)
        child.start_copied(self.main) if program.verb else child.start()
        self.pairs.append((program, child))
        self.remember()

    def remember(self) -> None:
        """Keep every process on file from its first moment: this one may be killed in the next."""
        remember(self.instance, sorted(children.descendants(os.getpid())))

    def stop(self) -> None:
        children.stop(self.all, _STOP_SECONDS)
        if self.server is not None:
            with suppress(Exception):
                self.server.stop(0.6)
        children.end_everything_below(os.getpid())
        self.instance.forget()


def run(settings: Settings, given: Mapping[str, Any], main: Main, *, traffic: bool) -> None:
    """Bring everything up and keep it up until SIGINT or SIGTERM. Raises BanyanError in one line.

    given  settings from the command line    main  the command line itself, which our processes run
    """
    settings = settings.model_copy(update=dict(given))
    folder = settings.project.resolve()
    configuration = read_configuration(folder)
    if shutil.disk_usage(Path.cwd()).free < _LEAST_FREE_BYTES:
        raise EnvironmentFault(f"the disk is nearly full: less than {_LEAST_FREE_BYTES >> 20} MB are free here.")
    instance = claim(settings.state_dir)
    progress = Progress()
    if ended := end_leftovers(instance):
        progress.tell(f"ended {ended} processes that an earlier, killed start had left")
    children.adopt_orphans()
    running = Running(instance, main)
    _stop_on_signals(running)
    try:
        _bring_up(settings, folder, configuration, running, progress, traffic=traffic)
        _keep_up(running)
    except _Stopped:
        pass
    finally:
        running.stopping = True
        progress.tell("stopping")
        running.stop()


class _Stopped(Exception):
    """SIGINT or SIGTERM came."""


def _stop_on_signals(running: Running) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        if not running.stopping:
            running.stopping = True
            raise _Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _bring_up(
    settings: Settings,
    folder: Path,
    configuration: Configuration,
    running: Running,
    progress: Progress,
    *,
    traffic: bool,
) -> None:
    secret_key = settings.legacy_secret_key
    legacy_key = None if secret_key is None else secret_key.get_secret_value()
    if wants_secret_key(configuration):
        legacy_key = legacy_key or running.instance.secret("legacy")
        configuration = with_secret_key(configuration, legacy_key)
    ports = choose_ports(settings.edge_host, settings.edge_port, settings.edge_port + 10, len(settings.gateways))
    database_url = _database(settings, configuration, running, ports, progress)
    prepare_legacy(folder, configuration, database_url, progress.tell)
    legacy_url = _legacy(settings, folder, configuration, running, ports, database_url)

    progress.tell("schema banyan, roles and grants")  # meanwhile the legacy app starts
    preload()
    from api_gateway.up.prepare import prepare_share, process_environment

    project = load_project(folder)
    share = prepare_share(project, database_url, running.instance, embedded=running.server is not None)
    told = _told(settings, folder, running.instance, ports, legacy_url, legacy_key)
    environment = process_environment(share.addresses, told)

    progress.tell("gateways, worker, observer and edge")
    for program in our_programs(ports, Path.cwd(), settings.edge_host, configuration.api.prefix):
        running.launch(program, environment)
    readiness.wait(running.pairs, _READY_SECONDS)
    if traffic and configuration.traffic is not None:
        running.launch(traffic_program(Path.cwd()), environment)
    host = "127.0.0.1" if settings.edge_host in ("0.0.0.0", "::") else settings.edge_host  # noqa: S104 - compared only
    edge = f"http://{host}:{ports.edge}"
    document = {
        "edge": edge,
        "legacy": legacy_url,
        "console": f"http://127.0.0.1:{ports.console}",
        "gateway": [f"http://127.0.0.1:{port}" for port in ports.gateways],
        "database": database_url,
        "panel": edge + configuration.legacy.panel_path,
        "docs": f"{edge}{configuration.api.prefix}/docs",
        "project": str(folder),
        "logins": {"panel": dict(configuration.legacy.panel_login), "console": dict(share.console)},
        "keys": dict(share.keys),
    }
    _write(running, document)
    announce(document, configuration.name, traffic=traffic)


def _database(
    settings: Settings, configuration: Configuration, running: Running, ports: Ports, progress: Progress
) -> str:
    """The URL of the database: the given one, else the embedded server's."""
    given = settings.database_url
    if given is not None:
        url = given if isinstance(given, str) else given.get_secret_value()
        reach(url)
        return url
    progress.tell("PostgreSQL")
    running.server = start(running.instance.folder / "postgres", port=ports.postgres)
    running.remember()
    return embedded_database(running.server, configuration.name)


def _legacy(
    settings: Settings, folder: Path, configuration: Configuration, running: Running, ports: Ports, database_url: str
) -> str:
    """The URL of the legacy app: the given one, else of the one that is started here."""
    if settings.legacy_url is not None:
        return settings.legacy_url
    program = legacy_program(folder, configuration.legacy, ports, database_url)
    if program is not None:
        running.launch(program, os.environ)
        return f"http://127.0.0.1:{ports.legacy}"
    if configuration.legacy.url is None:
        raise EnvironmentFault(
            "nothing says where the legacy app is.", hint="Give --legacy-url, or [legacy] in banyan.toml."
        )
    return configuration.legacy.url


def _told(
    settings: Settings, folder: Path, instance: Instance, ports: Ports, legacy_url: str, legacy_key: str | None
) -> dict[str, str]:
    """The settings of our processes, by name."""
    return {
        "project": str(folder),
        "state_dir": str(instance.folder),
        "legacy_url": legacy_url,
        "edge_host": settings.edge_host,
        "edge_port": str(ports.edge),
        "console_port": str(ports.console),
        "gateway_ports": ",".join(map(str, ports.gateways)),
        "observer_port": str(ports.observer),
        "pass_secret": instance.secret("pass"),
        "session_secret": instance.secret("session"),
        "token_secrets": instance.secret("token"),
        **({} if legacy_key is None else {"legacy_secret_key": legacy_key}),
    }


def _write(running: Running, document: dict[str, Any]) -> None:
    running.remember()
    document["pids"] = _pids(running)
    running.instance.describe(document)


def _pids(running: Running) -> dict[str, Any]:
    by_name = {child.name: child.pid for child in running.all}
    return {
        "up": os.getpid(),
        "edge": _envoy_pid(running.instance) or by_name["edge"],
        "edge_supervisor": by_name["edge"],
        "legacy": by_name.get("legacy"),
        "gateway": [child.pid for child in running.all if child.name.startswith("gateway-")],
        "worker": by_name["worker"],
        "observer": by_name["observer"],
        "postgres": running.server.pid if running.server is not None else None,
        "traffic": by_name.get("traffic"),
    }


def _envoy_pid(instance: Instance) -> int | None:
    with suppress(OSError, ValueError):
        return int((instance.folder / "edge" / "envoy.pid").read_text())
    return None


def _revive_database(running: Running) -> None:
    server = running.server
    if server is None or server.process.poll() is None:
        return
    try:
        running.server = start(running.instance.folder / "postgres", port=server.port)
    except EnvironmentFault:  # its last sessions may still be ending; the next round tries again
        time.sleep(0.3)


def _keep_up(running: Running) -> None:
    """Start again what ended, and keep up.json true."""
    written: Sequence[Any] = ()
    while True:
        time.sleep(0.1)
        children.reap_orphans({*(child.pid for child in running.all), running.server.pid if running.server else 0})
        _revive_database(running)
        for child in running.all:
            child.revive()
        now = [child.pid for child in running.all] + [
            _envoy_pid(running.instance),
            running.server and running.server.pid,
        ]
        if now != written:
            _write(running, json.loads(running.instance.description.read_text()))
            written = now

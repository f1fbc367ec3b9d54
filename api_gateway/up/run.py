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

from api_gateway.console import ensure_console_account
from api_gateway.errors import EnvironmentFault
from api_gateway.postgres import Server, start
from api_gateway.project import Project, load_project
from api_gateway.settings import Settings
from api_gateway.up import children, readiness
from api_gateway.up.announce import Progress, announce
from api_gateway.up.children import Child
from api_gateway.up.instance import Instance, claim, end_leftovers, remember
from api_gateway.up.plan import Program, legacy_program, our_programs, traffic_program
from api_gateway.up.ports import Ports, choose_ports
from api_gateway.up.prepare import (
    embedded_database,
    migrate_and_grant,
    prepare_legacy,
    process_environment,
    reach,
    register_consumers,
    role_addresses,
)

_LEAST_FREE_BYTES = 300 * 1024 * 1024
_READY_SECONDS = 45.0
_STOP_SECONDS = 0.9  # all of ours together; with PostgreSQL after them, everything is gone within two seconds


@dataclass(slots=True)
class Running:
    """What is up so far; whatever happens, `stop` ends it."""

    instance: Instance
    server: Server | None = None
    pairs: list[tuple[Program, Child]] = field(default_factory=list)
    stopping: bool = False

    @property
    def all(self) -> list[Child]:
        return [child for _, child in self.pairs]

    def launch(self, program: Program, environment: Mapping[str, str]) -> None:
        merged = {**environment, **program.environment}
        child = Child(program.name, program.command, merged, self.instance.log(program.name), program.folder)
        child.start()
        self.pairs.append((program, child))

    def stop(self) -> None:
        children.stop(self.all, _STOP_SECONDS)
        if self.server is not None:
            with suppress(Exception):
                self.server.stop(0.6)
        children.end_everything_below(os.getpid())
        self.instance.forget()


def run(settings: Settings, given: Mapping[str, Any], *, traffic: bool) -> None:
    """Bring everything up and keep it up until SIGINT or SIGTERM. Raises BanyanError in one line."""
    settings = settings.model_copy(update=dict(given))
    project = load_project(settings.project)
    if shutil.disk_usage(Path.cwd()).free < _LEAST_FREE_BYTES:
        raise EnvironmentFault(f"the disk is nearly full: less than {_LEAST_FREE_BYTES >> 20} MB are free here.")
    instance = claim(settings.state_dir)
    progress = Progress()
    if ended := end_leftovers(instance):
        progress.tell(f"ended {ended} processes that an earlier, killed start had left")
    children.adopt_orphans()
    running = Running(instance)
    _stop_on_signals(running)
    try:
        _bring_up(settings, project, running, progress, traffic=traffic)
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


def _bring_up(settings: Settings, project: Project, running: Running, progress: Progress, *, traffic: bool) -> None:
    instance = running.instance
    ports = choose_ports(settings.edge_host, settings.edge_port, settings.edge_port + 10, len(settings.gateways))
    given_url = settings.database_url if isinstance(settings.database_url, str) else None
    if given_url is None and settings.database_url is not None:
        given_url = settings.require("database_url")
    if given_url is None:
        progress.tell("PostgreSQL")
        running.server = start(instance.folder / "postgres", port=ports.postgres)
        remember(instance, [running.server.pid])
        database_url = embedded_database(running.server, project.configuration.name)
    else:
        reach(given_url)
        database_url = given_url
    prepare_legacy(project, database_url, progress.tell)
    progress.tell("schema banyan, roles and grants")
    environment, keys, logins = _our_share(settings, project, running, ports, database_url, embedded=given_url is None)
    legacy_url = settings.legacy_url or project.configuration.legacy.url
    legacy = legacy_program(project, ports, database_url) if settings.legacy_url is None else None
    if legacy is not None:
        legacy_url = f"http://127.0.0.1:{ports.legacy}"
        running.launch(legacy, os.environ)
    if legacy_url is None:
        raise EnvironmentFault(
            "nothing says where the legacy app is.", hint="Give --legacy-url, or [legacy] in banyan.toml."
        )
    environment["BANYAN_LEGACY_URL"] = legacy_url
    progress.tell("legacy app, gateways, worker, observer and edge")
    for program in our_programs(ports, Path.cwd(), settings.edge_host):
        running.launch(program, environment)
    readiness.wait(running.pairs, _READY_SECONDS)
    document = _description(settings, project, running, ports, legacy_url, database_url, keys, logins)
    if traffic and project.configuration.traffic is not None:
        running.launch(traffic_program(Path.cwd()), environment)
    _write(running, document)
    announce(document, project.configuration.name, traffic=traffic)


def _our_share(
    settings: Settings, project: Project, running: Running, ports: Ports, database_url: str, *, embedded: bool
) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, str]]]:
    """Schema, roles, grants, consumers and the console's login; the environment that every process of ours gets."""
    instance = running.instance
    scopes = migrate_and_grant(project, database_url)
    addresses = role_addresses(database_url, instance, embedded=embedded)
    traffic = project.configuration.traffic
    partners = project.module(traffic).partners if traffic is not None else []
    keys = register_consumers(partners, scopes, addresses.owner, instance)
    console = {"username": "operator", "password": instance.secret("console:operator")}
    ensure_console_account(addresses.owner, console["username"], console["password"])
    logins = {"panel": dict(project.configuration.legacy.panel_login), "console": console}
    environment = process_environment(
        addresses,
        {
            "project": str(project.folder),
            "state_dir": str(instance.folder),
            "edge_host": settings.edge_host,
            "edge_port": str(ports.edge),
            "console_port": str(ports.console),
            "gateway_ports": ",".join(map(str, ports.gateways)),
            "observer_port": str(ports.observer),
            "pass_secret": instance.secret("pass"),
            "session_secret": instance.secret("session"),
        },
    )
    return environment, keys, logins


def _description(
    settings: Settings,
    project: Project,
    running: Running,
    ports: Ports,
    legacy_url: str,
    database_url: str,
    keys: Mapping[str, str],
    logins: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """The shape of `.banyan/up.json`, without the pids."""
    host = "127.0.0.1" if settings.edge_host in ("0.0.0.0", "::") else settings.edge_host  # noqa: S104 - compared only
    edge = f"http://{host}:{ports.edge}"
    return {
        "edge": edge,
        "legacy": legacy_url,
        "console": f"http://127.0.0.1:{ports.console}",
        "gateway": [f"http://127.0.0.1:{port}" for port in ports.gateways],
        "database": database_url,
        "panel": edge + project.configuration.legacy.panel_path,
        "docs": f"{edge}{project.configuration.api.prefix}/docs",
        "project": str(project.folder),
        "logins": logins,
        "keys": dict(keys),
    }


def _write(running: Running, document: dict[str, Any]) -> None:
    document["pids"] = pids = _pids(running)
    running.instance.describe(document)
    everything = [pid for pid in children.descendants(os.getpid()) if pid]
    remember(running.instance, sorted({*everything, pids["edge"]}))


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

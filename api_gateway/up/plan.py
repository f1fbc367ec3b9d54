"""What runs, with which command and environment: a pure list of programs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from api_gateway.project import Configuration, Legacy
from api_gateway.up.ports import Ports


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep running. `ready_url` answers anything below 500 once it is ready; `verb`: one of ours."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_url: str | None = None
    ready_port: int | None = None
    verb: tuple[str, ...] = ()


def _verb(name: str, folder: Path, *words: str, port: int | None = None, path: str | None = None) -> Program:
    url = f"http://127.0.0.1:{port}{path}" if port is not None and path is not None else None
    command = (sys.executable, "-m", "api_gateway.cli", *words)
    return Program(name, command, folder, ready_url=url, ready_port=None if url else port, verb=words)


def legacy_words(template: str, port: int, database_url: str) -> tuple[str, ...]:
    """A command of banyan.toml with its places filled; `python` means the Python that runs Banyan."""
    words = [fill(word, port, database_url) for word in shlex.split(template)]
    beside = Path(sys.executable).parent / words[0]
    if words[0] in ("python", "python3"):
        words[0] = sys.executable
    elif beside.exists():
        words[0] = str(beside)
    return tuple(words)


def fill(text: str, port: int, database_url: str) -> str:
    parts = urlsplit(database_url)
    places = {
        "host": "127.0.0.1",
        "port": str(port),
        "database_url": database_url,
        "database_host": parts.hostname or "",
        "database_port": str(parts.port or 5432),
        "database_name": parts.path.lstrip("/"),
        "database_user": parts.username or "",
        "database_password": parts.password or "",
    }
    for name, value in places.items():
        text = text.replace("{" + name + "}", value)
    return text


def wants_secret_key(configuration: Configuration) -> bool:
    return any("{secret_key}" in value for value in configuration.legacy.env.values())


def with_secret_key(configuration: Configuration, key: str) -> Configuration:
    """With `{secret_key}` filled in the legacy app's environment: what signs its sessions, so that we can read them."""
    env = {name: value.replace("{secret_key}", key) for name, value in configuration.legacy.env.items()}
    return configuration.model_copy(update={"legacy": configuration.legacy.model_copy(update={"env": env})})


def legacy_program(project: Path, legacy: Legacy, ports: Ports, database_url: str) -> Program | None:
    """The legacy app, when banyan.toml says how one machine starts it."""
    if legacy.start is None:
        return None
    return Program(
        "legacy",
        legacy_words(legacy.start, ports.legacy, database_url),
        (project / legacy.workdir).resolve(),
        {name: fill(value, ports.legacy, database_url) for name, value in legacy.env.items()},
        ready_url=f"http://127.0.0.1:{ports.legacy}{legacy.ready_path}",
    )


def our_programs(ports: Ports, folder: Path, edge_host: str, prefix: str) -> list[Program]:
    """Gateways, worker, observer and edge, which is ready when it knows of a gateway that is. `prefix`: of the API."""
    gateways = [
        _verb(f"gateway-{number}", folder, "serve", "--port", str(port), port=port, path="/banyan/health")
        for number, port in enumerate(ports.gateways, start=1)
    ]
    return [
        *gateways,
        _verb("worker", folder, "worker", port=ports.console, path="/login"),
        _verb("observer", folder, "observe", port=ports.observer),
        _verb(
            "edge", folder, "edge", "--host", edge_host, "--port", str(ports.edge), port=ports.edge, path=f"{prefix}/"
        ),
    ]


def traffic_program(folder: Path) -> Program:
    """The project's simulated partners."""
    return _verb("traffic", folder, "traffic")

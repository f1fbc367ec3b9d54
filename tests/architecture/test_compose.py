"""docker-compose.yml is one that Compose itself accepts, and it names the same parts as `banyan up`."""

from __future__ import annotations

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    spec = find_spec("compose")
    assert spec is not None
    assert spec.origin is not None
    compose = Path(spec.origin).parent / "docker-compose"
    command = [compose, "-f", ROOT / "docker-compose.yml", "config", "--format", "json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout))


def test_every_part_has_a_container_of_its_own(composed: dict[str, Any]) -> None:
    assert set(composed["services"]) >= {"database", "legacy", "gateway", "worker", "observer", "edge"}


def test_only_edge_and_console_are_published_and_only_on_loopback(composed: dict[str, Any]) -> None:
    published = {
        name: [(port.get("host_ip"), port["target"]) for port in service.get("ports", [])]
        for name, service in composed["services"].items()
    }
    assert {name: ports for name, ports in published.items() if ports} == {
        "edge": [("127.0.0.1", 8000)],
        "worker": [("127.0.0.1", 8010)],
    }


def test_images_are_official_ones(composed: dict[str, Any]) -> None:
    assert composed["services"]["database"]["image"] == "postgres:18"
    bases = {
        service["build"]["dockerfile_inline"].splitlines()[0]
        for service in composed["services"].values()
        if "build" in service
    }
    assert bases == {"FROM python:3.12-slim"}

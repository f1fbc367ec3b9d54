"""What a verb finds around it: the `banyan up` that runs in this folder, and the project that is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from api_gateway.settings import Settings


def running_instance(settings: Settings) -> dict[str, Any]:
    """The description of the `banyan up` that runs in this state folder; empty when none does."""
    try:
        document = json.loads((settings.state_dir / "up.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def project_folder(settings: Settings) -> Path:
    """BANYAN_PROJECT where it is set, else this folder where it is a project, else that of the running instance."""
    if "project" in settings.model_fields_set:
        return settings.project
    if Path("banyan.toml").exists():
        return Path()
    running = running_instance(settings).get("project")
    return Path(running) if isinstance(running, str) else settings.project


def instance_secret(settings: Settings, name: str, kept: str) -> str:
    """A secret setting, else the one that the `banyan up` of this state folder keeps. Raises UsageError for neither."""
    if getattr(settings, name) is None:
        try:
            document = json.loads((settings.state_dir / "secrets.json").read_text("utf-8"))
            return str(document[kept])
        except (OSError, ValueError, KeyError):
            pass
    return settings.require(name)

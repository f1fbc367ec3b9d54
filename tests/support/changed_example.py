"""The example with one text of one file changed, loaded beside the right one; and its simulated partners registered."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

from api_gateway.consumers import Consumer, Credential, Register, secret_hash
from api_gateway.project import Project, load_project
from northgate_api.traffic import partners

ROOT = Path(__file__).parents[2]
_numbers = count(1)


def northgate_register() -> Register:
    """The simulated partners of the demonstration, as `banyan up` registers them."""
    return Register.of(
        1,
        [Consumer(each.code, each.name, frozenset(each.scopes), dict(each.values)) for each in partners],
        [Credential(each.code, kind, secret_hash(secret)) for each in partners for kind, secret in each.credentials],
    )


def changed_example(within: Path, file: str, old: str, new: str) -> Project:
    """A copy in a folder of its own in `within`, under a name of its own. The text must be there once."""
    name = f"northgate_{next(_numbers)}"
    folder = within / name
    shutil.copytree(ROOT / "northgate_api", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in folder.rglob("*.py"):
        path.write_text(path.read_text("utf-8").replace("northgate_api", name), "utf-8")
    toml = folder / "banyan.toml"
    toml.write_text(toml.read_text("utf-8").replace('"../legacy_admin"', f'"{ROOT / "legacy_admin"}"'), "utf-8")
    target = folder / file
    text = target.read_text("utf-8")
    assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
    target.write_text(text.replace(old, new), "utf-8")
    return load_project(folder)

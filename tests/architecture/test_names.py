"""Names that say nothing are kept out, at any depth."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ("api_gateway", "shared_models", "northgate_api")
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common", "service", "services"}


def modules() -> list[Path]:
    return [path for folder in ENGINE for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_has_a_name_that_says_nothing(path: Path) -> None:
    assert not {path.stem, path.parent.name} & EMPTY_WORDS


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_of_ours_is_longer_than_a_room_should_be(path: Path) -> None:
    if path.name == "tables.py" and path.parent.name == "northgate_api":
        return  # generated from the snapshot
    assert len(path.read_text().splitlines()) <= 400

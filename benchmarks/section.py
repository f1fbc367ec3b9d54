"""A measurement's own section of the page: the table between two marks, and the same figures as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "benchmarks.md"


def write(name: str, figures: Any, table: str) -> None:
    """`benchmarks/NAME.json`, and on the page what stands between `<!-- NAME: … -->` and `<!-- /NAME -->`."""
    (HERE / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
    page = PAGE.read_text("utf-8")
    marked = re.compile(rf"(<!-- {name}: [^>]*-->).*?(<!-- /{name} -->)", re.DOTALL)
    PAGE.write_text(marked.sub(lambda found: f"{found[1]}\n\n{table}\n\n{found[2]}", page), "utf-8")


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join([machine(), "", *("| " + " | ".join(line) + " |" for line in lines)])

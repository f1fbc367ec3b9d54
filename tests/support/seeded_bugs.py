"""Writes the table of deliberate errors into its page: `python -m tests.support.seeded_bugs`.

How long each was looked for is what `python -m benchmarks.verify` measured last.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.verify.seeded_bugs import BUGS, Bug

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "seeded-bugs.md"
FIGURES = ROOT / "benchmarks" / "verify.json"
MARK = "<!-- written by tests.support.seeded_bugs -->\n"


def page() -> str:
    """The page with the table as the errors are now."""
    measured = json.loads(FIGURES.read_text("utf-8"))["bugs"] if FIGURES.exists() else {}
    head = PAGE.read_text("utf-8").partition(MARK)[0]
    rows = [_row(bug, measured.get(bug.what)) for bug in BUGS]
    columns = ["| error | file | found on | named | seconds | requests |", "|---|---|---|---|--:|--:|"]
    return head + MARK + "\n".join([*columns, *rows]) + "\n"


def _row(bug: Bug, found: dict[str, float] | None) -> str:
    told = f"{found['seconds']:.1f} | {found['asked']}" if found else "– | –"
    return f"| {bug.what} | `{bug.file}` | `{bug.route}` | `{bug.shows}…` | {told} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

"""What the gateway tells about its problem codes, made from the page that people read by running this module."""

from __future__ import annotations

import json
import re

from api_gateway.api.pages.problem_types import DATA
from tests.support.documents import ROOT

PAGE = ROOT / "docs" / "reference" / "errors.md"


def written() -> str:
    text = PAGE.read_text("utf-8")
    problems = {}
    for code, told in re.findall(r"^### (\w+)\n\n((?:(?!^#).*\n)*)", text, re.MULTILINE):
        status = re.match(r"(\d{3})\. ", told)
        problems[code] = {"status": int(status[1]) if status else None, "text": _plain(told)}
    faults = {code: _plain(told) for code, told in re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)}
    return json.dumps({"problems": problems, "faults": faults}, indent=1, ensure_ascii=False) + "\n"


def _plain(told: str) -> str:
    """Without the status and without links, in one paragraph."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", re.sub(r"^\d{3}\. ", "", told))
    return " ".join(text.split())


if __name__ == "__main__":
    DATA.write_text(written(), "utf-8")

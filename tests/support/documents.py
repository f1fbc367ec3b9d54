"""The documents as programs: their `console` blocks, each line that begins with `$ ` a command, and what it prints.

    ```console                 every command must exit with 0
    ```console exit=1          the last command must exit with this
    ```console terminal=1      commands that keep running in a terminal of their own
    ```python file=PATH        what the reader writes there

Below a command stands what it prints. `…` is anything within a line, a line of `…` alone any number of lines; a command
with nothing below may print what it likes.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)[ \t]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """`expected` is None when nothing stands below; `status` the exit code it must have."""

    page: Path
    line: int
    text: str
    expected: str | None
    status: int = 0
    terminal: bool = False

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every document that people read."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: Path) -> list[Command]:
    text = page.read_text("utf-8")
    found: list[Command] = []
    for fence in _FENCE.finditer(text):
        if fence[1] == "console":
            line = text.count("\n", 0, fence.start(3)) + 1
            found += _commands_of(page, line, fence[3], dict(re.findall(r"(\w+)=(\w+)", fence[2])))
    return found


def _commands_of(page: Path, line: int, block: str, marks: Mapping[str, str]) -> Iterator[Command]:
    pieces = re.split(r"^\$ ", block, flags=re.MULTILINE)
    if pieces[0].strip():
        raise ValueError(f"{page}:{line}: a console block begins with a command")
    line += pieces[0].count("\n")
    for number, piece in enumerate(pieces[1:], start=1):
        text, _, below = piece.partition("\n")
        last = number == len(pieces) - 1
        yield Command(
            page, line, text, below or None, int(marks.get("exit", 0)) if last else 0, marks.get("terminal") == "1"
        )
        line += piece.count("\n")


def files(page: Path) -> dict[str, str]:
    """What a page tells its reader to write, by path: blocks such as ```python file=northgate_api/contract_v2.py"""
    fences = _FENCE.finditer(page.read_text("utf-8"))
    return {named[1]: fence[3] for fence in fences if (named := re.search(r"file=(\S+)", fence[2]))}


def matches(expected: str, printed: str) -> bool:
    """Whether what was printed is what the document says. Blanks at the ends of lines do not count."""
    pattern = ""
    for line in expected.rstrip("\n").split("\n"):
        pattern += r"(?:.*\n)*?" if line.strip() == "…" else _line(line) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


def _line(line: str) -> str:
    return ".*?".join(re.escape(part.rstrip() if last else part) for part, last in _marked(line.split("…")))


def _marked(parts: list[str]) -> Iterator[tuple[str, bool]]:
    return ((part, number == len(parts) - 1) for number, part in enumerate(parts))


class Terminal:
    """A shell that remembers what was exported, and runs one command of a document after another."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)

    def run(self, command: Command, *, seconds: float = 120, replacing: Mapping[str, str] | None = None) -> None:
        """Raises AssertionError naming page and line when it exits or prints otherwise than the document says."""
        text = command.text
        for written, meant in (replacing or {}).items():
            text = text.replace(written, meant)
        answer = subprocess.run(
            ["bash", "-c", f"{text}\nstatus=$?\nenv -0 > .environment\nexit $status"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        kept = (self._folder / ".environment").read_text().split("\0")
        self._environment = dict(pair.split("=", 1) for pair in kept if "=" in pair)
        assert answer.returncode == command.status, f"{command.place}: {text}\n{answer.stdout}"
        if command.expected is not None:
            told = f"{command.place}: {text}\n{answer.stdout}\ndoes not match\n{command.expected}"
            assert matches(command.expected, answer.stdout), told

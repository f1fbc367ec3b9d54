"""`docs/reference/cli.md`, written from the commands themselves: python -m tests.support.cli_reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from api_gateway.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
_HEAD = """# Commands

Exit codes: `0` done; `1` understood, and the answer is no (a finding); `2` a usage or environment error, told in one
line. Tables are for people, `--json` is for programs. Where the database is comes from `BANYAN_…` variables
([settings](settings.md)); without them a verb looks for the `banyan up` that runs in this folder (`.banyan/up.json`).
`banyan --version` prints the version; `BANYAN_DEBUG=1` shows where an unexpected error came from.

This page is written from the commands: `python -m tests.support.cli_reference`.
"""


def page() -> str:
    return "\n".join([_HEAD, *_sections(get_command(app), ["banyan"])])


def _sections(command: Any, words: list[str]) -> Iterator[str]:
    if getattr(command, "commands", None):
        if len(words) > 1:
            yield f"## {' '.join(words)}\n\n{_line(command.help)}\n"
        for name, inner in command.commands.items():
            if not inner.hidden:
                yield from _sections(inner, [*words, name])
        return
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    names = [(one.metavar or one.name.upper()) for one in arguments]
    usage = [name if one.required else f"[{name}]" for name, one in zip(names, arguments, strict=True)]
    yield f"{'#' * min(len(words), 3)} {' '.join(words)}\n\n{_line(command.help)}\n"
    if usage:
        yield f"    {' '.join([*words, *usage])}\n"
    rows = [f"| `{name}` | {_line(one.help)} |" for name, one in zip(names, arguments, strict=True)]
    rows += [f"| `{'`, `'.join(one.opts)}` | {_meaning(one)} |" for one in options]
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows]) + "\n"


def _meaning(option: Any) -> str:
    parts = [_line(option.help)]
    if option.required:
        parts.append("Required.")
    if not option.is_flag and not callable(option.default) and option.default not in (None, "", (), []):
        parts.append(f"Default: `{option.default}`.")
    return " ".join(parts)


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

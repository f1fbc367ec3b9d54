"""What a person sees: progress while it starts, then a short table of what runs where."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

_console = Console(highlight=False)


class Progress:
    """One line a step, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def tell(self, step: str) -> None:
        _console.print(f"[dim]{time.monotonic() - self._began:5.1f} s[/dim]  {step}")


def announce(document: Mapping[str, Any], name: str, *, traffic: bool) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    panel, console = document["logins"]["panel"], document["logins"]["console"]
    table.add_row("edge", document["edge"], "the one entry for all traffic")
    table.add_row("panel", document["panel"], _login(panel) if panel else "the legacy app, through the edge")
    table.add_row("API", document["docs"], "typed, documented")
    table.add_row("console", document["console"], _login(console))
    table.add_row("legacy", document["legacy"], "unchanged")
    table.add_row("keys", ", ".join(document["keys"]) or "none", "in .banyan/up.json")
    _console.print()
    _console.print(f"[bold green]{name} is up[/bold green]" + (", with simulated partners" if traffic else ""))
    _console.print(table)
    _console.print("\n[dim]Ctrl-C stops everything. In another terminal:[/dim] .venv/bin/banyan routes list\n")


def _login(login: Mapping[str, str]) -> str:
    return f"{login['username']} / {login['password']}"

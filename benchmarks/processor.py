"""Processor time and memory of a process and its descendants, as Linux counts them in /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and everything below it."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children[int(_fields(int(entry.name))[1])].append(int(entry.name))
    found, rest = [], [pid]
    while rest:
        found.append(rest[-1])
        rest += children[rest.pop()]
    return found


def spent_us(pid: int) -> float:
    """Microseconds of user and system time, of processes that ended and were waited for too."""
    ticks = 0
    for member in tree(pid):
        with suppress(OSError):
            ticks += sum(map(int, _fields(member)[11:15]))
    return ticks * _TICK


def forget_peak(pid: int) -> None:
    """Count the peak of resident memory anew from here on."""
    for member in tree(pid):
        with suppress(OSError):
            (_PROC / str(member) / "clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """Resident memory at its peak, in MB of 10^6 bytes; of several processes the sum."""
    kilobytes = 0
    for member in tree(pid):
        with suppress(OSError):
            for line in (_PROC / str(member) / "status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    kilobytes += int(line.split()[1])
    return kilobytes * 1024 / 1e6


def _fields(pid: int) -> list[str]:
    """What follows the name in /proc/PID/stat: state, parent, …, utime, stime, cutime, cstime."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()

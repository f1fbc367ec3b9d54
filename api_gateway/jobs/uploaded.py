"""The file that was uploaded for a job, record by record from any place in it, a part in memory at a time.

CSV in UTF-8, with or without a byte order mark, lines ended by LF or CRLF. A record is a line: one that is broken costs
itself, where a quote that nobody closes would otherwise swallow what follows.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa

from shared_models.database import Database
from shared_models.state import upload, upload_part

LONGEST_LINE = 64 * 1024
"""Bytes. A longer one is given in pieces, none of which is a record."""


@dataclass(frozen=True, slots=True)
class Record:
    """`row`: its line, from 1. `cells` is None for what is no CSV; `raw`: as it came."""

    row: int
    cells: list[str] | None
    raw: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Records, and where to go on after them. `lines`: how many lines of the file are behind."""

    records: tuple[Record, ...]
    lines: int
    position: dict[str, int]


class Uploaded:
    """`lines` and `bytes` of the whole file."""

    def __init__(self, database: Database, number: int, lines: int, size: int) -> None:
        self._database, self._number = database, number
        self.lines, self.bytes = lines, size

    @classmethod
    async def of(cls, database: Database, job: int) -> Self:
        async with database.read() as tx:
            found = await tx.one(sa.select(upload).where(upload.c.job == job))
        if found is None:
            raise LookupError("nothing was uploaded for this job")
        return cls(database, int(found["id"]), int(found["lines"]), int(found["bytes"]))

    async def batches(self, size: int, after: Any = None) -> AsyncIterator[Batch]:
        """Up to `size` records at a time. after: the `position` of an earlier batch. Empty lines are passed over."""
        place = after or {"byte": 0, "line": 0}
        byte, line = int(place["byte"]), int(place["line"])
        records: list[Record] = []
        behind = line
        async for raw in self._lines(byte):
            text = raw.decode("utf-8", "replace")
            if byte == 0:
                text = text.removeprefix("\ufeff")
            byte, line = byte + len(raw), line + 1
            if text.strip():
                records.append(Record(line, _cells(text), text.rstrip("\r\n")))
            if len(records) == size:
                yield Batch(tuple(records), line, {"byte": byte, "line": line})
                records, behind = [], line
        if line > behind:
            yield Batch(tuple(records), line, {"byte": byte, "line": line})

    async def _lines(self, start: int) -> AsyncIterator[bytes]:
        held = b""
        async for part in self._parts(start):
            *whole, held = (held + part).split(b"\n")
            for each in whole:
                yield each + b"\n"
            if len(held) > LONGEST_LINE:
                yield held
                held = b""
        if held:
            yield held

    async def _parts(self, start: int) -> AsyncIterator[bytes]:
        part = upload_part.c
        while start < self.bytes:
            last = sa.select(part.at, part.data).where(part.upload == self._number, part.at <= start)
            async with self._database.read() as tx:
                found = await tx.one(last.order_by(part.at.desc()).limit(1))
            data = b"" if found is None else bytes(found["data"])[start - int(found["at"]) :]
            if not data:
                raise LookupError("a part of the upload is missing")
            yield data
            start += len(data)


def _cells(text: str) -> list[str] | None:
    if len(text) > LONGEST_LINE:
        return None
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return [cell.strip() for cell in rows[0]] if len(rows) == 1 else None

"""A file that arrives for a job: written away in parts as it comes, so that neither memory nor a connection is held.

Each part is a transaction of its own. Nobody sees the file before a job has taken it; what no job takes is dropped.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa

from shared_models.database import Database
from shared_models.state import upload, upload_part

PART = 256 * 1024
HEAD = 8 * 1024
"""Bytes of the beginning that are kept at hand, so that a handler can look at a first line."""


class NotText(Exception):
    """`at`: the byte that is no UTF-8, or that PostgreSQL text cannot hold."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class TooLarge(Exception):
    """More than was allowed has arrived."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that has arrived whole. `head`: its beginning; `lines`: the last one counts without its end, too."""

    id: int
    digest: bytes
    bytes: int
    lines: int
    head: str

    def first_line(self) -> str:
        return self.head.partition("\n")[0].rstrip("\r").removeprefix("\ufeff")

    def taken_by(self, job: int) -> sa.Update:
        return sa.update(upload).where(upload.c.id == self.id).values(job=job)

    def lock_of(self, owner: str) -> int:
        """An advisory lock for this content of this owner."""
        return int.from_bytes(hashlib.sha256(owner.encode() + self.digest).digest()[:8], "big", signed=True)


class Arriving:
    """Takes a file in pieces of any size. `limit`: bytes. Raises NotText and TooLarge as soon as they are known."""

    def __init__(self, database: Database, number: int, limit: int) -> None:
        self._database, self._number, self._limit = database, number, limit
        self._digest = hashlib.sha256()
        self._text = codecs.getincrementaldecoder("utf-8")()
        self._held = bytearray()
        self._written = self._seen = self._lines = 0
        self._head = ""
        self._last = b""

    @classmethod
    async def begin(cls, database: Database, owner: str, limit: int) -> Self:
        async with database.write() as tx, tx.as_ourselves():
            ((row),) = await tx.execute(sa.insert(upload).values(owner=owner).returning(upload.c.id))
        return cls(database, int(row["id"]), limit)

    async def take(self, piece: bytes) -> None:
        if self._seen + len(piece) > self._limit:
            raise TooLarge
        self._check(piece)
        self._digest.update(piece)
        self._seen += len(piece)
        self._lines += piece.count(b"\n")
        self._last = piece[-1:] or self._last
        self._held += piece
        while len(self._held) >= PART:
            await self._write(bytes(self._held[:PART]))
            del self._held[:PART]

    async def end(self) -> Staged:
        """The file is whole: say so. Raises NotText for half a character at its end."""
        self._check(b"", last=True)
        if self._held:
            await self._write(bytes(self._held))
        lines = self._lines + (self._last not in (b"", b"\n"))
        known: dict[str, Any] = {"digest": self._digest.digest(), "bytes": self._seen, "lines": lines}
        async with self._database.write() as tx, tx.as_ourselves():
            await tx.execute(sa.update(upload).where(upload.c.id == self._number).values(known))
        return Staged(self._number, known["digest"], self._seen, lines, self._head)

    async def discard(self) -> None:
        """Drop what arrived, unless a job has taken it."""
        async with self._database.write() as tx, tx.as_ourselves():
            await tx.execute(sa.delete(upload).where(upload.c.id == self._number, upload.c.job.is_(None)))

    def _check(self, piece: bytes, *, last: bool = False) -> None:
        waiting = len(self._text.getstate()[0])
        try:
            text = self._text.decode(piece, last)
        except UnicodeDecodeError as error:
            raise NotText(self._seen - waiting + error.start) from None
        if "\0" in text:
            raise NotText(self._seen + piece.index(b"\0"))
        if len(self._head) < HEAD:
            self._head += text[: HEAD - len(self._head)]

    async def _write(self, part: bytes) -> None:
        row = {"upload": self._number, "at": self._written, "data": part}
        async with self._database.write() as tx, tx.as_ourselves():
            await tx.execute(sa.insert(upload_part).values(row))
        self._written += len(part)

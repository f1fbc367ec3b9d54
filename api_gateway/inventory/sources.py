"""Where calls are read from: log files, packed or not, standard input, HTTP archives, whatever is in them."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

import orjson

from api_gateway.errors import EnvironmentFault, UsageError
from api_gateway.inventory.calls import Call
from api_gateway.inventory.lines import NO_REQUEST, LineReader, Unreadable, moment

LONGEST_LINE = 1 << 20  # bytes; the rest of a longer line is passed over
LARGEST_ARCHIVE = 1 << 30  # bytes

Tell = Callable[[int], None]


class Reading:
    """What was read so far. `malformed`: lines that tell no call, by reason; `lines`: all."""

    def __init__(self, tell: Tell | None = None) -> None:
        self.lines = 0
        self.malformed: Counter[str] = Counter()
        self._tell = tell

    def calls(self, source: str) -> Iterator[Call]:
        """Every call in a file; `-` is standard input.

        Raises EnvironmentFault when it cannot be opened or is packed wrongly, UsageError for an archive that is none.
        """
        try:
            with _opened(source) as file:
                yield from self._lines(file)
        except (OSError, EOFError, zlib.error) as error:
            why = (
                error.strerror if isinstance(error, OSError) and error.strerror else "it is packed wrongly, or cut off"
            )
            raise EnvironmentFault(f"{source}: {why}.") from None

    def _lines(self, file: IO[bytes]) -> Iterator[Call]:
        reader = LineReader()
        first = file.readline(LONGEST_LINE)
        if first.lstrip(b"\xef\xbb\xbf \t").startswith(b"{") and not _is_object(first):
            yield from self._archive(first + file.read(LARGEST_ARCHIVE))
            return
        line = first
        while line:
            self.lines += 1
            whole = line
            while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE)
            try:
                text = whole.decode("latin-1").rstrip("\r\n")
                if text:
                    yield reader.read(text)
                else:
                    self.lines -= 1
            except Unreadable as why:
                self.malformed[str(why)] += 1
            if self._tell is not None and self.lines % 20_000 == 0:
                self._tell(self.lines)
            line = file.readline(LONGEST_LINE)

    def _archive(self, content: bytes) -> Iterator[Call]:
        """HAR 1.2."""
        try:
            entries = orjson.loads(content.lstrip(b"\xef\xbb\xbf"))["log"]["entries"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise UsageError("this is neither an access log nor an HTTP archive.") from None
        if not isinstance(entries, list):
            raise UsageError("this is neither an access log nor an HTTP archive.")
        for entry in entries:
            self.lines += 1
            try:
                yield _of_entry(entry)
            except Unreadable as why:
                self.malformed[str(why)] += 1
            except (KeyError, TypeError, ValueError, AttributeError):
                self.malformed[NO_REQUEST] += 1


def _opened(source: str) -> IO[bytes]:
    if source == "-":
        return sys.stdin.buffer if hasattr(sys.stdin, "buffer") else _as_bytes(sys.stdin)
    with Path(source).open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.GzipFile(source)) if is_packed else Path(source).open("rb")


def _as_bytes(text: IO[str]) -> IO[bytes]:
    return io.BytesIO(text.read().encode("utf-8", "surrogateescape"))


def _is_object(line: bytes) -> bool:
    """Whether the first line is a whole JSON object that is no archive: then each line is one."""
    try:
        return "log" not in orjson.loads(line.lstrip(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return line.rstrip().endswith(b"}")  # one broken line among lines


def _of_entry(entry: dict[str, Any]) -> Call:
    request = entry["request"]
    where = urlsplit(str(request["url"]))
    if where.scheme not in ("http", "https"):
        raise Unreadable(NO_REQUEST)
    target = (where.path or "/") + (f"?{where.query}" if where.query else "")
    headers = tuple(
        (str(pair["name"]).lower().encode("latin-1", "replace"), str(pair["value"]).encode("latin-1", "replace"))
        for pair in request.get("headers", ())
    )
    status = int(entry.get("response", {}).get("status") or 0)
    at = moment(entry["startedDateTime"])
    return Call(str(request["method"])[:20], target, status, at, "", "", 1, headers)

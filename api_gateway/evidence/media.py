"""What a Content-Type header says, and which reading of the body follows from it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from email.message import Message
from typing import Literal

Reading = Literal["json", "xml", "csv", "html", "text", "binary"]


@dataclass(frozen=True, slots=True)
class ContentType:
    """Equal when a reader of the body would see no difference: case, order and aliases of charsets aside."""

    media_type: str = ""
    charset: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, header: str | None) -> ContentType:
        """RFC 9110 section 8.3.1, tolerant: what cannot be read is left out."""
        message = Message()
        message["content-type"] = header or ""
        parameters = {name.lower(): value for name, value in (message.get_params() or [])[1:]}
        charset = parameters.pop("charset", None)
        media_type = (header or "").partition(";")[0].strip().lower()
        return cls(media_type, _canonical(charset) if charset else None, tuple(sorted(parameters.items())))

    @property
    def reading(self) -> Reading:
        kind = self.media_type
        if kind.endswith(("/json", "+json")):
            return "json"
        if kind.endswith(("/xml", "+xml")) and kind != "application/xhtml+xml":
            return "xml"
        if kind in ("text/csv", "application/csv", "text/tab-separated-values"):
            return "csv"
        if kind in ("text/html", "application/xhtml+xml"):
            return "html"
        return "text" if kind.startswith("text/") or kind in ("application/x-www-form-urlencoded", "") else "binary"

    def decode(self, content: bytes) -> str:
        """Text under the declared charset, else UTF-8, else Latin-1, which reads everything."""
        for charset in (self.charset, "utf-8"):
            try:
                if charset is not None:
                    return content.decode(charset)
            except (UnicodeDecodeError, LookupError):
                continue
        return content.decode("latin-1")


def _canonical(charset: str) -> str:
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return charset.lower()

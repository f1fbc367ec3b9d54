"""Where the next page begins, as a token that tells nobody anything and cannot be made up.

The token is encrypted and authenticated (a synthetic IV: the MAC of context and content is the key stream's nonce), and
the context is whose list it is: it opens only for the same consumer, resource, filters and order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

import orjson

_MAC_BYTES = 16
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Position:
    """After which row: the stored values it was ordered by, as text. `skip`: equal rows that were already given."""

    values: tuple[str | None, ...]
    skip: int = 0


class Cursors:
    """Writes and opens tokens under one secret, which every gateway of an installation shares."""

    def __init__(self, secret: str) -> None:
        self._mac_key = hashlib.blake2b(secret.encode(), person=b"banyan-cur-mac", digest_size=32).digest()
        self._stream_key = hashlib.blake2b(secret.encode(), person=b"banyan-cur-enc", digest_size=32).digest()

    def write(self, position: Position, context: str) -> str:
        content = orjson.dumps([position.skip, *position.values])
        mac = self._mac(content, context)
        return _text(mac + self._applied(content, mac))

    def open(self, token: str, context: str) -> Position:
        """Raises ValueError for a token that was not written by us, or not for this list."""
        if not 0 < len(token) <= _LONGEST or not token.isascii():
            raise ValueError("not a cursor")
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        if _text(sealed) != token:
            raise ValueError("not a cursor")
        mac, content = sealed[:_MAC_BYTES], self._applied(sealed[_MAC_BYTES:], sealed[:_MAC_BYTES])
        if not hmac.compare_digest(mac, self._mac(content, context)):
            raise ValueError("not a cursor")
        skip, *values = orjson.loads(content)
        return Position(tuple(values), skip)

    def _mac(self, content: bytes, context: str) -> bytes:
        framed = len(content).to_bytes(8, "big") + content + context.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(framed, key=self._mac_key, digest_size=_MAC_BYTES).digest()

    def _applied(self, content: bytes, nonce: bytes) -> bytes:
        stream = hashlib.shake_256(self._stream_key + nonce).digest(len(content))
        return (int.from_bytes(content) ^ int.from_bytes(stream)).to_bytes(len(content))


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

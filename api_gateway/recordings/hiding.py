"""What no recording may hold: values under secret names, the caller's secrets anywhere, what looks like a secret."""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from api_gateway.consumers.identify import Unreadable, form_values
from api_gateway.evidence.difference import MASK
from api_gateway.evidence.masking import secrets_of
from api_gateway.evidence.rules import Rules
from api_gateway.routes import FormToken, Route

Headers = tuple[tuple[bytes, bytes], ...]

_SHORTEST = 4  # characters of a secret that is looked for anywhere; a shorter one is hidden where it is named
_LOOKS_SECRET = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # a JSON web token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?i:\b(?:bearer|basic)\s+)[\w+/.~-]{8,}=*"
    r"|(?<=://)[^/\s:@]{1,80}:[^/\s@]{1,200}(?=@)",  # user and password in an address
    re.DOTALL,
)
_NAMED = re.compile(r"""([A-Za-z_][\w.-]{0,60})(["']?\s*[=:]\s*["']?)([^\s&;,|"'<>=?]+=*)""")


class Hiding:
    """The rules for one exchange. `names` collects under which names something was hidden."""

    def __init__(self, rules: Rules, secrets: Iterable[str]) -> None:
        self._rules = rules
        self._secrets = sorted({form for secret in secrets for form in _spellings(secret)}, key=len, reverse=True)
        self.names: set[str] = set()

    def hides(self, name: str) -> bool:
        return self._rules.hides(name)

    def value(self, name: str, value: str) -> str:
        """A value that stands under a name."""
        if value and self.hides(name):
            self.names.add(name[:80])
            return MASK
        hidden = self._hidden(value)
        if hidden != value:
            self.names.add(name[:80])
        return hidden

    def text(self, text: str) -> str:
        """Text of any kind: without the caller's secrets, without what looks like one, without `token=…`."""
        hidden = self._hidden(text)
        if hidden != text:
            self.names.add("body")
        return hidden

    def _named(self, found: re.Match[str]) -> str:
        return found[1] + found[2] + MASK if self.hides(found[1]) else found[0]

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        hidden = _LOOKS_SECRET.sub(MASK, text).replace("\0", "�")  # PostgreSQL keeps no NUL
        return _NAMED.sub(self._named, hidden)


def all_secrets(route: Route, target: str, headers: Headers, body: bytes) -> set[str]:
    """Everything by which this request may name its caller, known to the register or not."""
    found = set(secrets_of(route, target, headers))
    for name, value in headers:
        if name.lower() in (b"authorization", b"proxy-authorization"):
            found |= _of_authorization(value.decode("latin-1"))
        elif name.lower() == b"cookie":
            found |= {part.partition("=")[2].strip() for part in value.decode("latin-1").split(";")}
    if isinstance(route.consumer, FormToken):
        with contextlib.suppress(Unreadable):
            named = form_values(headers, body, route.consumer.name.encode())
            found |= {value.decode("utf-8", "replace") for value in named}
    return found


def _of_authorization(value: str) -> set[str]:
    scheme, _, rest = value.strip().partition(" ")
    found = {rest.strip()}
    if scheme.lower() == "basic":
        try:
            plain = base64.b64decode(rest.strip(), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return found
        found |= {plain, plain.partition(":")[2]}
    return found


def _spellings(secret: str) -> set[str]:
    """As it is, and as forms, pages and JSON write it."""
    if len(secret) < _SHORTEST:
        return set()
    return {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), json.dumps(secret)[1:-1]}

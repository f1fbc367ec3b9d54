"""A tester's wish for modern: signed, bound to one route, good until it expires, for as many calls as come till then.

HMAC-SHA-256 over the wish as itsdangerous writes it. Whoever has it can ask modern of that route, and nothing else: the
caller is still whom the legacy protocol names.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

HEADER = "Banyan-Override"


def sign_override(secret: str, route: str, by: str, until: datetime) -> str:
    """The header's value. `until` has a zone."""
    return str(_serializer(secret).dumps({"route": route, "by": by, "until": int(until.timestamp())}))


def tester_of(secret: str, value: str, route: str, now: datetime) -> str | None:
    """Who may have modern of this route at this moment; None for what is not ours, expired, or of another route."""
    if not value or len(value) > 1000:
        return None
    try:
        wish = _serializer(secret).loads(value)
        is_good = wish["route"] == route and now.timestamp() < wish["until"]
        return str(wish["by"]) if is_good else None
    except (BadData, KeyError, TypeError):
        return None


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="banyan override", signer_kwargs={"digest_method": sha256})

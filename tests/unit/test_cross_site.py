"""A cookie alone changes something only where the browser says that our own page sent the request."""

from __future__ import annotations

import pytest

from api_gateway.accounts.cross_site import may_change

HOST = ("host", "shop.example")
TRUSTED = ("https://app.example",)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([HOST, ("sec-fetch-site", "same-origin")], True),
        ([HOST, ("sec-fetch-site", "same-origin"), ("origin", "https://shop.example")], True),
        ([HOST, ("origin", "https://shop.example")], True),
        ([HOST, ("origin", "https://Shop.example")], True),
        ([HOST, ("origin", "https://app.example"), ("sec-fetch-site", "cross-site")], True),
        ([HOST], False),
        ([], False),
        ([("origin", "https://")], False),
        ([HOST, ("sec-fetch-site", "cross-site")], False),
        ([HOST, ("sec-fetch-site", "same-site")], False),
        ([HOST, ("sec-fetch-site", "none")], False),
        ([HOST, ("sec-fetch-site", "cross-site"), ("origin", "https://shop.example")], False),
        ([HOST, ("origin", "https://evil.example")], False),
        ([HOST, ("origin", "https://shop.example.evil.example")], False),
        ([HOST, ("origin", "https://shop.example:444")], False),
        ([HOST, ("origin", "null")], False),
        ([HOST, ("origin", "ftp://shop.example")], False),
        ([HOST, ("origin", "https://shop.example"), ("origin", "https://evil.example")], False),
        ([HOST, ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-origin")], False),
        ([HOST, ("host", "evil.example"), ("origin", "https://evil.example")], False),
    ],
    ids=str,
)
def test_what_the_browser_tells_decides(headers: list[tuple[str, str]], allowed: bool) -> None:
    told = [(name.encode(), value.encode()) for name, value in headers]
    assert may_change("POST", told, TRUSTED) is allowed
    assert may_change("GET", told, TRUSTED)

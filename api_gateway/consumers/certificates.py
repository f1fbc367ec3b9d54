"""What a header says of a client certificate, as the proxy that asked for it writes it. Pure.

Envoy's own form is `X-Forwarded-Client-Cert`: elements with commas between them, one for each proxy that the request
passed, of `Key=value` pairs with semicolons between them; a value with one of `,;=` in it stands in quotes.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[^",;]+|[,;]')


def certificate_parts(value: bytes, part: str) -> bytes:
    """The value of `part` (Hash, Subject, URI, DNS) in the last element: that of the proxy nearest to us.

    Empty where there is none. Parts that come more than once are joined by commas, as they are.
    """
    elements: list[list[bytes]] = [[b""]]
    for token in _TOKEN.findall(value):
        if token == b",":
            elements.append([b""])
        elif token == b";":
            elements[-1].append(b"")
        else:
            elements[-1][-1] += token
    pairs = [pair.partition(b"=") for pair in elements[-1]]
    return b",".join(_bare(text) for name, _, text in pairs if name.strip().lower() == part.lower().encode())


def _bare(text: bytes) -> bytes:
    text = text.strip()
    return re.sub(rb"\\(.)", rb"\1", text[1:-1]) if len(text) > 1 and text[:1] == text[-1:] == b'"' else text

"""A legacy app behind https, by address or by name: reached, and only when its certificate is trusted for that host."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api_gateway.edge.shape import Upstream as Address
from tests.support.edge import edge
from tests.support.upstream import Upstream, get

CERTIFICATE = Path(__file__).parents[1] / "support" / "tls.pem"  # for 127.0.0.1 and localhost, self-signed


@pytest.fixture
async def legacy() -> AsyncIterator[Upstream]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = Upstream()
    await server.start(tls=context)
    yield server
    await server.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_trusted_https_legacy_is_reached(legacy: Upstream, host: str, tmp_path: Path) -> None:
    address = Address(host, legacy.port, tls=True)
    async with edge(tmp_path, legacy=address, ca_file=CERTIFICATE) as running:
        answer = await get(running.port, "/a%2Fb?x")
        while answer.status == 503 and host == "localhost":  # the name is not resolved yet
            answer = await get(running.port, "/a%2Fb?x")
        assert answer.body == b"ok"
        assert legacy.last.target == b"/a%2Fb?x"


async def test_an_https_legacy_whose_certificate_nobody_trusts_is_not_spoken_to(
    legacy: Upstream, tmp_path: Path
) -> None:
    trusted = Path(ssl.get_default_verify_paths().cafile or CERTIFICATE)
    async with edge(tmp_path, legacy=Address("127.0.0.1", legacy.port, tls=True), ca_file=trusted) as running:
        assert (await get(running.port, "/")).status == 503
        assert not legacy.received

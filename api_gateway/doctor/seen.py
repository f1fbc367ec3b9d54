"""What the legacy app will see of a client through the edge: an echo stands in its place, behind a real edge.

The edge is started with the project's own configuration, on free ports, in a folder of its own, and ended again.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from api_gateway.doctor.symptom import Symptom
from api_gateway.edge import envoy
from api_gateway.edge.envoy import TableRefused
from api_gateway.edge.files import EdgeFiles
from api_gateway.edge.shape import Shape, read_upstream
from api_gateway.edge.table import everything_to_legacy
from api_gateway.errors import EnvironmentFault

_HOST = "shop.example:8443"
_CLIENT = "203.0.113.7"  # TEST-NET-3 (RFC 5737)
_SENT = {
    "Host": _HOST,
    "X-Forwarded-For": _CLIENT,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
}


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Nothing is logged."""


def legacy_sees(trusted_hops: int) -> Iterator[Symptom]:
    """Host, scheme and client address as they arrive. A proxy in front of the edge sends what is sent here."""
    try:
        got = _through_the_edge(trusted_hops)
    except (EnvironmentFault, TableRefused, OSError) as error:
        reason = str(error)
        fix = "pip install 'banyan-gateway[laptop]' brings Envoy; or look on the machine that will run the edge."
        yield Symptom("legacy_sees", "warning", f"what legacy sees through the edge was not looked at: {reason}", fix)
        return
    yield _host(got.get("host"))
    yield _scheme(got.get("x-forwarded-proto"), trusted_hops)
    yield _address(got.get("x-forwarded-for", ""), trusted_hops)


def _host(host: str | None) -> Symptom:
    if host == _HOST:
        return Symptom("legacy_sees", "ok", "legacy sees the Host that the client asked for")
    message = f"legacy sees the Host {host} instead of {_HOST}"
    return Symptom("legacy_sees", "error", message, "Report it: it must not be.")


def _scheme(proto: str | None, trusted_hops: int) -> Symptom:
    if proto == "https":
        return Symptom("legacy_sees", "ok", "legacy sees the scheme that the proxy in front says (X-Forwarded-Proto)")
    message = "legacy sees no scheme (X-Forwarded-Proto): with TLS ended in front of the edge it would believe http"
    return Symptom("legacy_sees", "warning", message, _trust(trusted_hops))


def _address(forwarded: str, trusted_hops: int) -> Symptom:
    """The edge appends its peer, and takes nothing away: what stands before is a proxy's word, or a client's claim."""
    seen = f"X-Forwarded-For: {forwarded or 'nothing'}"
    if not forwarded.startswith(f"{_CLIENT},"):
        return Symptom("legacy_sees", "ok", f"legacy sees the edge's peer as the client: {seen}")
    if trusted_hops:
        return Symptom("legacy_sees", "ok", f"legacy sees the client that the proxy in front says: {seen}")
    fix = "Let legacy count from the right: the last address is the true one."
    message = f"what a client claims reaches legacy, followed by its true address: {seen}"
    return Symptom("legacy_sees", "warning", message, fix)


def _trust(trusted_hops: int) -> str:
    return (
        "If a proxy stands in front of the edge: [edge] trusted_hops = 1 in banyan.toml."
        if not trusted_hops
        else "See that the proxy in front sends it."
    )


def _through_the_edge(trusted_hops: int) -> dict[str, str]:
    with _echo() as echo, tempfile.TemporaryDirectory(prefix="banyan-doctor-") as folder:
        files = EdgeFiles(Path(folder))
        files.prepare()
        shape = Shape(
            host="127.0.0.1",
            port=0,
            legacy=read_upstream(f"http://127.0.0.1:{echo}"),
            table=files.table,
            admin_socket=files.admin_socket,
            gateways=(1,),  # nobody: nothing is listed
            observer_port=1,
            trusted_hops=trusted_hops,
        )
        files.write_table(everything_to_legacy(keep_proto=shape.keep_proto))
        running = envoy.start(envoy.find_envoy(), files, shape)
        try:
            client = http.client.HTTPConnection("127.0.0.1", running.admin.port(), timeout=5)
            client.request("GET", "/", headers=_SENT)
            got: dict[str, str] = json.loads(client.getresponse().read())
            client.close()
            return got
        finally:
            running.stop(drain_seconds=0)


@contextmanager
def _echo() -> Iterator[int]:
    """A server that answers with the headers it got: its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

"""Where mail, calls and files of one side go while it is verified: servers and a folder of its own, on this machine.

The addresses reach the legacy app and the modern side by `[verify.env]`: a sink is there when its place is named.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.requests import Request
from starlette.responses import JSONResponse

from api_gateway.evidence.observation import Observation
from api_gateway.verify.effects import Effect, Kind

HOST = "127.0.0.1"
PLACES: Mapping[str, Kind] = {
    "smtp_host": "mail", "smtp_port": "mail", "http_url": "call", "files": "file",
}  # fmt: skip
MOST_BYTES = 8 * 1024 * 1024  # of one file or body; what is larger is compared up to here
_TOLD = ("authorization", "x-api-key", "idempotency-key", "soapaction")


class Sinks:
    """One side's. `places`: what stands for each name in `[verify.env]`."""

    def __init__(self, places: Mapping[str, str], folder: Path | None) -> None:
        self.places, self._folder = places, folder
        self._taken: list[Effect] = []
        self._files: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def filled(self, text: str) -> str:
        """A value of `[verify.env]` with this side's places."""
        for name, value in self.places.items():
            text = text.replace("{" + name + "}", value)
        return text

    def add(self, effect: Effect) -> None:
        """From a server's own thread."""
        with self._lock:
            self._taken.append(effect)

    def empty(self) -> None:
        """Forget what came, and remove the files: the copies are made anew."""
        if self._folder is not None:
            for path in self._folder.rglob("*"):
                if path.is_file():
                    path.unlink(missing_ok=True)
        self._files = {}
        self.take()

    def take(self) -> list[Effect]:
        """What has come since the last time: mail and calls in their order, then files by name."""
        with self._lock:
            taken, self._taken = self._taken, []
        return [*taken, *self._new_files()]

    def _new_files(self) -> Iterator[Effect]:
        if self._folder is None:
            return
        before, self._files = self._files, {}
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                name, stat = str(path.relative_to(self._folder)), path.stat()
                self._files[name] = (stat.st_mtime_ns, stat.st_size)
                if before.get(name) != self._files[name]:
                    yield Effect("file", (("name", name),), (_file(path),))
        for name in sorted(before.keys() - self._files.keys()):
            yield Effect("file", (("name", name), ("removed", "yes")), ())


@dataclass(frozen=True, slots=True)
class BothSinks:
    """Those of both sides, where there are any."""

    legacy: Sinks
    modern: Sinks

    async def take(self, wait: float) -> tuple[list[Effect], list[Effect]]:
        if wait:
            await asyncio.sleep(wait)
        return self.legacy.take(), self.modern.take()

    def empty(self) -> None:
        self.legacy.empty()
        self.modern.empty()


@contextmanager
def both_sinks(env: Mapping[str, str]) -> Iterator[BothSinks]:
    """Those whose places these values name, for each side."""
    wanted = frozenset(
        kind for place, kind in PLACES.items() if any("{" + place + "}" in text for text in env.values())
    )
    with sinks(wanted) as legacy, sinks(wanted) as modern:
        yield BothSinks(legacy, modern)


@contextmanager
def environment(env: Mapping[str, str], side: Sinks) -> Iterator[None]:
    """This process has `[verify.env]` as the modern side is to see it; afterwards what it had before."""
    before = {name: os.environ.get(name) for name in env}
    os.environ.update({name: side.filled(text) for name, text in env.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def sinks(wanted: frozenset[Kind]) -> Iterator[Sinks]:
    """Start those that are wanted; they are gone afterwards."""
    with ExitStack() as stack:
        folder = None
        places: dict[str, str] = {}
        if "file" in wanted:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="banyan-verify-files-")))
            places["files"] = str(folder)
        made = Sinks(places, folder)
        if "mail" in wanted:
            places |= {"smtp_host": HOST, "smtp_port": str(stack.enter_context(_mail(made.add)))}
        if "call" in wanted:
            places["http_url"] = f"http://{HOST}:{stack.enter_context(_calls(made.add))}"
        yield made


class _Mailbox:
    """aiosmtpd's handler."""

    def __init__(self, add: Callable[[Effect], None]) -> None:
        self._add = add

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = BytesParser(policy=policy.default).parsebytes(content)
        self._add(_letter(envelope, message))
        return "250 OK"


def _letter(envelope: Envelope, message: Any) -> Effect:
    fields = [("sender", envelope.mail_from or ""), *(("recipient", who) for who in sorted(envelope.rcpt_tos))]
    fields += [(name, str(message[name])) for name in ("from", "to", "cc", "reply-to", "subject") if message[name]]
    return Effect("mail", tuple(fields), tuple(_part(part) for part in message.walk() if not part.is_multipart()))


def _part(part: EmailMessage) -> Observation:
    content = part.get_payload(decode=True)
    body = content if isinstance(content, bytes) else b""
    charset = part.get_content_charset()
    kind = part.get_content_type() + (f"; charset={charset}" if charset else "")
    headers = [(b"content-type", kind.encode("latin-1", "replace"))]
    if (name := part.get_filename()) is not None:
        headers.append((b"content-disposition", f"attachment; filename={name}".encode("latin-1", "replace")))
    return Observation.answer(200, headers, body)


@contextmanager
def _mail(add: Callable[[Effect], None]) -> Iterator[int]:
    port = _free()
    controller = Controller(
        _Mailbox(add), hostname=HOST, port=port, server_hostname="localhost", data_size_limit=MOST_BYTES
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@contextmanager
def _calls(add: Callable[[Effect], None]) -> Iterator[int]:
    """Whatever is asked of it, it takes, and answers 200 with an empty object."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        add(_call(request, await request.body()))
        await JSONResponse({})(scope, receive, send)

    listening = socket.create_server((HOST, 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", loop="asyncio", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(5)
        listening.close()


def _call(request: Request, body: bytes) -> Effect:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    told = tuple((name, request.headers[name]) for name in _TOLD if name in request.headers)
    content = Observation.answer(200, [(b"content-type", request.headers.get("content-type", "").encode())], body)
    return Effect("call", (("target", f"{request.method} {target}"), *told), (content,))


def _file(path: Path) -> Observation:
    with path.open("rb") as file:
        body = file.read(MOST_BYTES)
    kind = mimetypes.guess_type(path.name)[0] or ("application/octet-stream" if b"\0" in body else "text/plain")
    return Observation.answer(200, [(b"content-type", kind.encode())], body)


def _free() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])

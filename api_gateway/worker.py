"""The worker: jobs in the background, a watch over what the API wrote, and the console on its own port.

The console lives here and not in a gateway: a page that somebody watches must not take time from the API, and it must
never share an origin with the legacy app.
"""

from __future__ import annotations

import asyncio
import signal

import uvicorn

from api_gateway import housekeeping
from api_gateway.console import build_console
from api_gateway.consumers import Register
from api_gateway.events import ProcessStarted, ProcessStopped
from api_gateway.evidence.reverted import watch_forever
from api_gateway.jobs import job_app
from api_gateway.ledger import Watcher
from api_gateway.logging import configure, report
from api_gateway.settings import Settings
from api_gateway.stages import StageTable


def run(settings: Settings) -> None:
    """Run until SIGTERM. Raises UsageError when a needed setting is missing."""
    configure("worker", form=settings.log_format, level=settings.log_level)
    owner = settings.require("owner_database_url")
    settings.require("session_secret")
    asyncio.run(_run(settings, owner))


async def _run(settings: Settings, owner_url: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    console = _console_server(settings)
    async with Watcher(owner_url, "worker", settings.state_dir, _keep_nothing):
        parts = [
            asyncio.create_task(console.serve(), name="console"),
            asyncio.create_task(_work_forever(owner_url), name="jobs"),
        ]
        if settings.read_database_url is not None:
            reading = watch_forever(owner_url, settings.require("read_database_url"))
            parts.append(asyncio.create_task(reading, name="reverted writes"))
        waiting = asyncio.create_task(stopping.wait())
        report(ProcessStarted("worker", f"{settings.console_host}:{settings.console_port}"))
        await asyncio.wait([waiting, *parts], return_when=asyncio.FIRST_COMPLETED)
        console.should_exit = True
        for part in (waiting, *parts):
            part.cancel()
        await asyncio.gather(waiting, *parts, return_exceptions=True)
    report(ProcessStopped("worker"))


def _keep_nothing(table: StageTable, register: Register) -> None:
    """The worker acts on no stage yet; it acknowledges, so that a move knows it lives."""


def _console_server(settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        build_console(settings),
        host=settings.console_host,
        port=settings.console_port,
        access_log=False,
        server_header=False,
        log_config=None,
        lifespan="on",
    )
    return uvicorn.Server(config)


async def _work_forever(owner_url: str) -> None:
    """Run jobs; when the database goes away, wait and begin again."""
    while True:
        try:
            app = job_app(owner_url)
            housekeeping.schedule(app, owner_url)
            async with app.open_async():
                await app.run_worker_async(install_signal_handlers=False, wait=True, listen_notify=True)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever procrastinate raises without its database
            await asyncio.sleep(2)

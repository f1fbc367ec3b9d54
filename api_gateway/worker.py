"""The worker: jobs in the background, and the console on its own port.

The console lives here and not in a gateway: a page that somebody watches must not take time from the API, and it must
never share an origin with the legacy app.
"""

from __future__ import annotations

import asyncio
import signal

import uvicorn

from api_gateway import housekeeping
from api_gateway.console import build_console
from api_gateway.jobs import job_app
from api_gateway.ledger import Watcher
from api_gateway.logging import configure_logging
from api_gateway.settings import Settings


def run(settings: Settings) -> None:
    """Run until SIGTERM. Raises UsageError when a needed setting is missing."""
    configure_logging("worker", settings)
    owner = settings.require("owner_database_url")
    settings.require("session_secret")
    asyncio.run(_run(settings, owner))


async def _run(settings: Settings, owner_url: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    watcher = Watcher(owner_url, "worker", settings.state_dir)
    console = _console_server(settings)
    parts = [
        asyncio.create_task(watcher.run(), name="watcher"),
        asyncio.create_task(console.serve(), name="console"),
        asyncio.create_task(_work_forever(owner_url), name="jobs"),
    ]
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait([waiting, *parts], return_when=asyncio.FIRST_COMPLETED)
    console.should_exit = True
    for part in parts:
        part.cancel()
    await asyncio.gather(*parts, return_exceptions=True)


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
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # ours are installed above
    return server


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

"""`banyan traffic`: the project's simulated partners call the edge."""

from __future__ import annotations

import asyncio
import signal


def traffic() -> None:
    """Call the edge as the project's simulated partners do, until stopped."""
    from api_gateway.cli.instance import project_folder
    from api_gateway.errors import UsageError
    from api_gateway.project import load_project
    from api_gateway.settings import settings

    project = load_project(project_folder(settings()))
    name = project.configuration.traffic
    if name is None:
        raise UsageError("banyan.toml names no simulated partners (`traffic`).")
    module = project.module(name)
    edge = f"http://127.0.0.1:{settings().edge_port}"

    async def until_stopped() -> None:
        partners = asyncio.create_task(module.run(edge, settings().state_dir / "traffic.json"))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, partners.cancel)
        await asyncio.gather(partners, return_exceptions=True)

    asyncio.run(until_stopped())

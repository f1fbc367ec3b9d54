"""What the observer does every few seconds goes on, whatever went wrong this time."""

from __future__ import annotations

import asyncio

import pytest

from api_gateway import events
from api_gateway.observer import process


@pytest.mark.parametrize("error", [OSError("gone"), SyntaxError("half a file"), SystemError("the interpreter's own")])
async def test_a_task_that_failed_is_tried_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(process, "report", told.append)
    again = asyncio.Event()

    async def look() -> None:
        if looks:
            again.set()
        looks.append(1)
        raise error

    looks: list[int] = []
    task = asyncio.create_task(process._every(0.001, look))
    async with asyncio.timeout(20):
        await again.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert all(isinstance(event, events.TaskFailed) and event.error == "SystemError" for event in told)
    assert bool(told) is isinstance(error, SystemError)

"""Work of the CPU that a handler needs, off the event loop: hashing a password, say. Two at a time, the rest waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any, TypeVar

from api_gateway.api.inside import aside

Result = TypeVar("Result")

AT_ONCE = 2


async def in_a_thread(call: Callable[..., Result], *arguments: Any) -> Result:
    """What `call` returns or raises. It must release the interpreter's lock, or the event loop waits all the same.

    It runs inside the handler still: what calls out of the process there is caught as anywhere.
    """
    context = copy_context()
    with aside():  # the thread is ours
        done = asyncio.get_running_loop().run_in_executor(_threads(), lambda: context.run(call, *arguments))
    return await done


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="banyan-cpu")

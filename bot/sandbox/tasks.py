"""Background tasks with an owner."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def owned(work: Coroutine[object, object, None]) -> AsyncGenerator[None]:
    """Let something run beside the block, and cancel it at the block's end; raises what it raised."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()

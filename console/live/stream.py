"""GET /api/v1/stream: the live page's one connection, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from console.live.views import Views
from console.who import Who

__all__ = ["stream_route"]

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""nginx passes each event on at once (ngx_http_proxy_module, proxy_buffering)."""


def stream_route(views: Views) -> Route:
    """The route; the stream ends with its asker's session."""

    async def stream(request: Request) -> Response:
        who: Who = request.state.who
        alive: Callable[[], bool] = getattr(request.state, "alive", lambda: True)
        return StreamingResponse(_while(alive, views.stream(who)), headers=HEADERS, media_type="text/event-stream")

    return Route("/api/v1/stream", stream)


async def _while(alive: Callable[[], bool], events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for event in events:
        if event.startswith(b":") and not await run_in_threadpool(alive):
            yield b"event: over\ndata: {}\n\n"
            return
        yield event

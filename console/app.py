"""The console's web application: the guard in front, behind it login, REST, the stream and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from console.api.openapi import described
from console.api.routes import api_routes
from console.auth.access import Access
from console.auth.guard import Guard
from console.auth.routes import access_routes
from console.errors import Problem
from console.hub import Hub
from console.live.stream import stream_route
from console.live.views import Views
from console.pages import page_routes
from console.problems import answer, json

__all__ = ["Living", "application"]


class Living(Hub, Protocol):
    """Hubs that listen from start to stop."""

    def start(self) -> None:
        """Inside the event loop."""

    def stop(self) -> None:
        """At its end."""


def application(hubs: Living, access: Access, version: str) -> ASGIApp:
    """All of it, below the path of the public address."""
    views, prefix = Views(hubs), access.settings.path

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        hubs.start()
        views.start()
        yield
        views.stop()
        hubs.stop()

    inner: list[BaseRoute] = [
        *access_routes(access), stream_route(views), *api_routes(hubs), *_own(hubs, version), *page_routes(prefix)
    ]  # fmt: skip
    routes = [Mount(prefix, routes=inner)] if prefix else inner
    handlers = {Problem: _problem, HTTPException: _http, Exception: _bug}
    return Guard(Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers), access)  # type: ignore[arg-type]


def _own(hubs: Hub, version: str) -> list[Route]:
    """What the console says of itself."""
    description = described(version)

    async def healthz(request: Request) -> Response:
        contact = hubs.contact
        return json({"console": "up", "hub": "up" if contact.up else "away", "since": contact.since})

    async def openapi(request: Request) -> Response:
        return json(description)

    return [Route("/healthz", healthz), Route("/api/v1/openapi.json", openapi)]


async def _problem(request: Request, error: Problem) -> Response:
    return answer(error)


async def _http(request: Request, error: HTTPException) -> Response:
    words = {404: "there is nothing at this address", 405: f"{request.method} is not what this address takes"}
    cure = "GET /api/v1/openapi.json describes what there is"
    return answer(Problem(error.status_code, "http", words.get(error.status_code, error.detail), cure))


async def _bug(request: Request, error: Exception) -> Response:
    return answer(Problem(500, "bug", "the console made a mistake; its log says which"))

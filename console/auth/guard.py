"""In front of everything: who asks?  Nothing behind it runs for somebody who is nobody.

Theory.  The checks go from the cheapest to the dearest, each with one answer: a name of ours (Host), where it comes
from, no secret in the address, then the token of a program or the cookie of a browser.  A cookie comes along whoever
made the browser send it, so what changes something needs the session's own word as well (X-CSRF-Token), which only a
page of ours can have read; a token is never sent by itself and needs none.  No answer names another origin (CORS).
What is behind finds a `Who` in scope["state"]["who"], and whether it still holds in ["alive"], for streams.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console.auth.access import Access
from console.auth.origin import SAFE, is_ours, knows_host, sender
from console.errors import Problem
from console.problems import answer
from console.who import Who

__all__ = ["Guard", "cookie_of"]

OPEN = ("/login", "/static/", "/healthz", "/api/v1/session", "/api/v1/setup", "/favicon.ico")
"""What nobody in particular may ask for."""
SECRETS = frozenset({"token", "access_token", "api_key", "password", "csrf"})
"""Words that are in no address: addresses are in logs, histories and Referer."""
SHIELD = {
    "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
}  # fmt: skip
FOREIGN = Problem(403, "csrf", "this was not sent by a page of the console", "send X-CSRF-Token")
LOGIN = Problem(401, "login", "log in first", "POST /api/v1/session, or send Authorization: Bearer TOKEN")


class Guard:
    """ASGI middleware; see the module's docstring.  `app` lies below `access.settings.path`."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access, self._settings = app, access, access.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        shielded = _shielded(send)
        try:
            await self._enter(scope, Headers(scope=scope))
        except Problem as problem:
            await self._refuse(scope, problem)(scope, receive, shielded)
            return
        await self._app(scope, receive, shielded)

    async def _enter(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        if not knows_host(host, self._settings.allowed_hosts):
            raise Problem(421, "host", "this console is not asked by that name", "add it to allowed_hosts=")
        if any(name in SECRETS for name, _ in parse_qsl(scope["query_string"].decode("latin-1"))):
            raise Problem(400, "secret-in-address", "no secret belongs into an address", "send it as a header")
        if scope["method"] not in SAFE and "authorization" not in headers and not is_ours(headers, host):
            raise FOREIGN
        peer = scope["client"][0] if scope.get("client") else ""
        state = scope.setdefault("state", {})
        state["address"] = sender(peer, headers.get("x-forwarded-for", ""), self._settings.trusted_proxies)
        who = await run_in_threadpool(self._who, scope, headers, host)
        if who is None and not self._is_open(scope):
            raise LOGIN
        state["who"] = who

    def _who(self, scope: Scope, headers: Headers, host: str) -> Who | None:
        kind, _, text = headers.get("authorization", "").partition(" ")
        address = scope["state"]["address"]
        if kind:
            return self._of_token(kind, text, address)
        cookie = cookie_of(headers, self._settings.cookie)
        found = self._access.sessions.find(cookie) if cookie else None
        if found is None:
            return None
        session, account = found
        if scope["method"] not in SAFE:
            said = headers.get("x-csrf-token", "")
            if not secrets.compare_digest(said.encode(), session.csrf.encode()):
                raise FOREIGN
        scope["state"]["csrf"] = session.csrf
        scope["state"]["alive"] = _alive(self._access, cookie)
        return Who(account.name, account.role, account.scope, address, "session")

    def _of_token(self, kind: str, text: str, address: str) -> Who:
        found = self._access.tokens.find(text.strip()) if kind.lower() == "bearer" else None
        if found is None:
            self._access.diary.tell("", address, "token", text.partition("_")[2][:16], "refused")
            raise Problem(401, "token", "this token is unknown, revoked or over", "make a new one")
        token, role, labels = found
        return Who(token.user, role, labels, address, f"token:{token.id}")

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(self._settings.path)
        return any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN)

    def _refuse(self, scope: Scope, problem: Problem) -> Response:
        page = problem is LOGIN and scope["method"] == "GET" and "/api/" not in scope["path"]
        return RedirectResponse(f"{self._settings.path}/login", 303) if page else answer(problem)


def cookie_of(headers: Headers, name: str) -> str:
    """What the browser's cookie of this name holds; "" where there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _alive(access: Access, cookie: str) -> Callable[[], bool]:
    return lambda: access.sessions.find(cookie) is not None


def _shielded(send: Send) -> Send:
    """The same, with the headers that every answer has."""

    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            extra = [(name.encode(), value.encode()) for name, value in SHIELD.items()]
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await send(message)

    return sent

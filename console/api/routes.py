"""The handlers of the table: arguments in, the hub's answer out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console import bounds
from console.api.table import CALLS, Call, Field
from console.errors import Problem
from console.hub import Hub
from console.problems import body, json
from console.who import Who

__all__ = ["api_routes", "arguments"]

PREFIX = "/api/v1"
IDEMPOTENT = frozenset({"command", "roll"})
"""Operations that take an id, by which a repetition is known."""
WORD = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def api_routes(hub: Hub) -> list[Route]:
    """The routes of the table."""
    return [Route(PREFIX + call.path, _endpoint(hub, call), methods=[call.method]) for call in CALLS]


def _endpoint(hub: Hub, call: Call) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        who: Who = request.state.who
        given: Mapping[str, Any] = dict(request.query_params)
        if call.method == "POST":
            given = await body(request, dict[str, Any], bounds.BODY_BYTES)
        args = arguments(call, {**given, **request.path_params}, call.method == "POST")
        if call.op in IDEMPOTENT:
            args["id"] = _repetition(request)
        found = await hub.ask(call.op, args, who)
        status = 202 if call.method == "POST" and call.op in IDEMPOTENT else 200
        return _tagged(request, found if call.one else _page(call, args, found), status)

    return endpoint


def arguments(call: Call, given: Mapping[str, Any], typed: bool) -> dict[str, Any]:
    """The arguments as the hub takes them; `typed`: they are JSON, not words.  Raises Problem (422)."""
    fields = {field.name: field for field in call.fields}
    if unknown := sorted(set(given) - set(fields)):
        raise Problem(
            422, "argument", f"there is no {unknown[0][:40]!r} here", f"known: {', '.join(fields) or 'nothing'}"
        )
    if missing := [name for name, field in fields.items() if field.required and given.get(name) in (None, "")]:
        raise Problem(422, "argument", f"{missing[0]} is missing", fields[missing[0]].doc)
    found = {name: _value(fields[name], value, typed) for name, value in given.items() if value is not None}
    if "limit" in fields:
        found["limit"] = min(max(int(found.get("limit", 200)), 1), bounds.ROWS)
    return {**found, **dict(call.constant)}


def _value(field: Field, value: Any, typed: bool) -> Any:
    if isinstance(value, str) and len(value) > bounds.WORD_CHARS:
        raise Problem(422, "argument", f"{field.name} is longer than {bounds.WORD_CHARS} characters", field.doc)
    kind: Any = field.kind
    try:
        return msgspec.convert(value, list[str] if kind is list else kind, strict=typed and kind is not float)
    except msgspec.ValidationError as error:
        raise Problem(422, "argument", f"{field.name}: {error}"[:200], field.doc) from None


def _repetition(request: Request) -> str | None:
    """What the Idempotency-Key header says; the hub knows a command that it was given before by it."""
    found = request.headers.get("idempotency-key")
    if found is not None and WORD.fullmatch(found) is None:
        raise Problem(422, "idempotency-key", "Idempotency-Key has 1 to 40 letters, digits, '_', '.' or '-'")
    return found


def _page(call: Call, args: Mapping[str, Any], found: Any) -> dict[str, Any]:
    rows = list(found)
    full = bool(call.key) and len(rows) >= args.get("limit", bounds.ROWS)
    return {"rows": rows, "next": rows[-1].get(call.key) if full else None}


def _tagged(request: Request, content: Any, status: int) -> Response:
    """The answer with its ETag; nothing but that where the asker has it already."""
    if request.method != "GET":
        return json(content, status)
    response = json(content, status)
    tag = f'"{blake2b(bytes(response.body), digest_size=12).hexdigest()}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(None, 304, {"etag": tag, "cache-control": "no-store"})
    response.headers["etag"] = tag
    return response

"""Problems as HTTP answers (RFC 9457), and bodies as JSON."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from console.errors import Problem

__all__ = ["answer", "body", "json"]

TITLES = {
    400: "Bad request", 401: "Not logged in", 403: "Not allowed", 404: "Not there", 405: "Not this way",
    409: "Conflict", 413: "Too large", 421: "Misdirected", 422: "Cannot be used", 429: "Too many",
    500: "Our fault", 503: "Not now", 504: "Too slow",
}  # fmt: skip

Kind = TypeVar("Kind")


def answer(problem: Problem) -> Response:
    """The refusal as application/problem+json; who is to wait is told for how long."""
    words = {
        "type": f"urn:pidone:{problem.code}", "title": TITLES.get(problem.status, "Refused"), "status": problem.status,
        "detail": problem.detail, "code": problem.code, "cure": problem.cure,
    }  # fmt: skip
    headers = {"cache-control": "no-store"}
    if problem.status in (429, 503):
        headers["retry-after"] = next((word for word in problem.cure.split() if word.isdecimal()), "5")
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(words), problem.status, headers, "application/problem+json")


def json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer, which nobody between keeps."""
    return Response(
        msgspec.json.encode(content), status, {"cache-control": "no-store", **(headers or {})}, "application/json"
    )


async def body(request: Request, kind: type[Kind], most: int) -> Kind:
    """The JSON body as this record; raises Problem that names the field."""
    text = b""
    async for part in request.stream():
        text += part
        if len(text) > most:
            raise Problem(413, "too-large", f"a body here has at most {most} bytes")
    try:
        return msgspec.json.decode(text or b"{}", type=kind, strict=True)
    except msgspec.DecodeError as error:
        raise Problem(422, "body", str(error)[:200]) from None

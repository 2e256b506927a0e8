"""The page: one document, its modules and styles from this package, nothing from anywhere else.

The document is the same for every address of the page; which screen it shows, the address says.  The policy allows no
inline script or style and no other origin (CSP level 3), so a name that is markup could not do anything even if some
module put it into the document as such, which none does.
"""

from __future__ import annotations

import mimetypes
from hashlib import blake2b
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["page_routes"]

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SHELL = """<!doctype html>
<html lang="en" data-prefix="{prefix}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>pidone</title>
<link rel="icon" href="{prefix}/static/icon.svg">
<link rel="stylesheet" href="{prefix}/static/style.css">
<script type="module" src="{prefix}/static/main.js"></script>
</head>
<body><div id="page"></div><noscript>This page needs JavaScript; hubctl and the REST API do not.</noscript></body>
</html>
"""
SCREENS = ("/", "/login", "/agents/{rest:path}", "/events", "/exits", "/alerts", "/commands", "/hubs", "/users")


class Files:
    """The files beside this module, read once, each with its ETag."""

    def __init__(self) -> None:
        self.found = {
            path.relative_to(STATIC).as_posix(): (path.read_bytes(), *_facts(path))
            for path in STATIC.rglob("*")
            if path.is_file()
        }

    def serve(self, request: Request) -> Response:
        """One file; a browser asks again each time whether its copy is the present one."""
        found = self.found.get(request.path_params["path"])
        if found is None:
            return Response("not there\n", 404, media_type="text/plain")
        content, kind, tag = found
        headers = {"etag": tag, "cache-control": "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(content, 200, headers, kind)


def page_routes(prefix: str) -> list[Route]:
    """The document at each screen's address, and its files."""
    text, files = SHELL.format(prefix=escape(prefix)), Files()

    async def shell(request: Request) -> Response:
        return Response(text, 200, {"content-security-policy": POLICY, "cache-control": "no-cache"}, "text/html")

    async def static(request: Request) -> Response:
        return files.serve(request)

    return [*(Route(path, shell) for path in SCREENS), Route("/static/{path:path}", static)]


def _facts(path: Path) -> tuple[str, str]:
    kind = {".js": "text/javascript", ".svg": "image/svg+xml"}.get(path.suffix) or mimetypes.guess_type(path)[0]
    return kind or "text/plain", f'"{blake2b(path.read_bytes(), digest_size=12).hexdigest()}"'

"""What a path leads to: /RPC2, /logtail/NAME/STREAM, /mainlogtail, and a plain page that says so."""

from __future__ import annotations

import itertools

from initd.compat.rpc_api import call
from initd.compat.rpc_http import chunk_of, head_of, unquote
from initd.compat.rpc_initd import Initd, full_name
from initd.compat.rpc_logs import Log
from initd.compat.rpc_method import After
from initd.compat.rpc_words import Fault
from initd.compat.rpc_xml import BadXml, dump_fault, dump_result, load_call
from initd.ctl.client import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from initd.compat.rpc_http import Connection, Request
    from initd.compat.rpc_initd import Asking

PAGE = b"""\
This is initd, speaking supervisor's XML-RPC at /RPC2.

  supervisorctl -s URL status      what runs (pip install supervisor, or the one beside initd)
  /logtail/NAME/stdout             follow a program's log; /logtail/NAME/stderr likewise
  /mainlogtail                     follow initd's own log
"""

TEXT = "Content-Type: text/plain;charset=utf-8\r\nX-Accel-Buffering: no\r\n"


def respond(connection: Connection, request: Request, asking: Asking) -> bool:
    """Answer one request; whether the connection goes on.  Raises OSError, BadRequest."""
    path = unquote(request.path.partition("?")[0])
    for prefix, page in PAGES.items():
        if path.startswith(prefix):
            return page(connection, request, Initd(asking), path)
    return _error(connection, request, 404)


def _error(connection: Connection, request: Request, status: int) -> bool:
    connection.answer(status, f"{status}\n".encode("ascii"), request.keeps)
    return request.keeps


def _rpc(connection: Connection, request: Request, initd: Initd, path: str) -> bool:
    if request.method != "POST":
        return _error(connection, request, 400)
    try:
        name, args = load_call(request.body)
    except BadXml:
        return _error(connection, request, 400)
    body, afterwards = _carry_out(initd, name, args)
    connection.answer(200, body, request.keeps, "text/xml")
    if afterwards is not None:
        afterwards()
    return request.keeps


def _carry_out(initd: Initd, name: str, args: list[object]) -> tuple[bytes, Callable[[], object] | None]:
    """The answer's body, and what is to be done once it is sent."""
    try:
        result = call(initd, name, args)
    except Fault as fault:
        return dump_fault(fault.code, fault.text), None
    if isinstance(result, After):
        return dump_result(result.result), result.act
    return dump_result(result), None


def _logtail(connection: Connection, request: Request, initd: Initd, path: str) -> bool:
    _, _, which = path.strip("/").partition("/")
    name, _, stream = which.partition("/")
    stream = stream or "stdout"
    if request.method != "GET" or not name:
        return _error(connection, request, 400)
    if stream not in ("stdout", "stderr"):
        return _error(connection, request, 404)
    try:
        full = full_name(initd.find(name))
    except Fault:
        return _error(connection, request, 404)
    return _follow(connection, request, initd, Log(initd, full, stream), {"name": full, "stream": stream})


def _mainlogtail(connection: Connection, request: Request, initd: Initd, path: str) -> bool:
    if request.method != "GET":
        return _error(connection, request, 400)
    return _follow(connection, request, initd, Log(initd), {})


def _follow(connection: Connection, request: Request, initd: Initd, log: Log, which: dict[str, object]) -> bool:
    """Send the end of a log and what comes, in chunks, until the client leaves."""
    if not log.exists():
        return _error(connection, request, 404)
    items = initd.asking.stream("log.follow", **which)
    try:
        first = next(items)  # before any answer: PID 1 may refuse
        _copy(connection, request, itertools.chain([first], items))
    except Refused:
        return _error(connection, request, 503)
    finally:
        items.close()  # type: ignore[attr-defined]
    return False


def _copy(connection: Connection, request: Request, items: Iterable[dict[str, Any]]) -> None:
    """Send what comes, in chunks where the client knows them."""
    chunked = request.version == "1.1"
    wrap = chunk_of if chunked else bytes
    connection.send(head_of(200, TEXT + ("Transfer-Encoding: chunked\r\n" if chunked else ""), False))
    for message in items:
        if message.get("item"):
            connection.send(wrap(message["item"].encode("latin-1")))
        elif connection.has_left():
            break


def _front(connection: Connection, request: Request, initd: Initd, path: str) -> bool:
    if path not in ("/", "/index.html"):
        return _error(connection, request, 404)
    connection.answer(200, PAGE, request.keeps)
    return request.keeps


PAGES: dict[str, Callable[[Connection, Request, Initd, str], bool]] = {
    "/RPC2": _rpc,
    "/logtail": _logtail,
    "/mainlogtail": _mainlogtail,
    "/": _front,
}
"""By beginning of the path, the first that fits."""

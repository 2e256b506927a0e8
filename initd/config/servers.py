"""Control sockets the file asks for, and [rpcinterface:x]: checked as supervisord checks them."""

from __future__ import annotations

import os

from initd.config.fields import INET_SERVER, UNIX_SERVER
from initd.config.records import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.config.ini import Section
    from initd.config.reading import Reading

FACTORY = "supervisor.rpcinterface_factory"


def servers(reading: Reading) -> tuple[Server, ...]:
    """Every [unix_http_server] and [inet_http_server], whatever stands behind these names."""
    document = reading.document
    for section in document.starting_with("rpcinterface:"):
        _rpc(reading, section)
    found = [_inet(reading, section) for section in document.starting_with("inet_http_server")]
    found += [_unix(reading, section) for section in document.starting_with("unix_http_server")]
    return tuple(found)


def _rpc(reading: Reading, section: Section) -> None:
    """The factory must be named, and every option must expand (with the environment's names only)."""
    options = reading.document.options(section)
    if FACTORY not in options:
        reading.lacks(section, FACTORY, "write supervisor.rpcinterface:make_main_rpcinterface, or take the section out")
    for name, option in options.items():
        reading.value(name, "text", option, reading.environ)


def _unix(reading: Reading, section: Section) -> Server:
    options = reading.document.options(section)
    own = {name: option for name, option in options.items() if name != "file"}
    values = reading.values(own, UNIX_SERVER, reading.environ)
    if "file" not in options:
        reading.lacks(section, "file", "add file=/run/supervisor.sock")
    values["file"] = reading.one(options, "file", "text", reading.names())
    _credentials(reading, section, values)
    reading.check_owner(section, "chown", values["chown"])
    path = os.path.normpath(os.path.abspath(os.path.expanduser(values["file"] or "")))
    return Server(section.name, path, values["username"], values["password"], values["chmod"], values["chown"])


def _inet(reading: Reading, section: Section) -> Server:
    options = reading.document.options(section)
    values = reading.values(options, INET_SERVER, reading.environ)
    if "port" not in options:
        reading.lacks(section, "port", "add port=127.0.0.1:9001")
    elif values["port"] is not None and not address(values["port"]):
        fault = f"port: {values['port']!r} is no address: write host:port, *:port or port (1 to 65535)"
        reading.blame(section, "port", fault)
    _credentials(reading, section, values)
    where = address(values["port"] or "") or ""
    return Server(section.name, where, values["username"], values["password"], None, None)


def _credentials(reading: Reading, section: Section, values: dict[str, Any]) -> None:
    """User name and password come together or not at all."""
    options = reading.document.options(section)
    if ("username" in options) is not ("password" in options):
        missing = "password" if "username" in options else "username"
        reading.lacks(section, missing, "give both username and password, or neither")


def address(text: str) -> str | None:
    """`host:port` with the host in lower case, empty for every address; None where the text is none."""
    host, _, port = text.rpartition(":")
    try:
        number = int(port)
    except ValueError:
        return None
    host = "" if host == "*" else host.lower()
    return f"{host}:{number}" if 1 <= number <= 0xFFFF else None

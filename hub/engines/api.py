"""A thin, bounded client of one Docker engine: the SDK's connection and TLS, our own limits on time and size.

Theory.  The SDK's APIClient is a requests session that knows unix sockets, client certificates and API versions.  Its
methods, though, read answers of any size, wait for ever on event streams and follow redirects, so only the session is
used.  Three traps are avoided here: `version="auto"` would talk to the engine inside the constructor, so a client is
built with a fixed version and the version negotiated afterwards; `trust_env` is off, because requests prefers
REQUESTS_CA_BUNDLE to the client's own CA, which breaks every TLS engine; and redirects are refused.  The time-out is
for each wait on the socket: an engine that drips its answer byte by byte holds up nobody but its own thread.
`docker` is imported at the first connection only (17 MiB that a hub without engines need not pay).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub.engines.lines import Stream
from hub.engines.reasons import EngineError, never_sent, reason
from hub.engines.values import mapping, parsed, text, within
from wire._record import Record
from wire.limits import ENGINE_ANSWER_BYTES, ENGINE_POLL_SECONDS, ENGINE_STREAMS

if TYPE_CHECKING:
    from docker import APIClient

OLDEST, NEWEST = (1, 40), (1, 47)
"""API versions we speak: 1.40 is engine 19.03; a newer engine is asked to answer as 1.47 (or as its oldest)."""
ONE_SHOT = (1, 44)
"""From here on (engine 25) a one-shot statistics answer comes at once; before, it waits for the next second."""
Parameters = Mapping[str, str | int]


class Tls(Record):
    """Files for mutual TLS: the engine's CA, our certificate and its key."""

    ca: str
    cert: str
    key: str


def address_problem(url: str, tls: Tls | None) -> str:
    """What is wrong with an engine's address, "" if nothing: for the reader of the configuration."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed, for example
        return "the address of an engine is no URL: unix:///path or tcp://host:port"
    if parts.scheme == "unix":
        return "" if parts.path and not parts.netloc and not tls else "a unix:// address is a path, without TLS files"
    if parts.scheme != "tcp":
        return "the address of an engine begins with unix:// or tcp://"
    try:
        named = bool(parts.hostname) and bool(parts.port)
    except ValueError:
        named = False
    return "" if named else "a tcp:// address needs a host and a port"


class Api:
    """One engine's API at a negotiated version.  Safe for several threads; every call raises EngineError only."""

    def __init__(self, url: str, tls: Tls | None, pool: int = ENGINE_STREAMS) -> None:
        """Connects to nothing yet.  `pool`: most connections kept open between requests."""
        self._url, self._tls, self._pool = url, tls, pool
        self._client = self._build("1.41")
        self.version = (0, 0)
        """Negotiated version, (0, 0) before `negotiate`."""

    def _build(self, version: str) -> APIClient:
        try:
            import docker
        except ImportError as error:
            raise EngineError("the Python package `docker` is missing: pip install 'pidone[hub]'") from error
        absent = [name for name in self._tls or () if not os.access(name, os.R_OK)]
        if absent:
            raise EngineError(f"cannot read the TLS file {absent[0]}", sent=False)
        try:
            tls = self._tls and docker.tls.TLSConfig(
                client_cert=(self._tls.cert, self._tls.key), ca_cert=self._tls.ca, verify=True
            )
            client = docker.APIClient(self._url, version, tls=tls or False, max_pool_size=self._pool)
        except Exception as error:  # the SDK raises its own errors, ValueError and OSError for bad addresses and files
            raise EngineError(reason(error), sent=False) from error
        client.trust_env = False
        return client

    def negotiate(self) -> Mapping[str, object]:
        """Agree on a version; the engine's own account of itself (`/version`)."""
        answer = mapping(self.get("/version", versioned=False))
        offered, oldest = _version(answer.get("ApiVersion")), _version(answer.get("MinAPIVersion"))
        if offered < OLDEST:
            said = text(answer.get("ApiVersion"), 16) or "none"
            raise EngineError(f"its API version is {said}; needs 1.40 (engine 19.03) or newer: is it a Docker engine?")
        self.version = max(min(offered, NEWEST), oldest)
        self._client.close()
        self._client = self._build("{}.{}".format(*self.version))
        return answer

    def get(
        self,
        path: str,
        parameters: Parameters | None = None,
        limit: int = ENGINE_ANSWER_BYTES,
        seconds: float = ENGINE_POLL_SECONDS,
        versioned: bool = True,
    ) -> object:
        """The JSON answer to a GET; `limit` in bytes."""
        answer = parsed(self._body("GET", path, parameters, limit, seconds, versioned))
        if answer is None:
            raise EngineError(f"{path}: the answer is not JSON: is it a Docker engine?")
        return answer

    def post(self, path: str, parameters: Parameters, seconds: float) -> int:
        """The HTTP status of a POST that succeeded (204 done, 304 was so already)."""
        with self._request("POST", path, parameters, (min(seconds, ENGINE_POLL_SECONDS), seconds)) as response:
            return int(response.status_code)

    def lines(self, path: str, parameters: Parameters, silence: float) -> Stream:
        """An endless answer; it ends by itself after `silence` seconds without a byte."""
        response = self._request("GET", path, parameters, (ENGINE_POLL_SECONDS, silence))
        return Stream(response)

    def close(self) -> None:
        """Drop the idle connections."""
        self._client.close()

    def _body(
        self, method: str, path: str, parameters: Parameters | None, limit: int, seconds: float, versioned: bool
    ) -> bytes:
        wait = (min(seconds, ENGINE_POLL_SECONDS), seconds)
        with self._request(method, path, parameters, wait, versioned) as response:
            return _read(response, limit, path)

    def _request(
        self,
        method: str,
        path: str,
        parameters: Parameters | None,
        wait: tuple[float, float],
        versioned: bool = True,
    ) -> Any:
        client = self._client
        prefix = f"/v{client.api_version}" if versioned else ""
        try:
            response = client.request(
                method,
                f"{client.base_url}{prefix}{path}",
                params=dict(parameters or {}),
                headers={"Accept-Encoding": "identity"},
                timeout=wait,
                stream=True,
                allow_redirects=False,
            )
        except Exception as error:  # requests, urllib3, ssl, http.client and socket each have a family of their own
            greeting = self._tls is not None and self.version == (0, 0)
            raise EngineError(reason(error, greeting), sent=not never_sent(error)) from error
        if response.status_code < 300 or response.status_code == 304:
            return response
        with response:
            raise _refusal(response, path)


def _version(value: object) -> tuple[int, int]:
    major, _, minor = text(value, 16).partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


def _read(response: Any, limit: int, path: str) -> bytes:
    chunks, size = [], 0
    try:
        for chunk in response.raw.stream(65536, decode_content=False):
            size += len(chunk)
            if size > limit:
                raise EngineError(f"{path}: the answer is longer than {limit} bytes")
            chunks.append(chunk)
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(reason(error)) from error
    return b"".join(chunks)


def _refusal(response: Any, path: str) -> EngineError:
    """The engine's own words where it has some: {"message": "No such container: ..."}, or one line of text."""
    try:
        body = _read(response, 8192, path)
    except EngineError:
        body = b""
    answer = parsed(body)
    said = within(answer, "message") if answer is not None else body.decode("utf-8", "replace").strip()
    return EngineError(text(said, 200) or f"HTTP {response.status_code} for {path}", int(response.status_code))

"""hubd's configuration: one declared table of options; the reader, the checks and the example file come from it.

The file is INI: `[section]`, `key = value`, comments in lines that start with `#` or `;`.  Every problem is found
before anything starts, and all are told at once as file:line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from hub import typed
from hub.engines.api import Tls, address_problem
from hub.ini import ConfigError, Line, Option, Problems, read_file, read_sections, read_values
from hub.store.redis.address import Address
from wire._record import Record

DECADE = 10 * 366 * 86400.0
"""Longest time anything may be kept, seconds."""

TIERS = ("keep_raw", "keep_1min", "keep_10min", "keep_1h")
"""Each tier is made from the one before, whole windows at a time (1 h, 6 h, 24 h): hence their least times."""

LOCAL_ENGINE = "/var/run/docker.sock"
"""Where Docker puts the socket of its engine."""


SECTIONS = r"hubd|store|engine:[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


class EngineConfig(Record):
    """One [engine:NAME] section."""

    name: str
    url: str
    tls_ca: str
    tls_cert: str
    tls_key: str
    mode: str


class Config(Record):
    """The whole configuration, checked."""

    state_dir: str
    bind: str
    advertise: tuple[str, ...]
    port_command: int
    port_samples: int
    port_enrol: int
    port_client: int
    port_feed: int
    period: float
    sample_period: float
    keep_lost: float
    alerts: str
    metrics: tuple[str, int] | None
    metrics_token_file: str
    metrics_cert: str
    metrics_key: str
    metrics_client_ca: str
    sample_budget: int
    keep_raw: float
    keep_1min: float
    keep_10min: float
    keep_1h: float
    keep_facts: float
    keep_audit: float
    store: Address | None
    """Redis; None for the embedded store."""
    redis_user: str
    redis_password_file: str
    redis_tls_ca: str
    redis_tls_cert: str
    redis_tls_key: str
    redis_sync: str
    redis_replicas: int
    engines: tuple[EngineConfig, ...]


OPTIONS: Mapping[str, tuple[Option, ...]] = {
    "hubd": (
        Option("state_dir", typed.text, "/var/lib/pidone", "keys, facts and samples; made if missing, mode 0700"),
        Option("bind", typed.text, "0.0.0.0", "address to listen on"),
        Option(
            "advertise",
            typed.hosts,
            "",
            "host names for join strings and agents, comma separated; else the host's name",
        ),
        Option("port_command", typed.port, "7401", "agents: requests and commands"),
        Option("port_samples", typed.port, "7402", "agents: samples"),
        Option("port_enrol", typed.port, "7403", "agents: enrolment"),
        Option("port_client", typed.port, "7404", "clients: queries and commands"),
        Option("port_feed", typed.port, "7405", "clients: live feed"),
        Option("period", typed.seconds(0.2, 300), "2", "time between heartbeats; late after 1.5 of them, lost after 3"),
        Option("sample_period", typed.seconds(0.5, 3600), "5", "time between samples while nobody watches"),
        Option(
            "keep_lost",
            typed.seconds(300, DECADE),
            "24h",
            "how long agents that left are listed, and their keys kept if they came by a service token",
        ),
        Option(
            "alerts", typed.maybe, "", "file: rules and sinks of alerts (docs/alerts.md); else the built-in rules alone"
        ),
        Option(
            "metrics", typed.endpoint, "", "HOST:PORT for Prometheus to scrape /metrics, e.g. 127.0.0.1:9464; else off"
        ),
        Option("metrics_token_file", typed.maybe, "", "file: bearer token that a scraper must show"),
        Option("metrics_cert", typed.maybe, "", "file: certificate, for https"),
        Option("metrics_key", typed.maybe, "", "file: key of that certificate"),
        Option("metrics_client_ca", typed.maybe, "", "file: authority of the certificates that scrapers must show"),
    ),
    "store": (
        Option("sample_budget", typed.size, "1GB", "most disk space for samples; the oldest finest go first"),
        Option("keep_raw", typed.seconds(600, DECADE), "1h", "how long samples are kept as they came"),
        Option(
            "keep_1min",
            typed.seconds(6 * 3600, DECADE),
            "24h",
            "how long by the minute, as least, average and most; 6h or more",
        ),
        Option("keep_10min", typed.seconds(86400, DECADE), "30d", "how long by ten minutes; 24h or more"),
        Option(
            "keep_1h",
            typed.seconds(86400, DECADE),
            "365d",
            "how long by the hour; each of these four as long as the one before, or longer",
        ),
        Option("keep_facts", typed.seconds(3600, DECADE), "90d", "how long state changes, exits and commands are kept"),
        Option("keep_audit", typed.seconds(3600, DECADE), "365d", "how long it is known who asked for what"),
        Option(
            "store",
            typed.store,
            "embedded",
            "embedded (in state_dir), redis://HOST:PORT, redis+sentinel://HOST:PORT,.../NAME, "
            "redis+cluster://HOST:PORT,...; rediss for TLS",
        ),
        Option("redis_user", typed.maybe, "", "name to log in with, where Redis has users"),
        Option("redis_password_file", typed.maybe, "", "file that holds the password and nothing else"),
        Option("redis_tls_ca", typed.maybe, "", "file: authority of Redis' certificate; else the system's"),
        Option("redis_tls_cert", typed.maybe, "", "file: client certificate"),
        Option("redis_tls_key", typed.maybe, "", "file: key of the client certificate"),
        Option("redis_sync", typed.sync, "always", "weakest appendfsync that will do: always, everysec or none"),
        Option("redis_replicas", typed.count, "0", "how many replicas must have a fact before it is acknowledged"),
    ),
    "engine": (
        Option("url", typed.text, "", "unix:///var/run/docker.sock or tcp://host:2376"),
        Option("tls_ca", typed.maybe, "", "file: certificate authority of the engine"),
        Option("tls_cert", typed.maybe, "", "file: client certificate"),
        Option("tls_key", typed.maybe, "", "file: key of the client certificate"),
        Option("mode", typed.mode, "auto", "where container figures come from: auto, poll, stream, agent"),
    ),
}
"""Section -> options; [engine:NAME] may stand any number of times."""


def load(path: str | None, is_there: Callable[[str], bool] = os.path.exists) -> Config:
    """The configuration of this file; without one, the defaults and the Docker engine of this machine, if its socket
    is there (in a container: if somebody mounted it).  Raises ConfigError with every problem."""
    if path is None:
        return parse("(defaults)", f"[engine:local]\nurl=unix://{LOCAL_ENGINE}\n" if is_there(LOCAL_ENGINE) else "")
    return parse(path, read_file(path))


def parse(path: str, text: str, exists: Callable[[str], bool] = os.path.isfile) -> Config:
    """As `load`, for text at hand; problems are told under `path`, `exists` says whether a file is there."""
    problems = Problems(path)
    sections = read_sections(text, problems, SECTIONS, "[hubd], [store], [engine:NAME]")
    values = {}
    kept, own = sections.get("store", {}), sections.get("hubd", {})
    for name in ("hubd", "store"):
        values.update(read_values(name, OPTIONS[name], sections.pop(name, {}), problems))
    _rising(values, kept, problems)
    _redis(values, kept, problems, exists)
    _scraped(values, own, problems, exists)
    engines = [_engine(name, lines, problems, exists) for name, lines in sections.items()]
    _distinct_ports(values, sections, problems)
    if problems.found:
        raise ConfigError(problems.told())
    return Config(**values, engines=tuple(engine for engine in engines if engine))


def _engine(
    name: str, lines: Mapping[str, Line], problems: Problems, exists: Callable[[str], bool]
) -> EngineConfig | None:
    before = len(problems.found)
    values = read_values("engine", OPTIONS["engine"], lines, problems)
    files = {key: str(values.get(key, "")) for key in ("tls_ca", "tls_cert", "tls_key")}
    for key, path in files.items():
        if path and not exists(path):
            problems.add(lines[key].number, f"{key}: no file {path}")
    if any(files.values()) and not all(files.values()):
        problems.add(lines[""].number, f"[{name}] needs tls_ca, tls_cert and tls_key together")
    elif len(problems.found) == before:
        tls = Tls(*files.values()) if all(files.values()) else None
        wrong = address_problem(values["url"], tls) or _exposed(values["url"], tls)
        if wrong:
            problems.add(lines["url"].number, f"url: {wrong}")
    return None if len(problems.found) > before else EngineConfig(name.partition(":")[2], **values)


def _exposed(url: str, tls: Tls | None) -> str:
    """A remote engine without certificates is root on its host for everybody on the way."""
    if tls is not None or not url.startswith("tcp://") or re.match(r"tcp://(127\.|localhost:|\[::1\]:)", url):
        return ""
    return "a remote engine needs tls_ca, tls_cert and tls_key; plain tcp:// is for this machine only"


def _rising(values: Mapping[str, Any], lines: Mapping[str, Line], problems: Problems) -> None:
    """A tier that is forgotten before the finer one would be made again and again."""
    for finer, coarser in pairwise(TIERS):
        if finer in values and coarser in values and values[finer] > values[coarser]:
            line = lines.get(coarser) or lines[finer]
            both = f"{coarser} ({_told(values[coarser])}) must not be below {finer} ({_told(values[finer])})"
            problems.add(line.number, both)


def _redis(
    values: Mapping[str, Any], lines: Mapping[str, Line], problems: Problems, exists: Callable[[str], bool]
) -> None:
    """What is said about Redis fits together, and its files are there."""
    address = values.get("store")
    for name in [name for name in values if name.startswith("redis_") and values[name] and name in lines]:
        line = lines[name].number
        if ("_file" in name or "_tls_" in name) and not exists(values[name]):
            problems.add(line, f"{name}: no file {values[name]}")
        if address is None and values[name] != "always" and "store" in values:
            problems.add(line, f"{name} is for a store on Redis; this one is embedded: set store = redis://HOST")
        elif address is not None and "_tls_" in name and not address.tls:
            problems.add(line, f"{name}: the store's address is not one with TLS (rediss://)")
    if bool(values.get("redis_tls_cert")) != bool(values.get("redis_tls_key")):
        line = (lines.get("redis_tls_cert") or lines["redis_tls_key"]).number
        problems.add(line, "redis_tls_cert and redis_tls_key need each other")


def _told(seconds: float) -> str:
    return f"{seconds / 3600:g}h" if seconds < 2 * 86400 else f"{seconds / 86400:g}d"


def _distinct_ports(values: Mapping[str, Any], sections: Mapping[str, Any], problems: Problems) -> None:
    ports = {name: port for name, port in values.items() if name.startswith("port_")}
    if len(set(ports.values())) < len(ports):
        problems.add(1, "two ports of [hubd] are the same")


def _scraped(
    values: Mapping[str, Any], lines: Mapping[str, Line], problems: Problems, exists: Callable[[str], bool]
) -> None:
    """Files that are named must be there, and a certificate has a key."""
    for name in ("alerts", "metrics_token_file", "metrics_cert", "metrics_key", "metrics_client_ca"):
        if values.get(name) and not exists(values[name]):
            problems.add(lines[name].number, f"{name}: no file {values[name]}")
        elif values.get(name) and name.startswith("metrics_") and not values.get("metrics", True):
            problems.add(lines[name].number, f"{name} needs metrics = HOST:PORT")
    if bool(values.get("metrics_cert")) != bool(values.get("metrics_key")):
        name = "metrics_cert" if values.get("metrics_cert") else "metrics_key"
        problems.add(lines[name].number, "metrics_cert and metrics_key need each other")
    elif values.get("metrics_client_ca") and not values.get("metrics_cert"):
        problems.add(lines["metrics_client_ca"].number, "metrics_client_ca needs metrics_cert and metrics_key")

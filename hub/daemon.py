"""hubd from command line to exit code: 0 after a signal, 2 for usage or configuration, 1 where it cannot run."""

from __future__ import annotations

import argparse
import secrets
import signal
import socket
import sys
import time
from collections import deque
from pathlib import Path

import zmq

from hub import expendable
from hub.alerts import rules
from hub.alerts.couriers import Couriers
from hub.bouncer import Bouncer
from hub.cluster import overload
from hub.collecting import Collector
from hub.config import Config, EngineConfig, load
from hub.core import Core
from hub.discovery.enrol_port import serve_forever
from hub.doors import Doors, numbers
from hub.edge import Guard, Polled, leave_by
from hub.engines.docker import Engine, Tls
from hub.engines.reports import Report
from hub.errors import HubError, StartError
from hub.fleet import Settings
from hub.ini import ConfigError
from hub.lines import Lines
from hub.loop import Loop
from hub.opening import open_store as open_store
from hub.own import capacity
from hub.rereading import Rereader
from hub.scraping import Scrapes
from hub.scraping import serve as serve_metrics
from hub.sockets import Socket
from hub.store.chained import chained
from hub.store.errors import StoreError
from hub.store.worker import Worker
from hub.trust import keyring
from hub.trust.rotation import placed
from hub.trust.zap import Admissions, Gate
from hub.version import version
from hub.vigil import Ended, Readings, awaited, opened
from hub.waker import Waker
from hub.words import Stored, Then
from wire.messages import HubAddress

Engines = dict[str, Engine | Polled]
DEFAULT = "/etc/pidone/hubd.ini"
STOP_SECONDS = 5.0
"""How long the store may take to write what is left at the end."""

EXAMPLES = """examples:
  hubd                          run with /etc/pidone/hubd.ini; where there is none, with the defaults
                                and this machine's Docker engine if its socket is there
  hubd -c hub.ini               run with this configuration
  hubd -c hub.ini --check       say what is wrong with it, as file:line; start nothing

At its first start hubd makes its keys and a client key for hubctl:
  hubctl --key /var/lib/pidone/client/admin.json agents
"""


def main(argv: list[str]) -> int:
    """Runs hubd; returns its exit code."""
    options = _parser().parse_args(argv)
    path = options.config or (DEFAULT if Path(DEFAULT).exists() else None)
    try:
        config = load(path)
        book = rules.load(config.alerts or None)
    except (ConfigError, rules.RuleError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        print(f"{path or 'defaults'}: fine")
        return 0
    try:
        return _run(config, book)
    except Ended:
        return 0
    except (HubError, StoreError, TimeoutError, OSError) as error:
        say(f"cannot run: {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "hubd",
        description="The hub: discovers agents, keeps their figures and facts, carries commands.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-c", "--config", metavar="FILE", help=f"configuration; default {DEFAULT}")
    parser.add_argument("--check", action="store_true", help="check the configuration and exit")
    parser.add_argument("--relay", action="store_true", help="be the relay of an engine instead: hubd --relay --help")
    return parser


def say(line: str) -> None:
    """One line on stderr, with control characters made visible: names in it come from strangers."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line[:2000])
    print(f"hubd: {text}", file=sys.stderr, flush=True)


SWITCH_SECONDS = 0.0005
"""How long one thread may hold up another: at Python's 5 ms each wake-up of the loop waits so long while the store's
thread packs samples, and a command has four of them."""


def _run(config: Config, book: rules.Book) -> int:
    ring = keyring.load(
        config.state_dir, f"{_local(config)}:{config.port_client}", f"{_local(config)}:{config.port_feed}"
    )
    endpoint = _endpoint(config, config.port_enrol)
    _probe(config)
    enrol, keeper = expendable.start(lambda end: serve_forever(end, endpoint, ring.fleet))
    sys.setswitchinterval(SWITCH_SECONDS)
    waker, reports = Waker(), deque[Report]()
    try:
        store = opened(config, ring, say)
    except BaseException:
        enrol.close()
        raise
    worker = Worker(chained(store, config.keep_audit), waker.wake)
    worker.start()
    admissions = Admissions()
    core = Core(_settings(config, ring), version(), lambda: secrets.token_hex(8), book)
    engines = {engine.name: _engine(engine, config, reports, waker) for engine in config.engines}
    loop = Loop(core, worker, admissions, waker, enrol, engines, reports, say)
    if core.cluster is not None:
        Guard(loop, core.cluster, engines).stand()
    _watch_new_keys(loop, admissions)
    couriers = _couriers(book, loop, waker)
    loop.keeper, loop.sinks = keeper, couriers
    rereader = Rereader(loop, couriers, config.alerts)
    readings = Readings(config, loop.effects, lambda why: awaited(config, ring, say, why).close(time.time()))
    try:
        loop.prepare(30.0, readings.again)
        readings.end()
        loop.turns += [Collector(time.monotonic()).turn, core.alerts.turn]
        rereader.listen()
        _serve(loop, config, ring, admissions, engines)
    finally:
        enrol.close()
        for engine in engines.values():
            engine.stop()
        if not worker.stop(STOP_SECONDS):
            say("the store did not finish in time; the newest samples may be missing")
    if loop.fault is not None:
        raise StartError(f"stopped: {loop.fault}")
    return 0


def _watch_new_keys(loop: Loop, admissions: Admissions) -> None:
    """The gate's thread tells the core of the first use of an agent's new key."""
    core, handed = loop.core, deque[Stored]()

    def used(public: str) -> None:
        handed.append(Stored(core.rekeying.used, public, ""))
        loop.waker.wake()

    admissions.fresh, admissions.used = core.fleet.fresh, used
    loop.turns.append(lambda now: [handed.popleft() for _ in range(len(handed))])


def _couriers(book: rules.Book, loop: Loop, waker: Waker) -> Couriers:
    """The sinks' threads; they end with the process, for nothing is lost that is not told again."""
    handed: deque[Stored] = deque()

    def finish(then: Then, outcomes: object) -> None:
        handed.append(Stored(then, outcomes, ""))
        waker.wake()

    couriers = Couriers(book.sinks, say, finish)
    couriers.start()
    loop.turns.append(lambda now: [handed.popleft() for _ in range(len(handed))])
    return couriers


def _metrics(config: Config, loop: Loop) -> None:
    """Serves /metrics, where that is asked for; its thread ends with the process."""
    if config.metrics is not None:
        scrapes = Scrapes(loop.core, loop.waker.wake)
        files = (config.metrics_cert, config.metrics_key, config.metrics_client_ca)
        serve_metrics(config.metrics, scrapes, config.metrics_token_file, files, say)
        loop.turns.append(scrapes.turn)


def _serve(loop: Loop, config: Config, ring: keyring.Keyring, admissions: Admissions, engines: Engines) -> None:
    context: zmq.Context[Socket] = zmq.Context()
    gate = Gate(context, admissions, admissions.turnstile)
    gate.open()  # before any bind: an unguarded socket would let everybody in
    try:
        doors = Doors(context, config, ring.turn)
        bouncer = Bouncer(loop, numbers(config))
        if loop.core.cluster is not None:
            Lines(loop, context, ring.link, loop.core.cluster.near.links).stand()
        bouncer.stand()
        _metrics(config, loop)
        _catch_signals(loop)
        for engine in engines.values():
            engine.start()
        say(f"listening on {config.bind}, ports {_ports(config)}; room for {overload.capacity(capacity())} agents")
        loop.run(doors, gate)
        bouncer.stop()
        loop.finish(1.0)
        doors.close()
    finally:
        gate.close()
        context.destroy(0)


def _engine(engine: EngineConfig, config: Config, reports: deque[Report], waker: Waker) -> Engine | Polled:
    tls = Tls(engine.tls_ca, engine.tls_cert, engine.tls_key) if engine.tls_cert else None

    def post(report: Report) -> None:
        reports.append(report)
        waker.wake()

    def make() -> Engine:
        return Engine(engine.name, engine.url, tls, post, engine.mode, config.sample_period)

    return make() if config.store is None else Polled(make)


def _settings(config: Config, ring: keyring.Keyring) -> Settings:
    addresses = tuple(
        HubAddress(
            f"{name}:{config.port_command}",
            f"{name}:{config.port_samples}",
            f"{name}:{config.port_enrol}",
            ring.own.public,
        )
        for name in config.advertise
    )
    settings = Settings(
        hub=ring.hub,
        period=config.period,
        sample_period=config.sample_period,
        keep_lost=config.keep_lost,
        addresses=addresses,
        enrol_addresses=tuple(address.enrol for address in addresses),
        fleet_key=ring.fleet.public,
        client=f"{config.advertise[0]}:{config.port_client}",
        feed=f"{config.advertise[0]}:{config.port_feed}",
        admin_key=ring.admin.public,
        engines=frozenset(engine.name for engine in config.engines),
        shared=config.store is not None,
        capacity=overload.capacity(capacity()),
        link=ring.link.public,
    )
    return placed(settings, ring.turn.standing)


def _catch_signals(loop: Loop) -> None:
    signal.set_wakeup_fd(loop.waker.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave_by(loop, loop.core.cluster))


def _probe(config: Config) -> None:
    """Fails early, with the port's name, where the enrolment port is taken: its own process could only retry."""
    family = socket.AF_INET6 if config.bind.startswith("[") else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.bind.strip("[]"), config.port_enrol))
        except OSError as error:
            where = _endpoint(config, config.port_enrol)
            raise StartError(
                f"cannot listen on {where}: {error.strerror}; choose another port_enrol= or bind="
            ) from None


def _endpoint(config: Config, port: int) -> str:
    return f"tcp://{config.bind}:{port}"


def _local(config: Config) -> str:
    """Where a client on this machine finds the hub."""
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(config.bind, config.bind)


def _ports(config: Config) -> str:
    ports = (config.port_command, config.port_samples, config.port_enrol, config.port_client, config.port_feed)
    return ", ".join(map(str, ports))

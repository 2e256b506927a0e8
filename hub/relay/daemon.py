"""`hubd --relay` from command line to exit code: 0 after a signal, 2 for usage or configuration, 1 where it cannot run.

Theory.  One thread owns the connection to the hub and waits for it, for the engine's threads (which leave reports and
write to a descriptor) and for signals.  The engine is asked from the hub's first answer on, which says how often, and
goes on being asked whatever becomes of the hub.  Which hub it talks to is decided as for agents (wire.places): answers
bring the list of hubs, a silent one is left for the next, home is looked for again.  A key that all hubs refuse, and
hubs that are all silent, mean a round of enrolment, which also brings the addresses of hubs that moved.  Nothing here
ever stops or restarts a container by itself.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import zmq

from hub.engines.docker import Engine
from hub.engines.reports import (
    ContainerEvent,
    ContainerList,
    ContainerSample,
    EngineCommand,
    EngineState,
    OrderResult,
    Report,
)
from hub.ini import ConfigError
from hub.relay.config import RelayConfig, load, read_join
from hub.relay.enrol import Enrolment, Joined, Stopped
from hub.relay.guard import Guard
from hub.relay.membership import Keeper, Membership
from hub.relay.outbox import Outbox
from hub.relay.talk import Ears, End, Talk
from hub.version import version
from wire.keys import JoinString, KeyFault, KeyPair
from wire.messages import HubAddress
from wire.places import FIRST_SECONDS, Places
from wire.relay import RelayBeat, Relayed
from wire.sockets import Context, Socket

DEFAULT = "/etc/pidone/relay.ini"
ALONE_PERIODS = 5.0
"""Without any hub for so long, the join string's hubs are asked: the others may have moved."""
REPORTS = 10_000
"""Most reports of the engine that wait; beyond, the oldest go."""

EXAMPLES = """examples:
  hubctl token create --relay > /etc/pidone/join     at the hub: a join string for one host
  PIDONE_JOIN_FILE=/etc/pidone/join hubd --relay     beside the engine: with the defaults
  hubd --relay -c relay.ini --check                  say what is wrong with it, as file:line; start nothing
"""


def main(argv: list[str]) -> int:
    """Runs the relay; returns its exit code."""
    parser = argparse.ArgumentParser(
        "hubd --relay",
        description="The relay: speaks for the container engine of this machine, and dials out to the hub.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--relay", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-c", "--config", metavar="FILE", help=f"configuration; default {DEFAULT}")
    parser.add_argument("--check", action="store_true", help="check the configuration and exit")
    options = parser.parse_args(argv)
    path = options.config or (DEFAULT if os.path.exists(DEFAULT) else None)
    try:
        config = load(path)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check:
        print(f"{path or 'defaults'}: fine; {allowed(config)}")
        return 0
    return Relay(config, say).run()


def allowed(config: RelayConfig) -> str:
    """What a hub may do here, for people."""
    verbs = ", ".join(sorted(config.rules.verbs)) or "look only"
    return f"a hub may {verbs} containers of {config.engine}"


def say(line: str) -> None:
    """One line on stderr, with control characters made visible: names in it come from strangers."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line[:2000])
    print(f"relay: {text}", file=sys.stderr, flush=True)


class Relay:
    """Assembles the parts and goes from hub to hub."""

    def __init__(self, config: RelayConfig, say: Callable[[str], object]) -> None:
        self._config, self._said, self._tell = config, "", say
        self._context: Context = zmq.Context()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._reports = deque[Report](maxlen=REPORTS)
        self._outbox, self._guard = Outbox(), Guard(config.rules)
        self._engine: Engine | None = None
        self._reason = ""
        self._keeper = Keeper(config.state_dir, self._say)
        self._join: JoinString | None = None
        self._member: Membership | None = None
        self._engine_name = ""
        who = RelayBeat(
            boot=secrets.token_hex(8),
            version=version()[:32],
            hostname=socket.gethostname()[:255],
            verbs=tuple(sorted(config.rules.verbs)),
            wall=0.0,
            round_trip=0.0,
            epoch=0,
            dropped=0,
        )
        self._enrolment = Enrolment(self._context, (config.name, who.version), lambda: read_join(config), self._say)
        ears = Ears(self._greeted, self._order, self._say, self._changed, self._away)
        self._talk = Talk(self._context, self._outbox, self._guard, who, ears)
        self._places: Places | None = None
        self._heard_at = time.monotonic()

    def run(self) -> int:
        """Until a signal."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._say(f"{self._config.engine}: {allowed(self._config)}")
        try:
            self._load()
            while True:
                self._visit()
        except Stopped:
            return 0
        finally:
            if self._engine is not None:
                self._engine.stop()
            self._context.term()

    def _say(self, line: str) -> None:
        """Says it, unless it was said last."""
        if line != self._said:
            self._tell(line)
        self._said = line

    def _stop(self, number: int, frame: object) -> None:
        self._reason = signal.Signals(number).name
        os.eventfd_write(self._wake, 1)

    # -- joining ---------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        with suppress(KeyFault):  # the enrolment says what is wrong, and looks again
            self._join = read_join(self._config)
            self._member = self._keeper.load(self._join)
        if self._member is not None:
            self._guard.learn(self._member.epoch)
            self._offer()

    def _visit(self) -> None:
        """Talks to the hub where we are to be, until that is another, or an enrolment is due."""
        if self._member is None:
            self._take(self._enrolment.run(KeyPair.generate(), self._wait))
        assert self._member is not None
        if self._places is None:
            self._places = Places(self._member.hubs, time.monotonic())
        hub = self._places.visit(time.monotonic())
        end = self._talk.run(hub, self._member.pair, self._poll)
        if end is End.STOPPED:
            raise Stopped
        if end is End.MOVED:
            self._go_on(hub)
        elif end is not End.CHANGED:
            self._refused(end)

    def _go_on(self, hub: HubAddress) -> None:
        """To the next hub; where all are silent, the join string's are asked: ours may have moved."""
        assert self._member is not None
        if time.monotonic() - self._heard_at > ALONE_PERIODS * self._talk.period:
            self._say(f"hub {hub.command} does not answer; the containers are not concerned")
            self._take(self._enrolment.run(self._member.pair, self._wait, 1))

    def _refused(self, end: End) -> None:
        """Our key is not known to this hub, or is another's too: the next hub, or a new enrolment."""
        assert self._member is not None and self._places is not None
        several = end is End.REFUSED and self._places.several
        if several and self._places.unknown(time.monotonic()):
            self._wait(None, random.uniform(0.1, 0.2), 0)
            self._places.look(time.monotonic(), self._talk.period)
            return
        self._say("the hub does not know this relay's key any more: enrolling again")
        self._wait(None, random.uniform(0.5, 1.0), 0)
        pair = KeyPair.generate() if end is End.DOUBLE else self._member.pair
        self._take(self._enrolment.run(pair, self._wait))

    def _take(self, joined: Joined | None) -> None:
        if joined is None:
            return
        self._join, self._member = joined.join, joined.membership._replace(epoch=self._guard.epoch)
        self._places = None
        self._heard_at = time.monotonic()
        self._keeper.save(self._member, self._join)

    # -- places and keys -------------------------------------------------------------------------------------------

    def _away(self, period: float) -> bool:
        """Whether to leave the present hub; a lone one is dialled anew where it is silent for long."""
        assert self._places is not None
        now = time.monotonic()
        if not self._places.several:
            patience = ALONE_PERIODS * period if self._talk.met else max(ALONE_PERIODS * period, FIRST_SECONDS)
            return now - max(self._heard_at, self._talk.since) > patience
        return self._places.look(now, period)

    def _place(self, answer: Relayed) -> None:
        """What an answer means for where we are."""
        assert self._member is not None and self._places is not None
        now = self._heard_at = time.monotonic()
        if not answer.elsewhere:
            self._places.answered(now)
        if answer.hubs:
            self._places.told(answer.hubs, now)
        if answer.elsewhere:
            self._places.away(now, answer.period)
        if answer.rekey and self._member.next is None:
            self._keep(next=KeyPair.generate())
            self._offer()

    def _offer(self) -> None:
        """The next key, kept before anybody hears of it."""
        fresh = self._member.next if self._member else None
        self._talk.offer = fresh.public if fresh else ""

    def _changed(self, public: str) -> bool:
        """The hub admits the key that was offered: from now on it is ours."""
        fresh = self._member.next if self._member else None
        if fresh is None or fresh.public != public:
            return False
        self._keep(pair=fresh, next=None)
        self._offer()
        self._say("this relay has a new key")
        return True

    def _keep(self, **changes: Any) -> None:
        if self._member is not None and self._join is not None:
            self._member = self._member._replace(**changes)
            self._keeper.save(self._member, self._join)

    def _greeted(self, answer: Relayed) -> None:
        if self._engine is None:
            name, config = answer.engine, self._config
            self._engine = Engine(name, config.engine, None, self._post, config.mode, answer.sample_period)
            self._engine.start()
        if answer.engine != self._engine_name:
            self._say(f"this is engine {answer.engine} at {answer.hub}")
            self._engine_name = answer.engine
        self._place(answer)
        assert self._member is not None
        hubs, epoch = answer.hubs or self._member.hubs, max(self._guard.epoch, self._member.epoch)
        if (hubs, epoch) != (self._member.hubs, self._member.epoch):
            self._keep(hubs=hubs, epoch=epoch)

    # -- the engine ------------------------------------------------------------------------------------------------

    def _post(self, report: Report) -> None:
        """From the engine's threads."""
        self._reports.append(report)
        os.eventfd_write(self._wake, 1)

    def _order(self, order: EngineCommand) -> None:
        assert self._engine is not None
        self._tell(f"{order.verb} {order.container[:12]} (order {order.id})")
        self._engine.order(order)

    def _absorb(self) -> None:
        """Takes in what the engine has posted."""
        put: dict[type, Callable[..., None]] = {
            EngineState: self._outbox.put_state,
            ContainerList: self._outbox.put_list,
            ContainerEvent: self._outbox.put_event,
            ContainerSample: self._outbox.put_sample,
            OrderResult: lambda result: self._outbox.put_result(self._guard.finish(result)),
        }
        while self._reports:
            report = self._reports.popleft()
            put[type(report)](report)

    # -- waiting ---------------------------------------------------------------------------------------------------

    def _poll(self, talk: Socket, monitor: Socket, seconds: float) -> str:
        """For a conversation: see Talk.run."""
        poller = zmq.Poller()
        for one in (talk, monitor, self._wake):
            poller.register(one, zmq.POLLIN)
        poller.poll(max(int(seconds * 1000), 0) + 1)
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._absorb()
        return self._reason

    def _wait(self, one: Socket | None, seconds: float, events: int) -> bool:
        """For the enrolment: see hub.relay.enrol."""
        poller, deadline = zmq.Poller(), time.monotonic() + seconds
        poller.register(self._wake, zmq.POLLIN)
        if one is not None:
            poller.register(one, events)
        while not self._reason and (left := deadline - time.monotonic()) > 0:
            ready = dict(poller.poll(int(left * 1000) + 1))
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            self._absorb()
            if one in ready:
                return True
        if self._reason:
            raise Stopped
        return False

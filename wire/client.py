"""The hub's API for scripts: one connection, one thread, strict deadlines.

    from wire.client import Client

    with Client("/etc/pidone/client.json") as hub:
        for row in hub.ps():
            print(row["agent_name"], row["process"], row["state"])
        hub.wait(hub.command("shop-1/gunicorn", "restart"))

Every call either returns within `timeout` seconds or raises a WireError.  What `args` and rows hold is described with
each operation in docs/protocol.md.  Not for sharing between threads; make one Client in each.

A hub that changes its key says so with its answers and on the feed: the client then goes to the new place by itself and
writes it into the key file that it was given, if it may.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import zmq
from zmq.utils.monitor import recv_monitor_message

from wire import limits
from wire.codec import DecodeError, decode, encode
from wire.errors import CommandFailed, RefusedError, Unreachable, WireError
from wire.frames import FrameError, publication, split
from wire.keys import ClientKey, KeyFault, KeyPair, check_address, check_key
from wire.messages import Answer, Feed, Query, Refused
from wire.sockets import FOLLOW, QUERIES, Socket, dial

__all__ = ["Client", "CommandFailed", "RefusedError", "Unreachable", "WireError"]

Row = dict[str, Any]
FAILURES = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
FINAL = ("done", "failed", "expired")
CURES: dict[int, str] = {zmq.POLLOUT: ": is hubd running, is the address in the key file right, is its port open?"}
"""What to look at, by what was waited for."""
RETRY_SECONDS = 0.5
"""Longest pause between two tries to connect: somebody waits, perhaps for a hub that is just starting."""
HEARD = 200
"""Items remembered, to know those that come a second time: more than two connections can be apart."""
PAGE = 1000
"""Rows asked for at once: the hub serves others between two pages."""
RENEW_SECONDS, FOLLOW_SECONDS = 3.0, 10.0
"""How often a follower by the client port asks again, and how long the hub is to keep it without that."""
LOOK_SECONDS = 0.5
"""Longest wait of such a follower before it looks after its connection."""
HOLD_SECONDS = 5.0
"""How long the hub is to wait for an end before it says how things stand."""


class Client:
    """A connection to one hub; see the module's docstring."""

    def __init__(self, key: ClientKey | str | Path, timeout: float = 5.0) -> None:
        """`key` is a ClientKey or the path of a key file; `timeout` the seconds each call may take.

        Raises OSError or KeyFault where the file cannot be used; does not wait for the hub.
        """
        self.key = key if isinstance(key, ClientKey) else ClientKey.load(key)
        self._path = None if isinstance(key, ClientKey) else Path(key)
        self.timeout = timeout
        self.missing: tuple[str, ...] = ()
        """Hubs that had no part in the last answer, because they did not answer in turn."""
        self._context = zmq.Context()
        self._dial()

    def _dial(self) -> None:
        self._socket = dial(self._context, QUERIES, *self._hub, RETRY_SECONDS)
        self._monitor: Socket = self._socket.get_monitor_socket(FAILURES)

    def _hang_up(self) -> None:
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)

    def _move(self, moved: Mapping[str, str]) -> bool:
        """The hub's new place; False where we are there, or where it cannot be used."""
        try:
            ends = {name: check_address(moved[name]) for name in ("command", "feed")}
            key = self.key._replace(**ends, server_key=check_key(moved["server_key"]))
        except (KeyError, KeyFault):
            return False
        if key == self.key:
            return False
        self.key = key
        if self._path is not None:
            with suppress(OSError):
                key.save(self._path)
        return True

    @property
    def _hub(self) -> tuple[str, KeyPair, str]:
        return self.key.command, self._pair, self.key.server_key

    @property
    def _pair(self) -> KeyPair:
        return KeyPair(self.key.public, self.key.secret)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close at once; nothing is waited for."""
        self._hang_up()
        self._context.destroy(0)

    # Asking.

    def query(self, op: str, /, **args: Any) -> Any:
        """The result of one operation; raises RefusedError, or Unreachable after `timeout` seconds."""
        return self.ask(op, args)

    def ask(self, op: str, args: Row, timeout: float | None = None) -> Any:
        """As `query`, with the arguments as a map and a time of its own."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        asked = Query(secrets.token_hex(8), op, {name: value for name, value in args.items() if value is not None})
        self._await(zmq.POLLOUT, deadline, "no connection to the hub")
        self._socket.send_multipart([b"", encode(asked)], zmq.NOBLOCK)
        return self._answer(asked.id, deadline)

    def _answer(self, asked: str, deadline: float) -> Any:
        while True:
            self._await(zmq.POLLIN, deadline, "connected, but no answer from the hub")
            try:
                reply = decode(split(self._socket.recv_multipart(zmq.NOBLOCK))[1], limits.ANSWER_BYTES)
            except (DecodeError, FrameError) as error:
                raise Unreachable(f"the hub at {self.key.command} answered with {error}") from None
            if isinstance(reply, Refused) and reply.id in (asked, ""):
                raise RefusedError(reply.code, reply.message, reply.hint)
            if isinstance(reply, Answer) and reply.id == asked:
                self.missing = reply.missing
                if reply.moved and self._move(reply.moved):
                    self._hang_up()
                    self._dial()
                return reply.result

    def _await(self, event: int, deadline: float, complaint: str) -> None:
        """Return once the socket is ready; raises Unreachable at the deadline, or when the hub refuses our key."""
        poller = zmq.Poller()
        poller.register(self._socket, event)
        poller.register(self._monitor, zmq.POLLIN)
        while True:
            left = deadline - time.monotonic()
            ready = dict(poller.poll(max(0, int(left * 1000) + 1))) if left > 0 else {}
            if self._socket in ready:
                return
            if self._monitor in ready:
                raise Unreachable(f"the hub at {self.key.command} {_refusal(recv_monitor_message(self._monitor))}")
            if left <= 0:
                raise Unreachable(f"{complaint} at {self.key.command} in time{CURES.get(event, '')}")

    # What a script asks most.

    def about(self) -> Row:
        """The hub itself: version, epoch, uptime, store, capacity."""
        return dict(self.query("about"))

    def agents(self, all: bool = False) -> list[Row]:
        """Every agent of the live list with its presence and age; with `all`, those that left too."""
        return self.rows("agents", "agent", "name", all=all or None)

    def hosts(self) -> list[Row]:
        """Every Docker engine with its state and age."""
        return list(self.query("hosts"))

    def containers(self) -> list[Row]:
        """Every container the engines list, running or not, joined with its agent."""
        return self.rows("containers", "id", "name")

    def ps(self, target: str | Sequence[str] | None = None, all: bool = False) -> list[Row]:
        """Every program's process, or those that targets `AGENT/PROGRAM` (globs) name; with `all`, every process."""
        return self.rows("ps", "agent", "agent_name", target=target, all=all or None)

    def rows(self, op: str, key: str, by: str, **args: Any) -> list[Row]:
        """All rows of an operation that answers in pages; `key` is the field that `after` takes.

        Each page has `timeout` seconds.  Rows come in the order of their field `by`, those of one agent together.
        """
        rows: list[Row] = []
        while True:
            after = rows[-1][key] if rows else None
            page = self.query(op, limit=PAGE, after=after, **args)
            rows += page
            if len(page) < PAGE:
                return sorted(rows, key=lambda row: (str(row.get(by)), str(row.get(key))))

    def exits(self, target: str | None = None, since: float | None = None, limit: int | None = None) -> list[Row]:
        """Exit records, newest last."""
        return list(self.query("exits", target=target, since=since, limit=limit))

    def events(self, target: str | None = None, since: float | None = None, limit: int | None = None) -> list[Row]:
        """Facts and notices, newest last."""
        return list(self.query("events", target=target, since=since, limit=limit))

    def command(
        self,
        target: str,
        verb: str,
        args: Row | None = None,
        *,
        ttl: float = 30.0,
        id: str = "",
        container: bool = False,
        hold: float = 0.0,
    ) -> Row:
        """Ask for a command; the row says `id` and `state`.  Asking again with the same `id` changes nothing.

        `ttl`: seconds after which it must not be started any more; `container`: it goes to the container's engine;
        `hold`: so many seconds the hub may wait for its end before it answers.
        """
        asked = {"target": target, "verb": verb, "args": args or {}, "ttl": ttl, "id": id or secrets.token_hex(8)}
        more: Row = {"hold": hold} if hold else {}
        return dict(self.ask("command", {"container": container, **asked, **more}, self.timeout + hold))

    def wait(self, command: Row | str, seconds: float = 30.0) -> Row:
        """The row of a command once it is done; raises CommandFailed where it failed, expired or took longer."""
        row: Row = {"id": command} if isinstance(command, str) else command
        deadline, pause = time.monotonic() + seconds, 0.002
        while row.get("state") not in FINAL:
            if time.monotonic() > deadline:
                raise CommandFailed(f"command {row['id']} is still {row.get('state', 'unknown')}", row)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
            row = dict(self.query("command_state", id=row["id"]))
        if row["state"] != "done":
            raise CommandFailed(f"command {row['id']} {row['state']}: {_why(row)}", row)
        return row

    def history(
        self,
        target: str,
        start: float | None = None,
        end: float | None = None,
        step: float | None = None,
        container: bool = False,
    ) -> Row:
        """Samples of one process (or container) by column, from `start` to `end` (wall seconds; the last hour).

        With `step` one value each `step` seconds, aligned to the epoch: `cpu` is then the average, `cpu.min` and
        `cpu.max` stand beside it; without it the finest that is kept.  `NAME/s` is the rate of a counter.
        """
        op = "container_history" if container else "history"
        return dict(self.query(op, target=target, start=start, end=end, step=step))

    def metrics(self) -> str:
        """The hub's own counters and gauges in Prometheus' text format."""
        return str(self.query("metrics"))

    def tail(self, target: str, stream: str = "stdout", bytes: int | None = None) -> str:
        """The last output of one program; raises RefusedError, CommandFailed."""
        args = {"stream": stream} | ({} if bytes is None else {"bytes": bytes})
        row = self.wait(self.command(target, "tail", args, hold=HOLD_SECONDS))
        return str((row.get("result") or {}).get("text", ""))

    # Following.

    def feed(self, topics: Sequence[str] = ("",), seconds: float | None = None) -> Iterator[Feed]:
        """Items of the live feed whose topic starts with one of `topics`, for `seconds` or for ever.

        `seq` grows by one with every item of the hub, so a jump is either another topic's or a loss.  A key with a
        scope follows by the client port, hears what is inside its scope, and `seq` counts what it was sent.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        if self._has_scope():
            yield from self._followed(topics, deadline)
            return
        socket = dial(self._context, FOLLOW, self.key.feed, self._pair, self.key.server_key)
        follower = _Follower(socket, self.key)
        try:
            for topic in topics:
                socket.subscribe(topic)
            for item in _items(socket, deadline):
                if item is not None and item.moved:
                    self._move(item.moved)
                follower.go(self.key)
                if item is not None and follower.is_new(item):
                    yield item
        finally:
            socket.close(0)

    def watch(self, topics: Sequence[str], seconds: float) -> None:
        """Have the hub count us as somebody who follows `topics` for so long, without being sent anything.

        That is how it knows that samples are wanted each second.  Raises RefusedError, Unreachable.
        """
        self.query("follow", topics=tuple(topics), seconds=seconds, quiet=True)

    def _has_scope(self) -> bool:
        with suppress(RefusedError):
            return bool((self.about().get("key") or {}).get("scope"))
        return False

    def _followed(self, topics: Sequence[str], deadline: float | None) -> Iterator[Feed]:
        socket, place, due = dial(self._context, QUERIES, *self._hub, RETRY_SECONDS), self._hub, 0.0
        try:
            while deadline is None or time.monotonic() < deadline:
                if self._hub != place:
                    socket.close(0)
                    socket, place, due = dial(self._context, QUERIES, *self._hub, RETRY_SECONDS), self._hub, 0.0
                if time.monotonic() >= due and socket.poll(0, zmq.POLLOUT):
                    due = time.monotonic() + RENEW_SECONDS
                    asked = Query(secrets.token_hex(8), "follow", {"topics": tuple(topics), "seconds": FOLLOW_SECONDS})
                    socket.send_multipart([b"", encode(asked)], zmq.NOBLOCK)
                for item in _pushed(socket, deadline):
                    if item.moved:
                        self._move(item.moved)
                    if isinstance(item, Feed):
                        yield item
        finally:
            socket.close(0)


class _Follower:
    """A reader of the feed that goes to a hub's new place and misses nothing: for a while it hears both.

    An item that came a second time shows that the new connection stands; then the old one is dropped.
    """

    def __init__(self, socket: Socket, key: ClientKey) -> None:
        self._socket, self._key = socket, key
        self._old: ClientKey | None = None
        self._heard: deque[tuple[int, float]] = deque(maxlen=HEARD)

    def go(self, key: ClientKey) -> None:
        """Dial the present place, if it is another one."""
        if key != self._key:
            self._drop()
            self._old, self._key = self._key, key
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, key.server_key.encode("ascii"))
            self._socket.connect(f"tcp://{key.feed}")

    def is_new(self, item: Feed) -> bool:
        """Whether the item was not heard before."""
        if (item.seq, item.at) in self._heard:
            self._drop()
            return False
        self._heard.append((item.seq, item.at))
        return True

    def _drop(self) -> None:
        if self._old is not None:
            with suppress(zmq.ZMQError):
                self._socket.disconnect(f"tcp://{self._old.feed}")
            self._old = None


def _items(socket: Socket, deadline: float | None) -> Iterator[Feed | None]:
    """What comes; None now and then where nothing does."""
    while deadline is None or time.monotonic() < deadline:
        left = 1.0 if deadline is None else min(1.0, max(0.0, deadline - time.monotonic()))
        if not socket.poll(int(left * 1000) + 1):
            yield None
            continue
        try:
            item = decode(publication(socket.recv_multipart(zmq.NOBLOCK))[1])
        except (DecodeError, FrameError):
            continue
        if isinstance(item, Feed):
            yield item


def _pushed(socket: Socket, deadline: float | None) -> Iterator[Feed | Answer]:
    """What has come by the client port, after a short wait for it; raises RefusedError."""
    left = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
    if not socket.poll(int(left * 1000) + 1):
        return
    while socket.poll(0):
        try:
            item = decode(split(socket.recv_multipart(zmq.NOBLOCK))[1], limits.ANSWER_BYTES)
        except (DecodeError, FrameError):
            continue
        if isinstance(item, Refused):
            raise RefusedError(item.code, item.message, item.hint)
        if isinstance(item, (Feed, Answer)):
            yield item


def _refusal(event: Any) -> str:
    if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        return "refused this key: it is unknown there, was revoked, or sent too much a moment ago"
    return "could not be spoken to: its key is not the one in the key file, or it is no hub"


def _why(row: Row) -> str:
    rows = row.get("commands") or (row,)
    return "; ".join(str(one["error"]) for one in rows if one.get("error"))

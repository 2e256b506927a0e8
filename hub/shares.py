"""What peers have sent that the hub has not taken yet, and who has sent too much; pure.

Theory.  libzmq reads whatever comes (`wire.sockets.UNPAUSED`), so memory is bounded by closing the connections of who
sends more than is taken.  The kernel counts what came by a connection, finished messages or not; the loop counts what
it took (`Ledger`); the difference is that connection's *debt*.  A look compares both with the look before:

    debt      of a connection = what came - what was taken, forgiven slowly (handshakes and pings are never taken)
    restless  of a user = what was taken of connections that are gone already, while memory grows: short connections
              leave their messages behind, and nobody counts those any more but who takes them

A debt is weighed by the memory it holds: a message keeps the buffer of the read(2) it came by, so tiny ones that came
one by one hold a hundred times their size.  How large the pieces were that came, the kernel's count of segments says.

Whose a connection is say the messages that were taken of it.  At a new connection's first look they may be another's
that had the descriptor before, so there they have to be a good part of what it sent: nobody shall be blamed for who
came after him.  Those of no user share one share, of which the largest are closed first.  A connection of the feed may
say but its topics.  A descriptor may be another connection's meanwhile, so they go by the kernel's cookie, which is
never used again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from wire._record import Record

SHARE = 16 * 1024 * 1024
"""Bytes that one user may have waiting: the largest list of a relay (10 MiB), or eight times what link keeps."""
STRANGERS = 32 * 1024 * 1024
"""The same of all connections together of which nothing was taken yet."""
TOPICS = 256 * 1024
"""Bytes that one reader of the feed may send in all: 1,000 of the longest subscriptions, at 10 KB and 0.1 ms each."""
PROOF = 16
"""A new connection belongs to the user of whom at least one such part of its bytes was taken."""
READ = 12 * 1024
"""Bytes that libzmq takes for a read: its buffer of 8 KiB, and the counters behind it."""
LEAST = 1024 * 1024
"""Bytes of memory up to which a connection is left alone where it is one of many: a fleet that comes at once."""
FORGIVEN = 64
"""Bytes a second by which a debt shrinks: pings of earlier releases' agents are 4."""
MESSAGE = 512
"""Bytes that a message counts for beside its length, where it is left behind."""
HEAVY, STEP = 8 * 1024 * 1024, 1024 * 1024
"""Debts from which on the next look comes soon, and what they have to grow by from look to look."""
GROWTH, PART = 32 * 1024 * 1024, 16
"""Growth of the hub's memory, in bytes and as a part of it, that asks for a look."""

Taken = dict[tuple[int, str], list[int]]
"""(descriptor, user) -> [bytes on the wire, messages]."""


class Ledger:
    """What was taken since the last look, and who is not heard for now; written by the loop, read by the bouncer."""

    def __init__(self) -> None:
        self.taken: Taken = {}
        self.silenced: dict[str, float] = {}
        """User -> when it is heard again, monotonic seconds."""
        self.resting: dict[str, float] = {}
        """Door -> when it takes new connections again."""

    def take(self, fd: int, user: str, size: int) -> bool:
        """Notes one message; whether its user is heard."""
        entry = self.taken.get((fd, user))
        if entry is None:
            self.taken[fd, user] = [size, 1]
        else:
            entry[0] += size
            entry[1] += 1
        return user not in self.silenced

    def turn(self) -> Taken:
        """What was taken until now; what follows counts for the next look."""
        taken, self.taken = self.taken, {}
        return taken


class Seen(Record):
    """A connection at one of the hub's ports; `received` are bytes since it began, `pieces` how many they came in."""

    fd: int
    cookie: int
    port: int
    received: int
    pieces: int = 0


class Debt(Record):
    """A connection after a look; `user` is "" where nothing says whose it is."""

    seen: Seen
    user: str
    waiting: int
    """Bytes on the wire."""
    piece: float = float(READ)
    """Bytes of the smallest pieces that those came in."""

    @property
    def memory(self) -> int:
        """Bytes that are held, by no more reads than pieces came: the smallest may be a greeting's first bytes."""
        reads = self.waiting / self.piece
        return self.waiting + int(READ * (min(reads, self.seen.pieces) if self.seen.pieces > 0 else reads))


class Excess(Record):
    """Who sent too much, and what is to be closed; `user` is "" where nobody knows."""

    user: str
    waiting: int
    close: tuple[Seen, ...]


class Shares:
    """Debts from look to look.  `feed` are the ports where nothing but topics is said."""

    def __init__(self, feed: Container[int] = ()) -> None:
        self._feed = feed
        self._before: dict[int, Debt] = {}
        self._restless: dict[str, int] = {}
        self._waiting = 0
        self.heavy = False
        """Whether the next look should come soon: much is waiting, and more than before."""

    def judge(self, seen: Iterable[Seen], taken: Taken, seconds: float, grows: bool) -> list[Excess]:
        """One look, `seconds` after the one before; `grows` says that the hub's memory does."""
        by_fd: dict[int, dict[str, list[int]]] = {}
        for (fd, user), entry in taken.items():
            by_fd.setdefault(fd, {})[user] = entry
        debts = [self._debt(one, by_fd.pop(one.fd, {}), seconds) for one in seen]
        self._restless = self._left_behind(by_fd.values()) if grows else {}
        self._before = {debt.seen.cookie: debt for debt in debts}
        before, self._waiting = self._waiting, sum(debt.memory for debt in debts) + sum(self._restless.values())
        self.heavy = self._waiting > max(HEAVY, before + STEP)
        return [*self._topics(debts), *self._users(debts), *self._strangers(debts)]

    def _left_behind(self, gone: Iterable[Mapping[str, list[int]]]) -> dict[str, int]:
        found = dict(self._restless)
        for user, (size, count) in (entry for entries in gone for entry in entries.items()):
            found[user] = found.get(user, 0) + size + MESSAGE * count
        return found

    def _debt(self, one: Seen, entries: Mapping[str, list[int]], seconds: float) -> Debt:
        """What was taken of a new connection's descriptor may have been another's: at worst that much is forgiven."""
        before = self._before.get(one.cookie)
        took = 0 if one.port in self._feed else sum(size for size, _ in entries.values())  # libzmq keeps all topics
        if before is None:
            user = next(iter(entries)) if len(entries) == 1 and took * PROOF >= one.received else ""
            return Debt(one, user, max(0, one.received - took), _piece(one.received, one.pieces, entries))
        came, waiting = one.received - before.seen.received, before.waiting - took - int(FORGIVEN * seconds)
        piece = _piece(came, one.pieces - before.seen.pieces, entries) if came else before.piece
        piece = min(piece, before.piece) if before.waiting else piece
        return Debt(one, next(iter(entries), before.user), max(0, waiting + came), piece)

    def _topics(self, debts: Iterable[Debt]) -> list[Excess]:
        return [
            Excess(debt.user, debt.waiting, (debt.seen,))
            for debt in debts
            if debt.seen.port in self._feed and debt.waiting > TOPICS
        ]

    def _users(self, debts: Iterable[Debt]) -> list[Excess]:
        waiting, owed = dict(self._restless), dict[str, list[Seen]]()
        for debt in debts:
            if debt.user and debt.waiting:
                waiting[debt.user] = waiting.get(debt.user, 0) + debt.memory
                owed.setdefault(debt.user, []).append(debt.seen)
        many = [(user, size) for user, size in waiting.items() if user and size > SHARE]
        for user, _ in many:
            self._restless.pop(user, None)
        return [Excess(user, size, tuple(owed.get(user, ()))) for user, size in many]

    def _strangers(self, debts: Iterable[Debt]) -> list[Excess]:
        unknown = [debt for debt in debts if not debt.user and debt.seen.port not in self._feed]
        found, waiting = [], sum(debt.memory for debt in unknown)
        for debt in sorted(unknown, key=lambda debt: -debt.memory):
            if waiting <= STRANGERS or debt.memory <= LEAST:
                break
            waiting -= debt.memory
            found.append(Excess("", debt.memory, (debt.seen,)))
        return found


def _piece(size: int, pieces: int, entries: Mapping[str, list[int]]) -> float:
    """Bytes of what a read brought, or of a message where those are larger: such have memory of their own."""
    messages = [taken / count for taken, count in entries.values()]
    return max(1.0, size / pieces if pieces > 0 else float(READ), *messages)

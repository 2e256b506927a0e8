"""What only link may ask: what PID 1 keeps for it, facts, and commands of the hub, each at most once; pure.

Theory.  link may die between the execution of a command and the delivery of its result, and then the hub sends the
command again.  So PID 1 itself remembers ids: a known id is never executed a second time; it is answered by the stored
result, or joins those who wait for it.  An id is remembered until its deadline and COMMAND_GRACE_SECONDS more, for some
time with its whole result, then with its outcome (initd.wishes); where all places are taken, new commands are refused
rather than old ids forgotten: another hub may send an id again under a number and an epoch of its own.

What is forgotten must not be executed again either: each command carries a number that grows within an epoch, and a
window of the last NONCE_WINDOW numbers tells a repetition from a command that was overtaken.  Older ones are refused.

Epochs order the hubs: PID 1 remembers the highest it has seen and refuses commands of a lower one, so that a hub that
was cut off and replaced cannot command any more.

`[initd] remote=observe` is enforced here, inside the container, whatever the hub allows.
"""

from __future__ import annotations

from initd import arguments as read
from initd.arguments import REQUIRED, Argument
from initd.control import OBSERVE, OPERATE, VERBS, Control, Entry, answer_when_reached, follow_facts
from initd.replies import Answer, Call, Carrier, ControlError, Reply, Stream
from initd.wishes import Command
from wire.limits import COMMAND_GRACE_SECONDS, FACTS_PER_MESSAGE, KEEP_KEYS, NONCE_WINDOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LINK = "link"
"""The role of the socketpair's other end."""


class Remote:
    """Adds link's verbs to a control.  `remote()` says `observe` or `operate`, as configured now."""

    def __init__(self, control: Control, remote: Callable[[], str]) -> None:
        self.control = control
        self.remote = remote
        self.kept: dict[str, str] = {}
        """Opaque text of link's, by key."""
        self.epoch = 0
        """The highest that commanded here."""
        self.nonce = self.taken = 0
        """The highest number of this epoch, and a bit for each taken one: bit 0 is the highest, bit 1 the one below."""
        control.table.update({verb: self._bind(entry) for verb, entry in LINK_VERBS.items()})

    @property
    def carrier(self) -> Carrier:
        """Link itself, for what no person asked it to do."""
        return Carrier("link", self.control.may[OBSERVE] | frozenset(LINK_VERBS))

    def _bind(self, entry: Entry) -> Entry:
        return entry._replace(handler=lambda _control, call: entry.handler(self, call))

    def may(self) -> frozenset[str]:
        """What a remote actor may do here."""
        return self.control.may[OPERATE if self.remote() == OPERATE else OBSERVE]


def _hello(remote: Remote, call: Call) -> object:
    sup = remote.control.supervisor
    return {
        "boot": sup.boot,
        "started_at": sup.started_at,
        "kept": dict(remote.kept),
        "epoch": remote.epoch,
        "facts": remote.control.reports.journal(),
    }


def _keep(remote: Remote, call: Call) -> object:
    key, value = str(call.args["key"]), call.args["value"]
    if value is None:
        remote.kept.pop(key, None)
    elif key in remote.kept or len(remote.kept) < KEEP_KEYS:
        remote.kept[key] = str(value)
    else:
        raise read.refuse(f"{KEEP_KEYS} keys are kept already", "give one up with value null")
    return {"kept": sorted(remote.kept)}


def _facts(remote: Remote, call: Call) -> object:
    return remote.control.reports.replay(call.args["after"], call.args["limit"])  # type: ignore[arg-type]


def _ack(remote: Remote, call: Call) -> object:
    remote.control.journal.acknowledge(call.args["seq"])  # type: ignore[arg-type]
    return remote.control.reports.journal()


def _census(remote: Remote, call: Call) -> object:
    return remote.control.reports.census(call.now)


def _subscribe(remote: Remote, call: Call) -> Answer:
    return Stream(call.id, [], lambda push: follow_facts(remote.control, (), push))


def _command(remote: Remote, call: Call) -> Answer:
    args: dict[str, Any] = call.args
    if args["epoch"] < remote.epoch:
        message = f"epoch {args['epoch']} is over, {remote.epoch} commands here"
        raise ControlError("old-epoch", message, "the hub has to take a higher one")
    if args["epoch"] > remote.epoch:
        remote.epoch, remote.nonce, remote.taken = args["epoch"], 0, 0
    known = remote.control.commands.get(args["id"], call.now)
    if known is not None:
        return _again(known, call)
    if args["deadline"] <= 0:
        raise ControlError("expired", "the command arrived after its deadline")
    if args["verb"] not in remote.may():
        raise _forbidden(remote, args["verb"])
    if VERBS[args["verb"]].role != OPERATE or not args["nonce"]:
        return _execute(remote, call)
    return _once(remote, call, args["nonce"])


def _once(remote: Remote, call: Call, nonce: int) -> Answer:
    """Carry it out unless its number was taken, or is too old to know."""
    if _was_taken(remote, nonce):
        raise ControlError("replayed", f"command {nonce} of epoch {remote.epoch} was here before")
    try:
        return _execute(remote, call)
    except ControlError as error:
        if error.code == "busy":
            nonce = 0
        raise
    finally:
        if nonce:
            _take(remote, nonce)


def _was_taken(remote: Remote, nonce: int) -> bool:
    behind = remote.nonce - nonce
    return behind >= NONCE_WINDOW or (behind >= 0 and bool(remote.taken >> behind & 1))


def _take(remote: Remote, nonce: int) -> None:
    ahead = nonce - remote.nonce
    if ahead > 0:
        remote.taken = remote.taken << min(ahead, NONCE_WINDOW) & (1 << NONCE_WINDOW) - 1
        remote.nonce = nonce
    remote.taken |= 1 << remote.nonce - nonce


def _forbidden(remote: Remote, verb: str) -> ControlError:
    if verb in VERBS:
        return ControlError("forbidden", f"remote={remote.remote()} forbids {verb} here", "see [initd] remote=")
    return ControlError("unknown-verb", f"there is no verb {verb!r}", f"known: {', '.join(sorted(VERBS))}")


def _again(known: Command, call: Call) -> Answer:
    if known.verb != call.args["verb"]:
        raise read.refuse(f"the id was used for a {known.verb} already", "take a new id for each command")
    if known.final is not None:
        return known.final._replace(id=call.id)
    return answer_when_reached(known, call, call.args["deadline"])  # type: ignore[arg-type]


def _execute(remote: Remote, call: Call) -> Answer:
    """Carry out the verb as the actor; what changes something is remembered under its id."""
    args: dict[str, Any] = call.args
    entry = VERBS[args["verb"]]
    given = dict(args["args"])
    if any(argument.name == "wait" for argument in entry.arguments):
        given.setdefault("wait", args["deadline"])
    inner = Call(
        call.id,
        args["verb"],
        read.read_all(entry.arguments, given),
        Carrier(args["actor"], remote.may()),
        call.now,
        args["id"] if entry.role == OPERATE else "",
    )
    answer = entry.handler(remote.control, inner)
    command = remote.control.commands.get(args["id"], call.now)
    if command is not None:
        command.expires = call.now + args["deadline"] + COMMAND_GRACE_SECONDS
    if isinstance(answer, Stream):
        raise read.refuse("follow is not possible in a command", "ask again for what is new")
    return Reply(call.id, answer) if not hasattr(answer, "id") else answer  # type: ignore[return-value]


LINK_VERBS: dict[str, Entry] = {
    "link.hello": Entry((), _hello, LINK, "what PID 1 keeps for link, and where the journal stands"),
    "link.keep": Entry(
        (
            Argument("key", read.text, REQUIRED, "name of what is kept"),
            Argument("value", read.opaque, None, "text; null: forget it"),
        ),
        _keep,
        LINK,
        "keep a text until PID 1 ends",
    ),
    "facts": Entry(
        (
            Argument("after", read.number, REQUIRED, "only facts with a higher number"),
            Argument("limit", read.count, FACTS_PER_MESSAGE, "how many at most"),
        ),
        _facts,
        LINK,
        "facts to replay",
    ),
    "ack": Entry(
        (Argument("seq", read.number, REQUIRED, "the hub has stored all up to here"),), _ack, LINK, "facts are durable"
    ),
    "census": Entry((), _census, LINK, "the programs' processes"),
    "subscribe": Entry((Argument("facts", read.flag, True, "tell each new fact"),), _subscribe, LINK, "new facts"),
    "command": Entry(
        (
            Argument("id", read.text, REQUIRED, "id of the command"),
            Argument("verb", read.text, REQUIRED, "what to do"),
            Argument("args", read.verb_args, {}, "the verb's arguments"),
            Argument("deadline", read.seconds, REQUIRED, "seconds left"),
            Argument("actor", read.text, REQUIRED, "who asks, e.g. hub:alice"),
            Argument("epoch", read.number, REQUIRED, "the hub's epoch"),
            Argument("nonce", read.number, 0, "grows with each command of the epoch; 0: none"),
        ),
        _command,
        LINK,
        "a command of the hub, carried out at most once",
    ),
}

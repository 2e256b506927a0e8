"""Every message that can be decoded, from every kind of peer, in any order, at the hub's core: refused or answered.

The loop survives an exception of the core, but it costs the sender an answer and leaves half a change behind; so none
may be raised.  What hostile peers may put into fields is drawn from the declared shapes (tests.support.values), mixed
with the names, numbers and ids that mean something to the hub at that moment.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub import words
from tests.support.corehub import CoreHub
from tests.support.values import messages
from wire import messages as M
from wire.codec import encode

USERS = st.sampled_from(["id000001", "id000002", "admin", "nobody", "A" * 40])
PORTS = st.sampled_from(["agents", "clients", "enrol"])
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=8), st.binary(max_size=4),
    st.sampled_from(["shop/web", "shop", "*", "id000001", "restart", "b1"]),
)  # fmt: skip
NESTED = ODD | st.lists(ODD, max_size=3) | st.dictionaries(st.text(max_size=4), ODD, max_size=2)
LOOK = ("target", "since", "after", "limit", "all")
QUESTIONS = {
    "agents": LOOK, "hosts": LOOK, "containers": LOOK, "ps": LOOK, "exits": LOOK, "events": LOOK, "audit": LOOK,
    "commands": LOOK, "about": (), "metrics": (), "command_state": ("id",), "token.list": (), "key.list": (),
    "command": ("target", "targets", "container", "verb", "args", "id", "ttl", "client"),
    "history": ("target", "start", "end", "step", "pid"), "container_history": ("target", "start", "end", "step"),
    "token.create": ("kind", "labels", "cap", "seconds"), "join": ("kind", "cap"), "token.revoke": ("id",),
    "key.create": ("name", "role", "public", "scope"), "key.revoke": ("name",), "key.rotate": ("grace", "now"),
    "agent.rekey": ("target",),
}  # fmt: skip
"""What may be asked, and the arguments that mean something there."""

MANY = st.lists(ODD, min_size=1, max_size=3)
KNOWN = {"verb": st.sampled_from(["restart", "stop", "signal"]), "target": st.just("shop/web")}


def argument(name: str) -> st.SearchStrategy[Any]:
    """A value for it, sensible, odd or too many, each as often."""
    return st.sampled_from([KNOWN.get(name, ODD), NESTED, MANY]).flatmap(lambda kind: kind)


def arguments(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these, right or wrong."""
    return st.fixed_dictionaries({}, optional={name: argument(name) for name in names})


QUERIES = st.sampled_from(sorted(QUESTIONS)).flatmap(
    lambda op: st.builds(M.Query, st.just("q1"), st.just(op), arguments(QUESTIONS[op]))
)


class Tolerant(CoreHub):
    """Its store may refuse what an agent says, a sample of the year 1 for example; the loop logs that."""

    def _store(self, effect: words.Store) -> None:
        with suppress(AssertionError):
            super()._store(effect)


def fitting(message: Any) -> Any:
    """The message as a hub with this agent would meet it: of its boot."""
    return message._replace(boot="b1") if hasattr(message, "boot") else message


LINES = st.lists(st.tuples(PORTS, USERS, messages().map(fitting) | QUERIES), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(LINES)
def test_the_core_takes_anything(lines: list[tuple[str, str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hub = Tolerant(Path(folder) / "store")
        hub.agent("shop", "web")
        hub.hello("id000001")
        for port, user, message in lines:
            hub.ask(port, user, message)
            hub.feed(words.Published(user, message))
            hub.wait(0.4)
        assert hub.query("about")["agents"]
        hub.store.close(hub.now.wall)


@settings(max_examples=60, deadline=None)
@given(st.lists(QUERIES, min_size=8, max_size=8))
def test_any_question_gets_one_answer_that_can_be_sent(queries: list[M.Query]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hub = CoreHub(Path(folder) / "store")
        hub.agent("shop", "web")
        for number, query in enumerate(queries):
            hub.ask("clients", "admin", query._replace(id=f"q{number}"))
            [answer] = [one.message for one in hub.sent if getattr(one.message, "id", "") == f"q{number}"]
            encode(answer, 1 << 24)
        hub.store.close(hub.now.wall)

"""Role x operation x scope: one table of who may ask for what, and nothing out of scope in any answer.

The table is written out a second time here, apart from hub.trust.roles: an operation or verb without an entry fails,
and so does one whose role was changed in one place only.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hub.commands.wishes import CONTAINER_ARGS, PROCESS_ARGS
from hub.core import Core
from hub.fleet import Fleet
from hub.store.rows import KeyRow
from hub.trust.roles import Role
from tests.support.corehub import SETTINGS, CoreHub, container, listing
from tests.support.facts import exit_record
from wire import messages as M
from wire.keys import KeyPair

LEAST = {
    **dict.fromkeys(("about", "agents", "hosts", "containers", "ps", "metrics"), Role.VIEWER),
    **dict.fromkeys(("exits", "events", "history", "container_history"), Role.VIEWER),
    **dict.fromkeys(("exit_groups", "why", "storms", "rolls"), Role.VIEWER),
    **dict.fromkeys(("roll", "roll.cancel", "roll.resume"), Role.OPERATOR),
    **dict.fromkeys(("alerts", "silence.list"), Role.VIEWER),
    **dict.fromkeys(("silence.create", "silence.end"), Role.OPERATOR),
    "alerts.test": Role.ADMIN,
    "alerts.reload": Role.ADMIN,
    **dict.fromkeys(("hubs", "follow", "behalf"), Role.VIEWER),
    "drain": Role.ADMIN,
    **dict.fromkeys(("commands", "command_state", "command"), Role.VIEWER),
    **dict.fromkeys(("audit", "join", "token.create", "token.list", "token.revoke"), Role.ADMIN),
    **dict.fromkeys(("key.create", "key.list", "key.revoke", "key.rotate", "agent.rekey"), Role.ADMIN),
}
"""Operation -> least role."""
WHOLE = {"metrics", *(op for op, role in LEAST.items() if role is Role.ADMIN)}
"""What is of the whole fleet, and so never for a scoped key."""
VERBS = {
    "tail": Role.VIEWER,
    **dict.fromkeys(("start", "stop", "restart", "signal", "kill", "pause", "unpause"), Role.OPERATOR),
}
"""Verb -> least role."""
LADDER = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
SCOPES: tuple[dict[str, str], ...] = ({}, {"team": "blue"})
OPS = sorted(LEAST)
RED = ("crimson", "scarlet")
"""Names of the agent and the container that are out of the scope."""
ARGS: dict[str, dict[str, Any]] = {
    "command_state": {"id": "red-order"},
    "audit": {"limit": 2000},
    "roll": {"verb": "restart"},
    "roll.cancel": {"id": "red-roll"},
    "roll.resume": {"id": "red-roll"},
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> CoreHub:
    """A fleet of two teams, with clients of every role and scope."""
    hub = CoreHub(tmp_path_factory.mktemp("table"))
    boxes = container(1, at=hub.now.wall, name="azure-box"), container(2, at=hub.now.wall, name="scarlet-box")
    for name, team, box in (("azure", "blue", boxes[0]), ("crimson", "red", boxes[1])):
        agent = hub.agent(name, f"{name}-web", join=hub.token(labels={"team": team}), container=box.id)
        hub.feed_event(agent, exit_record(1, f"{name}-web"))
    hub.report(*listing(hub.now.wall, boxes[0], engine="azure-engine"))
    hub.report(*listing(hub.now.wall, boxes[1], engine="scarlet-engine"))
    hub.query("command", verb="restart", target="team=red", id="red-order")
    assert code(hub.query("roll", verb="restart", target="team=red", id="red-roll")) == ""
    for role, scope in itertools.product(LADDER, SCOPES):
        hub.query("key.create", name=name_of(role, scope), role=role, scope=scope, public=KeyPair.generate().public)
    return hub


def name_of(role: Role, scope: dict[str, str]) -> str:
    return f"{role}-{'scoped' if scope else 'free'}"


def code(answer: Any) -> str:
    return answer.code if isinstance(answer, M.Refused) else ""


def test_the_table_is_whole() -> None:
    core = Core(SETTINGS, "0", lambda: "id")
    assert set(core.asking) | set(core.queries.handlers) == set(LEAST), "every operation needs a line in LEAST"
    assert set(PROCESS_ARGS) | set(CONTAINER_ARGS) == set(VERBS), "every verb needs a line in VERBS"


@pytest.mark.parametrize(("op", "role", "scope"), list(itertools.product(OPS, LADDER, SCOPES)))
def test_each_role_may_ask_for_what_the_table_says(hub: CoreHub, op: str, role: Role, scope: dict[str, str]) -> None:
    answer = code(hub.query(op, name_of(role, scope), **ARGS.get(op, {})))
    allowed = LADDER.index(role) >= LADDER.index(LEAST[op]) and not (scope and op in WHOLE)
    assert (answer != "forbidden") is allowed, answer


@pytest.mark.parametrize(("verb", "role", "scope"), list(itertools.product(sorted(VERBS), LADDER, SCOPES)))
def test_each_role_may_command_what_the_table_says(hub: CoreHub, verb: str, role: Role, scope: dict[str, str]) -> None:
    paths = [path for path in (True, False) if verb in (CONTAINER_ARGS if path else PROCESS_ARGS)]
    for target, path in itertools.product(("azure/azure-web", "team=red", "crimson*/*", "scarlet*"), paths):
        asked = {"verb": verb, "target": target, "args": {}, "container": path}
        answer = code(hub.query("command", name_of(role, scope), **asked))
        assert (answer != "forbidden") is (LADDER.index(role) >= LADDER.index(VERBS[verb])), answer
        assert not scope or "azure" in target or answer.startswith(("unknown-", "forbidden", "bad-target")), answer


@pytest.mark.parametrize("op", [op for op in OPS if LEAST[op] is not Role.ADMIN])
@pytest.mark.parametrize("target", [None, "*", "*/*", "crimson", "crimson/crimson-web", "team=red", "scarlet-box"])
def test_what_is_out_of_scope_is_in_no_answer(hub: CoreHub, op: str, target: str | None) -> None:
    def asked(target: str | None) -> Any:
        named = {} if target is None else {"target": target}
        return hub.query(op, name_of(Role.OPERATOR, SCOPES[1]), **{**ARGS.get(op, {}), "all": True, **named})

    answer, nowhere = asked(target), target
    for name in RED if target else ():
        nowhere = nowhere.replace(name, "nothing")
    if isinstance(answer, M.Refused) and nowhere != target:
        assert repr(answer).replace("crimson", "nothing").replace("scarlet", "nothing") == repr(asked(nowhere))
    else:
        assert not any(name in repr(answer) for name in RED)


def test_a_scoped_key_opens_the_client_port_only() -> None:
    for kind, role, scope in itertools.product(("agent", "client", "hub", "relay"), ("", *LADDER), SCOPES):
        fleet = Fleet(SETTINGS)
        fleet.add_key(KeyRow("k" * 40, kind, "x", 0.0, role=role, scope=scope))
        doors = {domain for domain, _ in fleet.admissions()}
        expected = {"agent": {"agents"}, "relay": {"agents"}, "client": {"clients"} if scope else {"clients", "feed"}}
        assert doors == expected.get(kind, set()), (kind, role, scope)


def test_an_agents_key_asks_nothing_and_a_clients_tells_nothing(hub: CoreHub) -> None:
    agent = next(iter(hub.core.fleet.agent_keys))
    for op in OPS:
        assert code(hub.query(op, agent)) == "unknown-key"
    for message in (M.Hello("b1"), M.Goodbye("b1", "x", 0), M.Heartbeat("b1", 0, 1, 0.0, 0.0, 0, 0, 0.0)):
        assert code(hub.ask("agents", "admin", message)) == "unknown-key"
        assert code(hub.ask("clients", "admin", message)) == "unexpected"

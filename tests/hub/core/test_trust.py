"""Enrolment, tokens and keys."""

from __future__ import annotations

from hub import words
from tests.support.corehub import CoreHub, container, listing, register
from wire import messages as M
from wire.keys import KeyPair
from wire.model import CommandState

DAY = 86400.0


def refused(answer: object) -> str:
    return answer.code if isinstance(answer, M.Refused) else f"not refused: {answer}"


def test_an_enrolled_key_is_admitted_as_its_agent(hub: CoreHub) -> None:
    public = KeyPair.generate().public
    answer = hub.enrol(hub.token(labels={"team": "blue"}), public)
    assert answer.labels == {"team": "blue"} and answer.hubs == hub.core.fleet.settings.addresses
    assert hub.admitted["agents", public] == answer.agent and ("clients", public) not in hub.admitted


def test_an_invite_serves_one_agent_only(hub: CoreHub) -> None:
    join = hub.token(kind="invite")
    assert isinstance(hub.enrol(join), M.Enrolled)
    assert refused(hub.enrol(join)) == "token-used"


def test_a_token_may_serve_a_number_of_agents(hub: CoreHub) -> None:
    for kind in ("invite", "service"):
        join = hub.token(kind=kind, uses=3)
        assert (
            all(isinstance(hub.enrol(join), M.Enrolled) for _ in range(3)) and refused(hub.enrol(join)) == "token-used"
        )
    assert refused(hub.query("token.create", uses=0)) == "bad-argument"


def test_a_lost_answer_costs_no_second_use(hub: CoreHub) -> None:
    join, public = hub.token(kind="invite"), KeyPair.generate().public
    assert hub.enrol(join, public) == hub.enrol(join, public)


def test_who_asks_again_while_the_store_is_slow_is_admitted_once(hub: CoreHub) -> None:
    join, public = hub.token(kind="invite"), KeyPair.generate().public
    enrol = M.Enrol(join.token, join.secret, "", "host", "0")
    asked = [words.Asked(words.Route("enrol", (number,)), public, "1.2.3.4", enrol) for number in (b"1", b"2")]
    waiting = [effect for one in asked for effect in hub.core.handle(one, hub.now)]
    while waiting:
        effect = waiting.pop(0)
        if isinstance(effect, words.Store) and effect.then is not None:
            stored = words.Stored(effect.then, getattr(hub.store, effect.method)(*effect.args), "")
            waiting += hub.core.handle(stored, hub.now)
        else:
            hub.carry_out([effect])
    [answer] = [sent for sent in hub.sent if sent.route.port == "enrol"]
    assert isinstance(answer.message, M.Enrolled) and answer.route == asked[1].route
    assert hub.enrol(join, public) == answer.message


def test_a_request_that_never_ended_is_begun_anew(hub: CoreHub) -> None:
    join, public = hub.token(), KeyPair.generate().public
    enrol = M.Enrol(join.token, join.secret, "", "host", "0")
    hub.core.handle(words.Asked(words.Route("enrol", (b"1",)), public, "1.2.3.4", enrol), hub.now)
    assert hub.enrol(join, public) is None
    hub.mono += 30.0
    assert isinstance(hub.enrol(join, public), M.Enrolled)


def test_an_invite_expires_after_an_hour(hub: CoreHub) -> None:
    join = hub.token(kind="invite")
    hub.mono += 3600.0
    assert refused(hub.enrol(join)) == "token-expired"


def test_wrong_secret_and_unknown_token_look_alike(hub: CoreHub) -> None:
    join = hub.token()
    wrong = hub.enrol(join._replace(secret=b"x" * 32))
    assert refused(wrong) == "bad-token" and wrong == hub.enrol(join._replace(token="nope"))


def test_a_revoked_token_enrols_nobody_and_its_agents_stay(hub: CoreHub) -> None:
    join = hub.token()
    agent = hub.agent(join=join)
    hub.query("token.revoke", id=join.token)
    assert refused(hub.enrol(join)) == "token-revoked" and hub.beat(agent).register is False


def test_a_service_token_has_a_cap_on_live_agents(hub: CoreHub) -> None:
    join = hub.token(cap=2)
    agents = [hub.agent(join=join) for _ in range(2)]
    assert refused(hub.enrol(join)) == "token-full"
    hub.ask("agents", agents[0], M.Goodbye("b1", "stop", 0))
    assert isinstance(hub.enrol(join), M.Enrolled)


def test_the_cap_counts_keys_that_have_not_registered_yet(hub: CoreHub) -> None:
    join = hub.token(cap=1)
    hub.enrol(join)
    assert refused(hub.enrol(join)) == "token-full"


def test_keys_of_service_tokens_are_forgotten_a_day_after_loss(hub: CoreHub) -> None:
    agent = hub.agent()
    invited = hub.agent("other", join=hub.token(kind="invite"))
    hub.wait(7.0)
    hub.mono += DAY + 60
    hub.wait(0.2)
    assert hub.ask("agents", agent, register()).code == "unknown-key"
    assert not isinstance(hub.ask("agents", invited, register()), M.Refused)


def test_a_key_is_forgotten_when_its_container_is_destroyed(hub: CoreHub) -> None:
    box = container(1, at=hub.now.wall)
    agent = hub.agent(container=box.id)
    hub.report(*listing(hub.now.wall, box))
    assert hub.query("agents")[0]["verified"] is True
    hub.report(*listing(hub.now.wall))
    assert hub.presence(agent) == "gone"
    assert agent not in hub.admitted.values()


def test_an_invited_key_outlives_its_container(hub: CoreHub) -> None:
    box = container(1, at=hub.now.wall)
    agent = hub.agent(container=box.id, join=hub.token(kind="invite"))
    hub.report(*listing(hub.now.wall, box), *listing(hub.now.wall))
    assert agent in hub.admitted.values()


def test_keys_and_tokens_survive_a_restart(hub: CoreHub) -> None:
    join = hub.token()
    agent = hub.agent(join=join)
    hub.restart()
    assert agent in hub.admitted.values() and isinstance(hub.enrol(join), M.Enrolled)


def test_a_revoked_agent_is_refused_at_its_next_message(hub: CoreHub) -> None:
    agent = hub.agent()
    hub.query("key.revoke", name=agent)
    assert refused(hub.beat(agent)) == "unknown-key" and agent not in hub.admitted.values()


def test_a_revoked_client_is_refused_and_the_feed_is_bound_anew(hub: CoreHub) -> None:
    hub.query("key.create", name="eve", role="viewer", public=KeyPair.generate().public)
    hub.query("key.revoke", name="eve")
    assert refused(hub.query("agents", "eve")) == "unknown-key"


def test_a_key_cannot_revoke_itself(hub: CoreHub) -> None:
    assert refused(hub.query("key.revoke", name="admin")) == "own-key"


def test_a_scoped_key_may_not_read_the_feed(hub: CoreHub) -> None:
    scoped, free = KeyPair.generate().public, KeyPair.generate().public
    hub.query("key.create", name="scoped", role="viewer", public=scoped, scope={"team": "blue"})
    hub.query("key.create", name="free", role="viewer", public=free)
    assert ("feed", free) in hub.admitted and ("feed", scoped) not in hub.admitted


def test_names_and_keys_are_not_given_twice(hub: CoreHub) -> None:
    public = KeyPair.generate().public
    hub.query("key.create", name="eve", public=public)
    assert refused(hub.query("key.create", name="eve", public=KeyPair.generate().public)) == "exists"
    assert refused(hub.query("key.create", name="bob", public=public)) == "exists"
    assert refused(hub.query("key.create", name="bob", public="short")) == "bad-argument"


def test_lists_hold_nothing_secret(hub: CoreHub) -> None:
    hub.token()
    assert "digest" not in hub.query("token.list")[0] and "join" not in hub.query("token.list")[0]


def test_refused_enrolments_are_audited(hub: CoreHub) -> None:
    hub.enrol(hub.token()._replace(secret=b"x" * 32))
    row = hub.query("audit")[-1]
    assert (row["action"], row["outcome"], row["detail"], row["peer"]) == ("enrol", "refused", "bad-token", "1.2.3.4")


def test_a_store_that_fails_admits_nobody(hub: CoreHub) -> None:
    join = hub.token()
    hub.broken = "put_key"
    assert refused(hub.enrol(join)) == "store" and all(domain != "agents" for domain, _ in hub.admitted)


def test_whatever_an_admin_asks_in_vain_is_audited(hub: CoreHub) -> None:
    hub.query("key.create", name="admin", public=KeyPair.generate().public)
    hub.query("key.revoke", name="nobody")
    hub.query("token.create", kind="golden")
    hub.query("token.revoke", id="none")
    told = [(row["actor"], row["action"], row["target"], row["outcome"], row["peer"]) for row in hub.query("audit")]
    assert told[-4:] == [
        ("admin", "key create", "admin", "refused", "1.2.3.4"),
        ("admin", "key revoke", "nobody", "refused", "1.2.3.4"),
        ("admin", "token create", "", "refused", "1.2.3.4"),
        ("admin", "token revoke", "none", "failed", "1.2.3.4"),
    ]


def test_two_containers_with_one_key_are_told_and_the_later_is_refused(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    for boot in ("b2", "b1", "b2"):
        answer = hub.ask("agents", agent, register(boot=boot, name="copy", at=hub.now.wall), "5.6.7.8")
    assert refused(answer) == "duplicate"
    assert (
        not isinstance(hub.ask("agents", agent, register(name="shop")), M.Refused) and hub.beat(agent).register is False
    )
    assert refused(hub.ask("agents", agent, register(boot="b2"))) == "duplicate"
    [event] = [row for row in hub.query("events") if row.get("note") == "duplicate identity"]
    assert event["refused_boot"] == "b2" and "5.6.7.8 (copy)" in event["peers"]


def test_a_restarted_container_is_no_duplicate(hub: CoreHub) -> None:
    agent = hub.agent("shop")
    for number in range(2, 30):
        assert not isinstance(hub.ask("agents", agent, register(boot=f"b{number}")), M.Refused)


def test_a_revoked_agent_is_gone_at_once_and_gets_no_command(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    hub.query("command", verb="restart", target="shop/web", id="early")
    hub.query("key.revoke", name=agent)
    assert hub.presence(agent) == "gone" and agent not in hub.core.fleet.routes
    hub.ask("agents", agent, M.Progress("early", CommandState.DONE, None, None, 0.0))
    assert hub.query("command_state", id="early")["state"] == "accepted"
    assert refused(hub.query("command", verb="restart", target="shop/web")) == "unknown-agent"
    assert any(row.get("note") == "key revoked" for row in hub.query("events"))


def test_a_revoked_key_cannot_enrol_again(hub: CoreHub) -> None:
    join, public = hub.token(), KeyPair.generate().public
    hub.query("key.revoke", name=hub.enrol(join, public).agent)
    assert refused(hub.enrol(join, public)) == "bad-key" and isinstance(hub.enrol(join), M.Enrolled)

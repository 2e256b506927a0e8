"""Questions for somebody else: rights are only ever taken away, and the audit names both."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Refusal
from hub.trust.behalf import narrowed
from hub.trust.roles import Role, Subject, holds
from tests.support.corehub import CoreHub
from wire import messages as M
from wire.keys import KeyPair

LADDER = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3)


def said(role: str, scope: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"user": "ann", "address": "10.1.2.3", "role": role, "scope": scope or {}, **more}


@given(st.sampled_from(LADDER), st.sampled_from(LADDER), LABELS, LABELS, LABELS)
def test_nobody_may_more_than_the_key_and_than_the_user(
    key: Role, user: Role, of_key: dict[str, str], of_user: dict[str, str], labels: dict[str, str]
) -> None:
    subject = Subject("console", key, of_key)
    try:
        found = narrowed(subject, said(user, of_user))
    except Refusal:
        assert any(of_key.get(name, text) != text for name, text in of_user.items())
        return
    for role in LADDER:
        assert holds(found.role, role) == (holds(key, role) and holds(user, role))
    alone = Subject("ann", user, of_user)
    assert found.may_see(labels) == (subject.may_see(labels) and alone.may_see(labels))


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "root"}, {"role": None}, {"user": ""}, {"user": "a\nb"}, {"user": 7}, {"user": "x" * 126},
        {"scope": ["a"]}, {"scope": {"a": 1}}, {"scope": None},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        narrowed(Subject("console", Role.ADMIN, {}), {**said("viewer"), **wrong})
    assert refused.value.code == "bad-argument"


class Fleet:
    """Two agents of two teams, and a console's key of each role."""

    def __init__(self, folder: Path) -> None:
        self.hub = CoreHub(folder)
        for name, team in (("azure", "blue"), ("crimson", "red")):
            self.hub.agent(name, f"{name}-web", join=self.hub.token(labels={"team": team}))
        for role in LADDER:
            self.hub.query("key.create", name=f"console-{role}", role=role, public=KeyPair.generate().public)

    def ask(self, op: str, key: Role, said: dict[str, Any], **args: Any) -> Any:
        return self.hub.query("behalf", f"console-{key}", **said, op=op, args=args)

    def audit(self) -> list[dict[str, Any]]:
        return list(self.hub.query("audit", limit=1000))


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_a_scoped_user_sees_its_own(fleet: Fleet) -> None:
    rows = fleet.ask("agents", Role.ADMIN, said("viewer", {"team": "blue"}))
    assert [row["name"] for row in rows] == ["azure"]


@pytest.mark.parametrize(("key", "user"), list(itertools.product(LADDER, LADDER)))
def test_a_command_needs_both_roles(fleet: Fleet, key: Role, user: Role) -> None:
    asked = {"verb": "restart", "target": "azure/azure-web"}
    answer = fleet.ask("command", key, said(user), **asked)
    allowed = Role.VIEWER not in (key, user)
    assert isinstance(answer, M.Refused) is not allowed
    row = fleet.audit()[-1]
    assert (row["actor"], row["peer"]) == (f"ann via console-{key}", "10.1.2.3")
    assert row["outcome"] == ("accepted" if allowed else "refused")


def test_what_only_an_admin_may_is_audited_under_both_names(fleet: Fleet) -> None:
    assert fleet.ask("token.list", Role.ADMIN, said("operator")).code == "forbidden"
    assert fleet.audit()[-1]["actor"] == "ann via console-admin"


@pytest.mark.parametrize("op", ["behalf", None, 7])
def test_it_is_not_asked_on_behalf_of_one_who_asks_so(fleet: Fleet, op: Any) -> None:
    assert fleet.ask(op, Role.ADMIN, said("admin")).code == "bad-argument"


def test_an_operation_that_is_not_there_is_not_there(fleet: Fleet) -> None:
    assert fleet.ask("root", Role.ADMIN, said("admin")).code == "unknown-operation"

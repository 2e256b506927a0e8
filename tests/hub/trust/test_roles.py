"""Roles, scopes and tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands.wishes import CONTAINER_ARGS, PROCESS_ARGS
from hub.core import Core
from hub.errors import Refusal
from hub.trust import tokens
from hub.trust.roles import NEEDS, VERB_NEEDS, Role, Subject, holds, require, require_verb
from tests.support.corehub import SETTINGS


def test_every_operation_that_is_served_has_a_role_and_the_other_way_round() -> None:
    core = Core(SETTINGS, "0", lambda: "id")
    assert set(core.asking) | set(core.queries.handlers) == set(NEEDS)


def test_every_verb_has_a_role_and_the_other_way_round() -> None:
    assert set(PROCESS_ARGS) | set(CONTAINER_ARGS) == set(VERB_NEEDS)


@given(st.sampled_from(list(Role)), st.sampled_from(list(Role)))
def test_roles_are_a_ladder(role: Role, needed: Role) -> None:
    assert holds(role, role) and (holds(role, needed) or holds(needed, role))
    assert holds(Role.ADMIN, needed) and holds(role, Role.VIEWER)


def test_what_stands_in_no_table_is_refused_even_for_admins() -> None:
    admin = Subject("root", Role.ADMIN, {})
    for check, word in ((require, "exec"), (require_verb, "exec")):
        with pytest.raises(Refusal) as refused:
            check(admin, word)
        assert refused.value.code.startswith("unknown")


@pytest.mark.parametrize("op", [op for op, role in NEEDS.items() if role is Role.ADMIN])
def test_admin_operations_are_forbidden_to_operators(op: str) -> None:
    with pytest.raises(Refusal, match="needs role admin"):
        require(Subject("bob", Role.OPERATOR, {}), op)


def test_a_scope_needs_all_its_labels() -> None:
    subject = Subject("bob", Role.OPERATOR, {"team": "blue", "env": "test"})
    assert subject.may_see({"team": "blue", "env": "test", "more": "x"})
    assert not subject.may_see({"team": "blue"}) and not subject.may_see({})


def test_a_token_is_kept_as_a_hash_only() -> None:
    token, secret = tokens.create(tokens.TokenKind.SERVICE, {}, 5, "me", 0.0)
    assert len(secret) == 32 and secret.hex() not in str(token)
    assert tokens.prove(token, secret) is token


@given(st.binary(max_size=64))
def test_no_other_secret_passes(secret: bytes) -> None:
    token, right = tokens.create(tokens.TokenKind.SERVICE, {}, 5, "me", 0.0)
    if secret != right:
        with pytest.raises(Refusal):
            tokens.prove(token, secret)

"""REST on a real console, hub and initd: what is asked, who may, and what is kept of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from console.api.openapi import described
from console.api.table import CALLS, Call
from tests.console.conftest import Estate
from tests.support.liveconsole import PASSWORD, Visitor
from tests.support.waiting import until

LISTS = [call.path for call in CALLS if call.method == "GET" and not call.one]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_rows_and_says_what_follows(estate: Estate, path: str) -> None:
    found = estate.root.api("GET", path)
    assert found.status == 200 and isinstance(found.said["rows"], list) and "next" in found.said
    assert found.headers["cache-control"] == "no-store"


def test_pages_lead_through_all_rows_once(estate: Estate) -> None:
    seen: list[str] = []
    after: Any = None
    while True:
        page = estate.root.api("GET", f"/agents?limit=1{f'&after={after}' if after else ''}").said
        seen += [row["name"] for row in page["rows"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(seen) == ["blue-1", "red-1"]


def test_what_is_known_is_not_sent_again(estate: Estate) -> None:
    first = estate.root.api("GET", "/openapi.json")
    assert first.said["openapi"] == "3.1.0"
    tagged = estate.root.api("GET", "/tokens")
    again = estate.root.api("GET", "/tokens", if_none_match=tagged.headers["etag"])
    assert (again.status, again.text) in ((304, ""), (200, again.text))
    assert (
        estate.root.api("GET", "/silences", if_none_match=estate.root.api("GET", "/silences").headers["etag"]).status
        == 304
    )


def test_a_command_is_carried_out_once_and_audited_under_its_user(estate: Estate) -> None:
    ann = estate.user("ann", "operator")
    said = {"verb": "restart", "targets": ["blue-1/web"], "hold": 10.0}
    rows = [ann.api("POST", "/commands", said, idempotency_key="once-1") for _ in range(2)]
    assert [row.status for row in rows] == [202, 202] and rows[0].said["id"] == rows[1].said["id"] == "once-1"
    row = until(lambda: _done(ann, "once-1"), 30, "the command is done")
    assert row["actor"] == "ann via console-console"
    audit = [one for one in estate.hub.client.query("audit", limit=1000) if one["command"] == "once-1"]
    assert {(one["actor"], one["peer"]) for one in audit} == {("ann via console-console", "127.0.0.1")}
    exits = estate.root.api("GET", "/exits?target=blue-1/web&limit=10").said["rows"]
    assert "ann via console-console" in exits[-1]["who"]


def _done(visitor: Visitor, name: str) -> Any:
    row = visitor.api("GET", f"/commands/{name}").said
    return row if row["state"] == "done" else None


def test_a_viewer_looks_and_commands_nothing(estate: Estate) -> None:
    vic = estate.user("vic", "viewer")
    assert vic.api("GET", "/programs").status == 200
    refused = vic.api("POST", "/commands", {"verb": "restart", "target": "blue-1/web"})
    assert (refused.status, refused.said["code"]) == (403, "forbidden") and refused.headers[
        "content-type"
    ] == "application/problem+json"
    assert vic.api("GET", "/tokens").status == vic.api("GET", "/users").status == 403


def test_out_of_scope_is_not_there(estate: Estate) -> None:
    bea = estate.user("bea", "operator", team="blue")
    assert [row["name"] for row in bea.api("GET", "/agents").said["rows"]] == ["blue-1"]
    assert bea.api("GET", "/why?target=red-1/web").status == bea.api("GET", "/why?target=nowhere/web").status
    assert bea.api("POST", "/commands", {"verb": "stop", "target": "red-1/web"}).status in (404, 422)
    assert "red-1" not in bea.api("GET", "/events?limit=500").text


def test_nobody_gets_nothing(estate: Estate) -> None:
    nobody = estate.console.visitor()
    for call in CALLS:
        found = nobody.api(call.method, call.path.replace("{id}", "x"), {} if call.method == "POST" else None)
        assert (found.status, found.said["code"]) == (401, "login"), call.path
    assert nobody.ask("GET", "/", accept="text/html").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"host": "evil.org"}, 421),
        ({"origin": "https://evil.org"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"x_csrf_token": "wrong"}, 403),
        ({"x_csrf_token": ""}, 403),
    ],
)
def test_a_page_of_somebody_else_commands_nothing(estate: Estate, change: dict[str, str], status: int) -> None:
    said = {"verb": "restart", "target": "blue-1/web"}
    assert estate.root.api("POST", "/commands", said, **change).status == status


def test_no_secret_stands_in_an_address(estate: Estate) -> None:
    assert estate.root.api("GET", "/agents?token=x").said["code"] == "secret-in-address"


def test_answers_shield_the_page(estate: Estate) -> None:
    page = estate.root.ask("GET", "/")
    policy = page.headers["content-security-policy"]
    assert (
        "default-src 'none'" in policy and "unsafe" not in policy and "access-control-allow-origin" not in page.headers
    )
    assert page.headers["x-content-type-options"] == "nosniff" and '<script type="module"' in page.text
    assert not re.search(r"<script(?![^>]*src=)", page.text)


def test_a_token_of_a_program_needs_no_cookie_and_ends(estate: Estate) -> None:
    made = estate.root.api("POST", "/user-tokens", {"note": "deploy", "role": "operator", "seconds": 600}).said
    robot = Visitor(estate.console.port, bearer=made["token"])
    assert robot.api("GET", "/agents").status == 200
    assert robot.api("POST", "/commands", {"verb": "restart", "target": "blue-1/web"}).status == 202
    assert robot.api("POST", "/user-tokens", {"note": "more"}).status == 403
    assert estate.root.api("DELETE", f"/user-tokens/{made['id']}").status == 204
    assert robot.api("GET", "/agents").said["code"] == "token"


def test_a_guesser_is_slowed_down_and_seen(estate: Estate) -> None:
    estate.user("gus", "viewer")
    guesser = estate.console.visitor()
    answers = [guesser.api("POST", "/session", {"user": "gus", "password": f"wrong word number {n}"}) for n in range(8)]
    assert answers[0].status == 401 and answers[-1].status == 429 and int(answers[-1].headers["retry-after"]) >= 1
    logins = estate.root.api("GET", "/logins").said["rows"]
    assert any(row["about"] == "gus" and row["outcome"] == "refused" for row in logins)


def test_a_logout_is_one(estate: Estate) -> None:
    eve = estate.user("eve", "viewer")
    kept = eve.cookie
    assert eve.api("DELETE", "/session").status == 204
    eve.cookie = kept
    assert eve.api("GET", "/agents").status == 401


def test_a_password_is_changed_with_the_old_one(estate: Estate) -> None:
    pat = estate.user("pat", "viewer")
    new = {"password": "entirely other words", "old": "not this one"}
    assert pat.api("PATCH", "/users/pat", new).status == 403
    assert pat.api("PATCH", "/users/pat", {**new, "old": PASSWORD}).status == 200
    assert pat.api("GET", "/agents").status == 401
    assert estate.console.visitor("pat", "entirely other words").api("GET", "/agents").status == 200
    assert (
        estate.console.visitor("pat", "entirely other words").api("PATCH", "/users/pat", {"role": "admin"}).status
        == 403
    )


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"verb": "stop", "verb": 7}', '{"verb": "' + "x" * 70_000 + '"}']
)
def test_a_body_that_is_none(estate: Estate, text: str) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", estate.console.port, timeout=30)
    connection.request(
        "POST", "/api/v1/commands", text, {"cookie": estate.root.cookie, "x-csrf-token": estate.root.csrf}
    )
    assert connection.getresponse().status in (413, 422)
    connection.close()


SCHEMA = schemathesis.openapi.from_dict(described("0"))


@pytest.fixture(scope="session")
def robot(estate: Estate) -> str:
    return str(estate.root.api("POST", "/user-tokens", {"note": "schemathesis", "role": "viewer"}).said["token"])


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_whatever_the_description_allows_is_answered_as_it_says(call: Call, estate: Estate, robot: str) -> None:
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    place, headers = f"http://127.0.0.1:{estate.console.port}", {"Authorization": f"Bearer {robot}"}

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SCHEMA["/api/v1" + call.path][call.method].as_strategy())
    def answered(case: Any) -> None:
        case.call_and_validate(base_url=place, headers=headers, checks=checks)

    answered()

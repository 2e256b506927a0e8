"""Routes of login, setup, people and their tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.auth import limits
from console.auth.access import Access
from console.auth.guard import cookie_of
from console.auth.records import Account, shown
from console.errors import Problem
from console.problems import body, json
from console.who import Who

__all__ = ["access_routes"]

Handler = Callable[[Access, Request, Any], Response]


class Login(msgspec.Struct, forbid_unknown_fields=True):
    user: str
    password: str


class Setup(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    user: str
    password: str


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    user: str
    password: str
    role: str = "viewer"
    scope: dict[str, str] = {}


class Change(msgspec.Struct, forbid_unknown_fields=True):
    role: str | msgspec.UnsetType = msgspec.UNSET
    scope: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET
    password: str | msgspec.UnsetType = msgspec.UNSET
    old: str = ""


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    note: str
    role: str = "viewer"
    scope: dict[str, str] = {}
    seconds: float = 30 * 86400.0


def asker(request: Request, role: str = "viewer") -> Who:
    """Who asks, with at least this role and, for an admin's work, no scope; raises Problem."""
    who: Who | None = request.state.who
    if who is None:
        raise Problem(401, "login", "log in first")
    if not who.may(role) or (role == "admin" and who.scope):
        raise Problem(403, "forbidden", f"this needs role {role}" + (" and no scope" if role == "admin" else ""))
    return who


def look(access: Access, request: Request, _: None) -> Response:
    """Who is logged in here."""
    who: Who | None = request.state.who
    if who is None:
        if access.accounts.unset:
            raise Problem(401, "setup", "nobody has an account yet", "consoled printed a code when it started")
        raise Problem(401, "login", "log in first")
    said = {"user": who.user, "role": who.role, "scope": dict(who.scope), "by": who.by}
    return json({**said, "csrf": getattr(request.state, "csrf", "")})


def login(access: Access, request: Request, said: Login) -> Response:
    """A login."""
    address = request.state.address
    access.lockout.enter(said.user, address)
    account = access.accounts.proved(said.user, said.password)
    if account is None:
        access.diary.tell("", address, "login", said.user, "refused")
        raise Problem(401, "credentials", "name or password is wrong")
    access.lockout.forgive(said.user, address)
    return _begin(access, request, account)


def logout(access: Access, request: Request, _: None) -> Response:
    """A logout; without a login it is done already."""
    settings = access.settings
    if cookie := cookie_of(request.headers, settings.cookie):
        access.sessions.end(cookie)
    response = Response(status_code=204)
    response.delete_cookie(settings.cookie, settings.path or "/", secure=settings.secure_cookie, httponly=True)
    return response


def setup(access: Access, request: Request, said: Setup) -> Response:
    """The first admin."""
    access.lockout.enter("setup", request.state.address)
    account = access.accounts.begin(said.code, said.user, said.password)
    access.diary.tell(account.name, request.state.address, "setup", account.name, "done")
    return _begin(access, request, account)


def _begin(access: Access, request: Request, account: Account) -> Response:
    cookie, session = access.sessions.begin(account, request.state.address)
    access.diary.tell(account.name, request.state.address, "login", account.name, "done")
    settings = access.settings
    said = {"user": account.name, "role": account.role, "scope": account.scope, "by": "session", "csrf": session.csrf}
    response = json(said)
    response.set_cookie(
        settings.cookie, cookie, int(settings.session_seconds), path=settings.path or "/",
        secure=settings.secure_cookie, httponly=True, samesite="lax",
    )  # fmt: skip
    return response


def users(access: Access, request: Request, _: None) -> Response:
    """All accounts."""
    asker(request, "admin")
    return json({"rows": [shown(account) for account in access.accounts.all()], "next": None})


def new_user(access: Access, request: Request, said: NewUser) -> Response:
    """One more account."""
    who = asker(request, "admin")
    account = access.accounts.create(said.user, said.password, said.role, said.scope)
    access.diary.tell(who.user, who.address, "user create", account.name, "done", account.role)
    return json(shown(account), 201)


def change_user(access: Access, request: Request, said: Change) -> Response:
    """Another role, scope, state or password; one's own password needs the old one."""
    name = request.path_params["name"]
    fields = {key: value for key, value in msgspec.structs.asdict(said).items() if value is not msgspec.UNSET}
    old = fields.pop("old")
    own = asker(request).user == name and set(fields) == {"password"} and asker(request).by == "session"
    who = asker(request, "viewer" if own else "admin")
    if own:
        access.lockout.enter(name, who.address)
        if access.accounts.proved(name, old) is None:
            raise Problem(403, "credentials", "the old password is wrong")
    account = access.accounts.change(name, **fields)
    access.diary.tell(who.user, who.address, "user change", name, "done", ", ".join(sorted(fields)))
    return json(shown(account))


def remove_user(access: Access, request: Request, _: None) -> Response:
    """Ends an account."""
    who, name = asker(request, "admin"), request.path_params["name"]
    access.accounts.remove(name)
    access.diary.tell(who.user, who.address, "user remove", name, "done")
    return Response(status_code=204)


def tokens(access: Access, request: Request, _: None) -> Response:
    """One's own API tokens; an admin's look is at all."""
    who = asker(request)
    rows = [one for one in access.tokens.all() if (who.may("admin") and not who.scope) or one.user == who.user]
    hidden = ("digest", "account")
    found = [{key: value for key, value in msgspec.structs.asdict(one).items() if key not in hidden} for one in rows]
    return json({"rows": found, "next": None})


def new_token(access: Access, request: Request, said: NewToken) -> Response:
    """A new API token, told only now; only who is logged in by a password makes one."""
    who = asker(request)
    account = access.accounts.find(who.user)
    if who.by != "session" or account is None:
        raise Problem(403, "forbidden", "a token makes no tokens", "log in")
    text, token = access.tokens.create(account, said.role, said.scope, said.seconds, said.note)
    access.diary.tell(who.user, who.address, "token create", token.id, "done", token.note)
    return json({"id": token.id, "token": text, "expires_at": token.expires_at}, 201)


def revoke_token(access: Access, request: Request, _: None) -> Response:
    """Ends a token: one's own, or as an admin anybody's."""
    who, name = asker(request), request.path_params["name"]
    mine = any(one.id == name and one.user == who.user for one in access.tokens.all())
    if not mine:
        asker(request, "admin")
    if not access.tokens.revoke(name):
        raise Problem(404, "unknown-token", "there is no such token")
    access.diary.tell(who.user, who.address, "token revoke", name, "done")
    return Response(status_code=204)


def diary(access: Access, request: Request, _: None) -> Response:
    """Logins, refusals, changes of accounts and tokens, newest first."""
    asker(request, "admin")
    limit = request.query_params.get("limit", "100")
    rows = access.diary.rows(request.query_params.get("after", ""), int(limit) if limit.isdecimal() else 100)
    return json({"rows": rows, "next": rows[-1]["position"] if rows else None})


TABLE: tuple[tuple[str, str, Handler, type | None], ...] = (
    ("GET", "/api/v1/session", look, None), ("POST", "/api/v1/session", login, Login),
    ("DELETE", "/api/v1/session", logout, None), ("POST", "/api/v1/setup", setup, Setup),
    ("GET", "/api/v1/users", users, None), ("POST", "/api/v1/users", new_user, NewUser),
    ("PATCH", "/api/v1/users/{name}", change_user, Change), ("DELETE", "/api/v1/users/{name}", remove_user, None),
    ("GET", "/api/v1/user-tokens", tokens, None), ("POST", "/api/v1/user-tokens", new_token, NewToken),
    ("DELETE", "/api/v1/user-tokens/{name}", revoke_token, None), ("GET", "/api/v1/logins", diary, None),
)  # fmt: skip
"""Method, path, what answers, and the record of its body."""


def access_routes(access: Access) -> list[Route]:
    """The routes; what answers is called in a thread, for it waits for the store and for hashes."""
    return [Route(path, _endpoint(access, handler, kind), methods=[method]) for method, path, handler, kind in TABLE]


def _endpoint(access: Access, handler: Handler, kind: type | None) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        said: Any = None
        if kind is not None:
            said = await body(request, kind, limits.BODY_BYTES)
        return await run_in_threadpool(handler, access, request, said)

    return endpoint

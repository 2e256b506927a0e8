"""The verbs of an admin: join tokens and client keys."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

from hub.ctl.tables import Column, Row, field, print_json, show, shown
from hub.ctl.text import age, duration, moment, number
from wire.client import Client
from wire.keys import ClientKey, KeyPair

TOKENS = (
    Column("TOKEN", field("id")),
    Column("KIND", field("kind")),
    Column("STATE", lambda row: standing(row)),
    Column("EXPIRES", shown("expires_at", moment)),
    Column("USES", shown("uses", number), True),
    Column("LEFT", lambda row: "any" if row.get("uses_left") is None else row["uses_left"], True),
    Column("LIVE/CAP", lambda row: f"{row.get('live', '-')}/{number(row.get('live_cap'))}", True),
    Column("LABELS", lambda row: ",".join(f"{key}={value}" for key, value in row["labels"].items()) or "-"),
    Column("BY", field("created_by")),
    Column("AGE", shown("age", age), True),
)
KEYS = (
    Column("NAME", field("subject")),
    Column("KIND", field("kind")),
    Column("ROLE", field("role")),
    Column("SCOPE", lambda row: ",".join(f"{key}={value}" for key, value in row["scope"].items()) or "-"),
    Column("PUBLIC KEY", field("public")),
    Column("AGE", shown("age", age), True),
    Column("EXPIRES", shown("expires_at", moment)),
)


def standing(token: Row) -> str:
    """What a token is good for: `valid`, or why it is not any more; by the hub's clock, which its age tells."""
    if token.get("revoked_at"):
        return "revoked"
    expires = token.get("expires_at")
    if expires and expires <= token["created_at"] + token["age"]:
        return "expired"
    return "used up" if token.get("uses_left") == 0 else "valid"


def pairs(texts: list[str]) -> dict[str, str]:
    """NAME=VALUE arguments as a map; raises ValueError."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals or not value:
            raise ValueError(f"{text!r} is no NAME=VALUE")
        found[key] = value
    return found


def token(hub: Client, options: Namespace) -> int:
    """token create | list | revoke."""
    if options.action == "list":
        show(TOKENS, list(hub.query("token.list")), options.json, "no tokens")
        return 0
    if options.action == "revoke":
        return _said(hub.query("token.revoke", id=options.id), options, f"token {options.id} revoked; its agents stay")
    kind = "service" if options.service else "relay" if options.relay else "invite"
    wanted = {"labels": pairs(options.label), "cap": options.cap, "seconds": options.seconds, "uses": options.uses}
    made = hub.query("token.create", kind=kind, **wanted)
    if options.json:
        print_json(made)
        return 0
    print(made["join"])
    until = f"until {moment(made['expires_at'])}" if made["expires_at"] else "until revoked"
    print(f"token {made['id']}: {kind}, valid {until}; keep the line above secret", file=sys.stderr)
    return 0


def keys(hub: Client, options: Namespace) -> int:
    """keys create | list | revoke | rotate."""
    if options.action == "list":
        show(KEYS, list(hub.query("key.list", all=options.all)), options.json, "no keys")
        return 0
    if options.action == "revoke":
        return _said(hub.query("key.revoke", name=options.name), options, f"key {options.name} revoked")
    return rotate(hub, options) if options.action == "rotate" else _create(hub, options)


def rotate(hub: Client, options: Namespace) -> int:
    """keys rotate: begins a change of the hub's key, or moves its end."""
    made = hub.query("key.rotate", now=True) if options.now else hub.query("key.rotate", grace=duration(options.grace))
    words = (
        f"key {made['key']} is replaced by {made['next']}; until {moment(made['until'])} the hub listens under both;\n"
        f"clients go to {made['ends']['command']} and {made['ends']['feed']} by themselves when they ask something"
    )
    return _said(made, options, words)


def _create(hub: Client, options: Namespace) -> int:
    """Makes the pair here, so that the secret never travels, and writes the key file."""
    path = Path(options.out or f"{options.name}.json")
    if path.exists():
        print(f"hubctl: {path} exists; choose another --out", file=sys.stderr)
        return 1
    if not os.access(path.parent, os.W_OK):
        print(f"hubctl: {path.parent} is not writable; choose another --out", file=sys.stderr)
        return 1
    pair = KeyPair.generate()
    made = hub.query("key.create", name=options.name, role=options.role, scope=pairs(options.scope), public=pair.public)
    ends = (made["command"], made["feed"], made["server_key"])
    ClientKey(options.name, options.role, *ends, pair.public, pair.secret).save(path)
    return _said(
        {**made, "file": str(path)}, options, f"{path}: key of {options.name}, {options.role}; use it with --key"
    )


def _said(result: object, options: Namespace, words: str) -> int:
    if options.json:
        print_json(result)
    else:
        print(words)
    return 0

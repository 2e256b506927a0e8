"""Builds the agent out of its parts; imported after the reader was forked, because this loads libzmq."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import zmq

from initd.joining import NAME, REMOTE, STATE_DIR
from initd.link import identity
from initd.link.agent import Agent
from initd.link.cgroup import Container
from initd.link.commands import ScriptCommands, open_scripts, script_endpoint
from initd.link.enrol import Enrolment, read_join
from initd.link.identity import Claim
from initd.link.leftover import Shelf
from initd.link.loop import Loop
from initd.link.membership import Keeper
from initd.link.observer import Observer, numbers_from
from initd.link.pid1 import Pid1
from initd.link.processes import Table
from initd.link.reader import Reader
from initd.sockets import socket
from wire import limits
from wire.keys import JoinString, KeyFault
from wire.messages import Register, Remote
from wire.sockets import Context

Say = Callable[[str], object]


def assemble(
    end: socket.socket, environ: Mapping[str, str], reader: Reader | None, context: Context, say: Say
) -> Agent:
    """The agent, started.  Raises Pid1Gone, TimeoutError."""
    loop, pid1 = Loop(), Pid1(end)
    hello, about = pid1.call("link.hello", {}), pid1.call("about", {})
    claim = identity.find_container(environ)
    endpoint = _serve_scripts(loop, pid1, context, environ, lambda: max(agent.session.epoch, hello["epoch"]), say)
    who = introduce(environ, hello, about, claim, endpoint)
    init = int(about["pid"])
    table = Table(root=None if about["pid1"] else init)
    observer = Observer(who.boot, init, reader, Container(), table, numbers_from(loop.now()))
    agent = Agent(loop, context, pid1, who, observer, say)
    enrolment = Enrolment(loop, context, environ, (claim, who.hostname, who.version), say, agent.enrolled)
    state_dir = environ.get(STATE_DIR, "")
    keeper = Keeper(pid1, dict(hello["kept"]), state_dir, claim.container, say)
    loop.watch(end, pid1.pump)
    agent.start(enrolment, keeper, Shelf(state_dir, claim.container), _join(environ))
    return agent


def introduce(
    environ: Mapping[str, str], hello: Mapping[str, Any], about: Mapping[str, Any], claim: Claim, endpoint: str
) -> Register:
    """Who we are, as the hub will hear it; clocks and numbers are filled in at each registration."""
    return Register(
        boot=str(hello["boot"]),
        container=claim.container,
        container_source=claim.source,
        hostname=socket.gethostname()[:255],
        addresses=identity.addresses(),
        started_at=float(hello["started_at"]),
        wall=0.0,
        mono=0.0,
        version=str(about.get("version", "unknown"))[:32],
        remote=Remote(environ.get(REMOTE, "operate")),
        labels=identity.labels(environ.get("PIDONE_LABELS", "")),
        epoch=int(hello["epoch"]),
        last_seq=int(hello["facts"]["last"]),
        first_seq=int(hello["facts"]["first"]),
        command_endpoint=endpoint,
        name=environ.get(NAME, "")[: limits.NAME_CHARS],
        pid1=bool(about["pid1"]),
    )


def _join(environ: Mapping[str, str]) -> JoinString | None:
    """The join string as it is now; Enrolment complains where there is none."""
    try:
        return read_join(environ)
    except KeyFault:
        return None


def _serve_scripts(
    loop: Loop, pid1: Pid1, context: Context, environ: Mapping[str, str], epoch: Callable[[], int], say: Say
) -> str:
    """Open the scripts' socket; without one everything else works all the same."""
    endpoint = script_endpoint(environ)
    if not endpoint:
        return ""
    try:
        ScriptCommands(loop, pid1, open_scripts(context, endpoint), epoch)
    except (zmq.ZMQError, OSError) as error:
        say(f"no socket for scripts at {endpoint}: {error}")
        return ""
    return os.fspath(endpoint)

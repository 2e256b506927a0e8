"""Event listeners and FastCGI programs: read, typed, refused as by supervisord."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from supervisor.events import EventTypes

from initd.config.pools import EVENTS
from initd.config.records import Config


def test_the_events_are_supervisords() -> None:
    assert {name for name in vars(EventTypes) if not name.startswith("_")} == EVENTS


def test_a_listener_is_typed(good: Callable[..., Config]) -> None:
    config = good(
        "[eventlistener:e]\ncommand=x\nevents=tick_5, PROCESS_STATE\nbuffer_size=20\n[program:p]\ncommand=p\n"
    )
    assert [(program.name, program.kind) for program in config.programs] == [("e", "eventlistener"), ("p", "program")]
    assert config.groups[0].priority == -1
    assert dict(config.groups[0].settings) == {
        "events": ("PROCESS_STATE", "TICK_5"),
        "buffer_size": 20,
        "result_handler": "supervisor.dispatchers:default_handler",
    }


def test_a_fastcgi_program_is_typed(good: Callable[..., Config]) -> None:
    config = good("[fcgi-program:f]\ncommand=x\nsocket=unix:///run/%(program_name)s.sock\nsocket_mode=0770\n")
    assert config.programs[0].kind == "fcgi-program"
    assert dict(config.groups[0].settings)["socket"] == "unix:///run/f.sock"


def test_a_fastcgi_program_in_a_group_is_an_ordinary_one(good: Callable[..., Config]) -> None:
    config = good("[fcgi-program:f]\ncommand=x\nsocket=tcp://h:1\n[group:g]\nprograms=f\n")
    assert [(program.group, program.kind) for program in config.programs] == [("g", "program")]


LISTENER = "[eventlistener:e]\ncommand=x\nevents=TICK_5\n"
FCGI = "[fcgi-program:f]\ncommand=x\n"


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("[eventlistener:e]\ncommand=x\n", "has no events"),
        (LISTENER + "events=PROCESS_STATE_EXITE\n", "did you mean PROCESS_STATE_EXITED?"),
        (LISTENER + "buffer_size=0\n", "1 or more"),
        (LISTENER + "redirect_stderr=true\n", "carries the protocol"),
        (FCGI, "has no socket"),
        (FCGI + "socket=unix://rel\n", "must begin with /"),
        (FCGI + "socket=http://x\n", "neither tcp://host:port nor unix:///path"),
        (FCGI + "socket=tcp://h:0\n", "neither tcp://host:port"),
        (FCGI + "socket=tcp://h:1\nsocket_mode=0700\n", "for unix:// only"),
        (FCGI + "socket=tcp://h:1\nsocket_backlog=0\n", "1 to 65535"),
    ],
)
def test_what_is_refused(errors: Callable[..., list[str]], text: str, cure: str) -> None:
    assert cure in errors(text)[0]


def test_a_socket_owner_is_asked_about_on_demand(errors: Callable[..., list[str]]) -> None:
    text = FCGI + "socket=unix:///x\nsocket_owner=ghost\n"
    assert errors(text) == []
    assert "there is no user 'ghost'" in errors(text, users=lambda name: None)[0]

from __future__ import annotations

import json
import os

import pytest

from initd.control import OPERATE
from initd.ctl import verbs
from initd.ctl.logs import HELD_CHARS, Lines
from initd.errors import DONE, FAILED
from initd.logs.verbs import VERBS
from initd.replies import Carrier, Stream
from tests.support.smallworld import SmallWorld
from tests.support.worldclient import WorldClient


@pytest.fixture
def world(monkeypatch):
    world = SmallWorld().run_all()
    world.control.extend(VERBS)
    carrier = Carrier("uid=0", world.control.may[OPERATE])
    monkeypatch.setattr(world, "ask", lambda verb, /, **args: SmallWorld.ask(world, verb, carrier, **args))
    monkeypatch.setattr(verbs, "Client", WorldClient(world))
    return world


def write(world: SmallWorld, name: str, text: bytes) -> None:
    os.write(world.kernel.alive[world.pid(name)], text)
    world.loop.settle()


def run(capsys, *argv: str) -> tuple[int, str, str]:
    code = verbs.main(list(argv))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def item(text: str, name: str = "web", stream: str = "stdout") -> dict[str, str]:
    return {"name": name, "stream": stream, "text": text}


def test_lines_are_put_together_by_stream():
    lines = Lines()
    assert lines.take(item("one\ntw")) == ["web | one"]
    assert lines.take(item("error\n", stream="stderr")) == ["web | error"]
    assert lines.take(item("o\r\n")) == ["web | two"]
    assert lines.take(item("rest")) == [] and lines.rest() == ["web | rest"] and lines.rest() == []


def test_names_stand_in_a_column():
    lines = Lines()
    assert lines.take(item("a\n", "pool:w_0")) + lines.take(item("b\n", "db")) == ["pool:w_0 | a", "db       | b"]


def test_a_line_without_end_is_not_kept_for_ever():
    assert Lines().take(item("x" * (HELD_CHARS + 1))) == ["web | " + "x" * (HELD_CHARS + 1)]


def test_names_cannot_steer_a_terminal():
    assert Lines().take(item("a\n", "\x1b[31m")) == ["\\x1b[31m | a"]


def test_logs_shows_everybody_or_who_is_named(world, capsys):
    write(world, "web", b"one\n")
    write(world, "pool:w_0", b"two\n")
    assert run(capsys, "logs") == (DONE, "web | one\npool:w_0 | two\n", "")
    assert run(capsys, "logs", "web", "--stderr")[1] == ""
    assert run(capsys, "tail", "pool:w_0", "web", "stdout")[1] == "web | one\npool:w_0 | two\n"
    assert json.loads(run(capsys, "logs", "pool:w_0", "--json")[1]) == [item("two\n", "pool:w_0")]
    assert run(capsys, "logs", "nobody")[0] == FAILED


def test_of_a_long_log_whole_lines_are_shown(world, capsys):
    write(world, "web", b"".join(b"line %03d\n" % number for number in range(100)))
    assert run(capsys, "logs", "web", "--bytes", "30")[1] == "web | line 097\nweb | line 098\nweb | line 099\n"


def test_who_follows_hears_all_of_them_until_it_leaves(world):
    answer = world.ask("logs", follow=True)
    assert isinstance(answer, Stream) and answer.items == []
    heard: list[object] = []
    stop = answer.attach(heard.append)
    write(world, "web", b"caf\xc3")
    write(world, "pool:w_0", b"x\n")
    write(world, "web", b"\xa9\n")
    stop()
    write(world, "web", b"gone\n")
    assert heard == [item("caf"), item("x\n", "pool:w_0"), item("é\n")]

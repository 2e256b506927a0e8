from __future__ import annotations

import io
import json
import os

import pytest

from initd.ctl import verbs
from initd.ctl.client import Unreachable
from initd.ctl.parser import EXAMPLES, HELP
from initd.errors import DONE, FAILED, PARTLY, UNREACHABLE, USAGE
from tests.support.smallworld import SmallWorld
from tests.support.worldclient import WorldClient


@pytest.fixture
def world(monkeypatch):
    world = SmallWorld().run_all()
    monkeypatch.setattr(verbs, "Client", WorldClient(world))
    monkeypatch.setenv("TZ", "UTC")
    return world


def run(capsys, *argv: str) -> tuple[int, str, str]:
    code = verbs.main(list(argv))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_status_is_a_table(world, capsys):
    code, out, _ = run(capsys, "status")
    lines = [line.split() for line in out.splitlines()]
    assert code == DONE and lines[0] == ["NAME", "STATE", "PID", "UPTIME", "RESTARTS", "INFO"]
    assert lines[1] == ["web", "RUNNING", "101", "2.0s", "0"] and lines[3] == ["pool:w_1", "STOPPED", "-", "-", "0"]


def test_status_in_json_is_what_initd_says(world, capsys):
    code, out, _ = run(capsys, "status", "web", "--json")
    [row] = json.loads(out)
    assert code == DONE and (row["full_name"], row["state"], row["pid"]) == ("web", "RUNNING", 101)


def test_what_is_down_says_why_and_since_when(world, capsys, monkeypatch):
    run(capsys, "stop", "web")
    monkeypatch.setattr(verbs.time, "time", lambda: 5000.0 + 72)
    assert run(capsys, "status", "web")[1].endswith("killed by SIGTERM, 1m12s ago\n")


def test_dropped_output_is_shown(world, capsys):
    world.output._channel("web", "stdout").origin.dropped = 77
    assert "77 bytes of output dropped" in run(capsys, "status", "web")[1]


def test_start_waits_until_it_runs(world, capsys):
    code, out, _ = run(capsys, "start", "pool:w_1")
    assert (code, out) == (DONE, f"pool:w_1 is RUNNING (pid {world.pid('pool:w_1')})\n")


def test_start_without_wait_returns_at_once(world, capsys):
    assert run(capsys, "start", "pool:w_1", "--wait", "0")[1].startswith("pool:w_1 is STARTING")


def test_stop_tells_what_stopped(world, capsys):
    code, out, _ = run(capsys, "stop", "all")
    assert code == DONE and out.splitlines() == [f"{name} is STOPPED" for name in ("web", "pool:w_0", "pool:w_1")]


def test_a_stop_that_takes_too_long_fails_and_says_that_the_wish_stands(world, capsys):
    world.kernel.stubborn.add(world.pid())
    code, out, err = run(capsys, "stop", "web", "--wait", "1")
    assert (code, out) == (FAILED, "") and "web is STOPPING" in err and "the wish stands" in err


def test_partly_done_has_a_status_of_its_own(world, capsys):
    world.kernel.stubborn.add(world.pid())
    assert run(capsys, "stop", "all", "--wait", "1")[0] == PARTLY


def test_a_start_that_fails_gives_the_reason(world, capsys):
    world.kernel.refuse = "/bin/web"
    code, _, err = run(capsys, "start", "pool:w_1")
    assert code == FAILED and "FATAL" in err and "No such file" in err


def test_commands_in_json_keep_stdout_pure(world, capsys):
    world.kernel.stubborn.add(world.pid())
    code, out, err = run(capsys, "stop", "all", "--wait", "1", "--json")
    assert code == PARTLY and json.loads(out)["outcome"] == "partly" and "web" in err


def test_signal_says_who_got_it(world, capsys):
    assert run(capsys, "signal", "HUP", "web")[:2] == (DONE, "web (pid 101) got HUP\n")


def test_tail_prints_what_was_written(world, capsys):
    os.write(world.kernel.alive[world.pid()], b"one\n\x1b[31mtwo\nthree\n")
    world.loop.settle()
    assert run(capsys, "tail", "web")[1] == "one\n\x1b[31mtwo\nthree\n"
    assert run(capsys, "tail", "web", "-n", "1")[1] == "three\n"
    assert run(capsys, "tail", "web", "stderr")[1] == ""
    assert json.loads(run(capsys, "tail", "web", "--json")[1])["stream"] == "stdout"


def test_more_bytes_than_a_ring_holds_means_all(world, capsys):
    assert run(capsys, "tail", "web", "--bytes", "999999999")[0] == DONE


def test_a_locale_without_the_characters_is_survived(world, monkeypatch):
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr("sys.stdout", latin)
    os.write(world.kernel.alive[world.pid()], "snow ☃\n".encode())
    world.loop.settle()
    assert verbs.main(["tail", "web"]) == DONE
    assert latin.buffer.getvalue() == b"snow \\u2603\n"


def test_tail_on_a_terminal_is_harmless(world, capsys, monkeypatch):
    os.write(world.kernel.alive[world.pid()], b"\x1b[31mred\r\n")
    world.loop.settle()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert run(capsys, "tail", "web")[1] == "\\x1b[31mred\n"
    assert run(capsys, "tail", "web", "--raw")[1] == "\x1b[31mred\r\n"


def test_tail_follows(world, capsys):
    os.write(world.kernel.alive[world.pid()], b"one\ntwo\n")
    world.loop.settle()
    code, out, err = run(capsys, "tail", "web", "-f", "-n", "1")
    assert (code, out) == (DONE, "two\n") and "5 pieces were left out" in err


def test_events_are_lines_of_time_number_and_text(world, capsys):
    run(capsys, "stop", "web")
    lines = run(capsys, "events", "web")[1].splitlines()
    assert "web  STARTING -> RUNNING (pid 101)" in lines[1]
    assert "web  ended: SIGTERM (pid 101) after 2.0s, stopped by uid=0" in lines[3]
    assert lines[4].endswith("STOPPING -> STOPPED: killed by SIGTERM, by uid=0")


def test_events_follow_in_json_lines(world, capsys):
    out = run(capsys, "events", "--follow", "--json")[1].splitlines()
    assert [json.loads(line).get("seq") for line in out] == [1, 2, 3, 4, None] and json.loads(out[-1]) == {"gap": 5}


def test_exits_are_a_table_and_show_output_on_demand(world, capsys):
    os.write(world.kernel.alive[world.pid()], b"last \x1bwords\n")
    world.kernel.die(world.pid(), 3)
    world.pass_time(0)
    assert run(capsys, "exits")[1].splitlines()[1].split()[2:] == ["web", "101", "2.0s", "exit", "3", "not", "expected"]
    assert "    | last \\x1bwords" in run(capsys, "exits", "--output")[1]


def test_a_start_failure_among_exits_names_step_and_reason(world, capsys):
    world.kernel.refuse = "/bin/web"
    run(capsys, "start", "pool:w_1")
    assert "did not start: exec: /bin/web: No such file or directory" in run(capsys, "exits", "pool:*")[1]


def test_healthy_is_a_status(world, capsys):
    assert run(capsys, "healthy")[:2] == (DONE, "healthy\n")
    run(capsys, "stop", "web")
    assert run(capsys, "healthy")[:2] == (FAILED, "not healthy: web STOPPED\n")
    assert json.loads(run(capsys, "healthy", "--json")[1])["ill"][0]["name"] == "web"


def test_healthy_may_look_at_essential_programs_alone(world, capsys):
    run(capsys, "stop", "web")
    assert run(capsys, "healthy", "--essential")[:2] == (DONE, "healthy\n")


def test_shutdown_can_wait_for_the_end(world, capsys):
    assert run(capsys, "shutdown", "--wait", "30")[:2] == (DONE, "initd is gone\n")


def test_shutdown_returns_at_once_otherwise(world, capsys):
    assert "stopping everything" in run(capsys, "shutdown")[1]


def test_an_unknown_name_fails_with_a_hint(world, capsys):
    code, out, err = run(capsys, "stop", "nope")
    assert (code, out) == (FAILED, "") and "nope" in err and "status lists" in err


def test_errors_in_json_are_json(world, capsys):
    out = run(capsys, "stop", "nope", "--json")[1]
    assert json.loads(out)["error"]["code"] == "unknown-program"


def unreachable(*_: object) -> None:
    raise Unreachable("cannot reach initd; tried /run/initd/control.sock: No such file or directory")


@pytest.mark.parametrize("verb", sorted(set(HELP) - {"healthy"}))
def test_unreachable_is_3_for_every_verb(monkeypatch, capsys, verb):
    monkeypatch.setattr(verbs, "Client", unreachable)
    special = {"signal": ["HUP", "web"], "scale": ["web", "2"], "metrics": [], "shutdown": []}
    names = special.get(verb, ["web"])
    code, _, err = run(capsys, verb, *names)
    assert code == UNREACHABLE and "/run/initd/control.sock" in err


@pytest.mark.parametrize("argv", [["healthy"], ["healthy", "--nonsense"]])
def test_healthy_knows_only_0_and_1(monkeypatch, capsys, argv):
    monkeypatch.setattr(verbs, "Client", unreachable)
    assert run(capsys, *argv)[0] == FAILED


@pytest.mark.parametrize(
    "argv", [["start"], ["stop", "web", "--wait", "x"], ["stop", "web", "--wait", "-1"], ["tail", "web", "--both"],
             ["signal", "HUP"], ["events", "--limit", "-1"], ["shutdown", "web"], ["status", "--what"]]
)  # fmt: skip
def test_usage_errors_are_2(capsys, argv):
    code, out, err = run(capsys, *argv)
    assert (code, out) == (USAGE, "") and "usage: initd" in err


@pytest.mark.parametrize("verb", HELP)
def test_help_has_examples_and_statuses(capsys, verb):
    code, out, _ = run(capsys, verb, "--help")
    assert code == DONE and "exit status:" in out and all(example in out for example in EXAMPLES[verb])


def test_every_example_is_a_command_line_that_parses():
    from initd.ctl.parser import make_parser

    for verb, examples in EXAMPLES.items():
        for example in examples:
            words = example.split("  ")[0].split("|")[0].split()
            if words[0] == "initd":
                assert make_parser().parse_args(words[1:]).verb == verb


def test_a_reader_that_leaves_is_no_error(world, monkeypatch):
    def broken(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(verbs, "print", broken, raising=False)
    kept = os.dup(1)
    try:
        assert verbs.main(["status"]) == DONE
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("exit status 1", "exit status 1, 1m12s ago"),
        ("waits for db:ready", "waits for db:ready, for 1m12s"),
        (
            "exit status 0; next run 2026-01-02 03:04:05 UTC",
            "exit status 0, 1m12s ago, next run 2026-01-02 03:04:05 UTC",
        ),
        ("next run 2026-01-02 03:04:05 UTC", "next run 2026-01-02 03:04:05 UTC"),
    ],
)
def test_the_age_stands_behind_what_it_is_the_age_of(why, shown):
    row = {"why": why, "since": 100.0, "pid": None, "dropped": 0}
    assert verbs._info(row, 172.0) == shown


def test_the_next_try_is_told():
    row = {"why": "exit status 1", "since": 100.0, "pid": None, "dropped": 0, "next_try": 192.0}
    assert verbs._info(row, 172.0) == "exit status 1, 1m12s ago, next try in 20s"

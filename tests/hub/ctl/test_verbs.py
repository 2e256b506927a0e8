"""hubctl against a running hub: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.ctl.verbs import main
from tests.support.liveagent import LiveAgent
from tests.support.livehub import ROOT, LiveHub
from wire.keys import ClientKey, JoinString, KeyPair

Run = Callable[..., int]
Out = pytest.CaptureFixture[str]


def test_agents_shows_name_presence_and_age(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("agents") == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["NAME", "AGENT", "PRESENCE"] and "AGE" in head
    assert row.split()[0] == "shop" and "live" in row and "2/2" in row


def test_ps_json_is_one_array_with_an_age_in_every_row(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("ps", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["process"] for row in rows] == ["web", "worker"]
    assert all(row["age"] >= 0 and row["cpu"] is None for row in rows)


def test_ps_of_a_target(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("ps", "shop/w?b") == 0
    assert "worker" not in capsys.readouterr().out


def test_restart_waits_and_says_done(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("restart", "shop/web") == 0
    assert "done" in capsys.readouterr().out


def test_signal_names_the_signal(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("--json", "signal", "HUP", "shop/web") == 0
    (command,) = json.loads(capsys.readouterr().out)["commands"]
    assert command["args"]["signal"] == "HUP"


def test_the_same_id_is_carried_out_once(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("restart", "shop/web", "--id", "once", "--json") == 0
    assert hubctl("restart", "shop/web", "--id", "once", "--json") == 0
    assert '"repeated": true' in capsys.readouterr().out


def test_a_command_without_target_is_usage(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("stop") == 2
    assert "no target is given" in capsys.readouterr().err


def test_an_unknown_program_fails_with_what_is_known(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("stop", "shop/nope") == 1
    assert "no program matches 'shop/nope' (known there: web, worker)" in capsys.readouterr().err


def test_a_command_nobody_answers_fails(hubctl: Run, hub: LiveHub, shop: LiveAgent, capsys: Out) -> None:
    assert hubctl("start", "--container", "nope") == 1
    assert "no container is called 'nope'" in capsys.readouterr().err


def test_audit_tells_who_asked(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    hubctl("restart", "shop/worker", "--id", "seen-in-audit")
    capsys.readouterr()
    assert hubctl("audit") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "seen-in-audit" in line]
    assert len(lines) == 2 and all("admin" in line and "127.0.0.1" in line for line in lines)


def test_token_create_prints_only_the_join_string_on_stdout(hubctl: Run, capsys: Out) -> None:
    assert hubctl("token", "create", "--service", "--label", "team=blue") == 0
    out = capsys.readouterr().out
    assert JoinString.parse(out).hubs and out.count("\n") == 1


def test_a_revoked_token_is_listed_as_such(hubctl: Run, capsys: Out) -> None:
    hubctl("token", "create", "--json")
    made = json.loads(capsys.readouterr().out)
    assert hubctl("token", "revoke", made["id"]) == 0
    assert hubctl("token", "list") == 0
    assert any(made["id"] in line and "revoked" in line for line in capsys.readouterr().out.splitlines())


def test_keys_create_makes_a_file_that_works(hubctl: Run, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "eve.json"
    assert hubctl("keys", "create", "eve", "--out", str(path)) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert hubctl("--key", str(path), "agents") == 0
    assert hubctl("--key", str(path), "token", "list") == 1
    assert "needs role admin" in capsys.readouterr().err


def test_a_revoked_key_cannot_reach_the_hub(hubctl: Run, tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "bob.json"
    hubctl("keys", "create", "bob", "--out", str(path))
    assert hubctl("keys", "revoke", "bob") == 0
    assert hubctl("--key", str(path), "agents") == 3
    assert "refused this key" in capsys.readouterr().err


def test_an_unreachable_hub_is_3(tmp_path: Path, hubctl: Run, capsys: Out) -> None:
    pair, server = KeyPair.generate(), KeyPair.generate().public
    path = tmp_path / "key.json"
    ClientKey("x", "admin", "127.0.0.1:9", "127.0.0.1:9", server, pair.public, pair.secret).save(path)
    assert hubctl("--key", str(path), "--timeout", "0.5", "agents") == 3
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_without_a_key_it_says_where_it_looked(hubctl: Run, tmp_path: Path, capsys: Out) -> None:
    assert hubctl("--key", str(tmp_path / "nope.json"), "agents") == 2
    assert "nope.json" in capsys.readouterr().err


def test_help_has_examples(capsys: Out, hubctl: Run) -> None:
    with pytest.raises(SystemExit) as ended:
        hubctl("--help")
    assert ended.value.code == 0 and "hubctl restart shop-1/gunicorn" in capsys.readouterr().out


def test_the_installed_command_runs_isolated(hub: LiveHub, shop: LiveAgent, tmp_path: Path) -> None:
    (tmp_path / "hub.py").write_text("raise SystemExit('the wrong hub')")
    key = str(hub.folder / "state" / "client" / "admin.json")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    argv = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub.ctl", "--key", key, "agents", "--json"]
    done = subprocess.run(argv, capture_output=True, cwd=tmp_path, env=environ, timeout=60, check=True)
    assert json.loads(done.stdout)[0]["name"] == "shop"


def test_a_reader_that_has_enough_is_no_error(hub: LiveHub, shop: LiveAgent) -> None:
    key = str(hub.folder / "state" / "client" / "admin.json")
    argv = [sys.executable, "-I", str(ROOT / "initd" / "prefix.py"), "hub.ctl", "--key", key, "agents", "--json"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(argv, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert done.stderr == b"" and done.returncode == 1


def test_about_is_one_value_a_line(hubctl: Run, capsys: Out) -> None:
    assert hubctl("about") == 0
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert (
        lines["store.backend"] == "embedded"
        and lines["key.role"] == "admin"
        and float(lines["store.tiers.0.size"]) >= 0
    )


def test_a_word_that_a_verb_does_not_know_is_refused_with_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    for words, place in ((["ps", "--foo"], "ps"), (["store", "export", "a", "b"], "store export")):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2 and f"see hubctl {place} --help" in capsys.readouterr().err

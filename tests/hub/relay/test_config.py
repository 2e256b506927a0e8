"""The relay's configuration and what it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.ini import ConfigError
from hub.relay.config import parse, read_join
from hub.relay.daemon import allowed, main
from hub.relay.guard import ALL_VERBS
from hub.relay.membership import Keeper, Membership
from wire.keys import JoinString, KeyFault, KeyPair
from wire.messages import HubAddress

KEY = KeyPair.generate()
JOIN = JoinString(("h:7403",), KEY.public, "t1", b"s" * 32)
ENVIRON = {"PIDONE_JOIN": JOIN.format()}
EXAMPLE = Path(__file__).resolve().parents[3] / "conf" / "relay.ini"


def test_defaults_allow_the_six_verbs() -> None:
    config = parse("x", "", ENVIRON)
    assert (config.rules.verbs, config.state_dir, config.mode) == (ALL_VERBS, "/var/lib/pidone-relay", "auto")
    assert config.engine.startswith("unix:///") and "KILL" in config.rules.signals


def test_none_only_looks() -> None:
    config = parse("x", "[relay]\nverbs = none\nsignals = SIGTERM, hup\nengine = unix:///p.sock\n", ENVIRON)
    assert (config.rules.verbs, config.rules.signals) == (frozenset(), {"TERM", "HUP"})
    assert allowed(config) == "a hub may look only containers of unix:///p.sock"


def test_all_problems_are_told_with_their_lines() -> None:
    text = (
        "[relay]\nverbs = exec\nsignals = SEGV\nengine = tcp://h:1\nmode = x\nfoo = 1\njoin_file = /nowhere\n[hubd]\n"
    )
    with pytest.raises(ConfigError) as error:
        parse("r.ini", text, {})
    lines = str(error.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"r.ini:{n}" for n in (2, 3, 4, 5, 6, 7, 8)]


def test_without_a_join_string_the_cure_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIDONE_JOIN", raising=False)
    monkeypatch.delenv("PIDONE_JOIN_FILE", raising=False)
    assert main(["--relay", "--check"]) == 2
    assert "hubctl token create --relay" in capsys.readouterr().err


def test_the_example_is_what_the_defaults_are(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    assert parse("x", text, ENVIRON) == parse("x", "", ENVIRON)
    live = "\n".join(line[1:] if line.startswith("#") and " = " in line else line for line in text.splitlines())
    (tmp_path / "join").write_text(JOIN.format())
    assert (
        parse("x", live.replace("/etc/pidone/join", str(tmp_path / "join")), {}).rules == parse("x", "", ENVIRON).rules
    )


def test_the_join_string_is_read_anew_and_faults_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "join"
    path.write_text(JOIN.format() + "\n")
    config = parse("x", f"[relay]\njoin_file = {path}\n", {})
    assert read_join(config) == JOIN
    path.write_text("pidone1.broken")
    with pytest.raises(KeyFault, match=str(path)):
        read_join(config)
    path.unlink()
    with pytest.raises(KeyFault, match="No such file"):
        read_join(config)


def test_what_it_is_survives_a_restart_for_the_same_token_only(tmp_path: Path) -> None:
    said: list[str] = []
    keeper = Keeper(str(tmp_path / "state"), said.append)
    member = Membership(KeyPair.generate(), "relay.vm", (HubAddress("h:1", "h:2", "h:3", KEY.public),), 7)
    assert keeper.load(JOIN) is None
    keeper.save(member, JOIN)
    assert keeper.load(JOIN) == member and not said
    assert (tmp_path / "state/relay.json").stat().st_mode & 0o777 == 0o600
    assert keeper.load(JOIN._replace(token="t2")) is None
    (tmp_path / "state/relay.json").write_bytes(b'{"v": 1, "token": []}\xff')
    assert keeper.load(JOIN) is None


def test_a_directory_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    keeper = Keeper(str(tmp_path / "file" / "state"), said.append)
    for _ in range(2):
        keeper.save(Membership(KEY, "relay.vm", ()), JOIN)
    assert len(said) == 1 and "in memory only" in said[0]

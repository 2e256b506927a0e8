"""hubctl alerts and hubctl silence, against a running hub with real sinks, and without any."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.ctl.verbs import main
from tests.support.liveagent import LiveAgent, joined
from tests.support.livehub import LiveHub
from tests.support.sinkserver import HANG, SinkServer
from tests.support.waiting import until
from wire.model import Fact, FactKind, State, StateChange

Out = pytest.CaptureFixture[str]
CONF = Path(__file__).resolve().parents[3] / "conf" / "alerts.ini"


@pytest.fixture(scope="module")
def sinks() -> Iterator[dict[str, SinkServer]]:
    servers = {"good": SinkServer(200), "hangs": SinkServer(HANG)}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="module")
def alerting(tmp_path_factory: pytest.TempPathFactory, sinks: dict[str, SinkServer]) -> Iterator[LiveHub]:
    """A hub that tells two sinks."""
    folder = tmp_path_factory.mktemp("alerting")
    text = "".join(f"[sink:{name}]\nurl = {server.url}\ntimeout = 1s\n" for name, server in sinks.items())
    (folder / "alerts.ini").write_text(text)
    hub = LiveHub(folder, period=0.5, more=f"alerts = {folder}/alerts.ini\n")
    yield hub.start()
    hub.stop()


@pytest.fixture(autouse=True)
def key(alerting: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIDONE_CLIENT_KEY", str(alerting.folder / "state" / "client" / "admin.json"))


@pytest.fixture(scope="module")
def shop(alerting: LiveHub) -> Iterator[LiveAgent]:
    agent = joined(alerting.join(), "shop", "web")
    agent.live()
    yield agent
    agent.close()


def fatal(agent: LiveAgent) -> None:
    seq = len(agent.facts) + 1
    body = StateChange("web", "web", State.FATAL, State.BACKOFF, None, "exited too quickly", "")
    agent.tell(Fact(seq, time.time(), time.monotonic(), FactKind.STATE, body))


def test_an_alert_is_shown_and_told_while_another_sink_hangs(
    alerting: LiveHub, shop: LiveAgent, sinks: dict[str, SinkServer], capsys: Out
) -> None:
    assert main(["alerts"]) == 0 and capsys.readouterr().out == "nothing is wrong\n"
    fatal(shop)
    until(lambda: alerting.client.query("alerts"))
    assert main(["alerts"]) == 0 and "shop/web is FATAL" in capsys.readouterr().out
    until(lambda: sinks["good"].got, 60)
    body = sinks["good"].got[0][2]
    assert (body["rule"], body["state"], body["firing"][0]["names"]["agent"]) == ("program-fatal", "firing", "shop")
    began = time.monotonic()
    alerting.client.about()
    assert time.monotonic() - began < 2.0


def test_the_sinks_are_tested(alerting: LiveHub, capsys: Out) -> None:
    assert main(["alerts", "test", "--json"]) == 4
    rows = json.loads(capsys.readouterr().out)
    assert [(row["sink"], row["ok"], row["detail"]) for row in rows] == [
        ("good", True, "HTTP 200"), ("hangs", False, "no answer in time"),
    ]  # fmt: skip


def test_a_silence_is_made_listed_and_ended(alerting: LiveHub, shop: LiveAgent, capsys: Out) -> None:
    fatal(shop)
    until(lambda: alerting.client.query("alerts"))
    assert main(["silence", "shop/web", "--for", "2h", "--reason", "new disk"]) == 0
    said = capsys.readouterr().out
    assert "of shop/web: until 2h from now; it hides 1 alert\n" in said
    assert main(["alerts"]) == 0 and "nothing is wrong" in capsys.readouterr().out
    assert main(["alerts", "--all"]) == 0 and "silenced" in capsys.readouterr().out
    assert main(["silence", "list"]) == 0 and "new disk" in capsys.readouterr().out
    assert main(["silence", "end", said.split()[1]]) == 0 and "it hid" in capsys.readouterr().out
    assert main(["silence", "list", "--json"]) == 0 and json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    "argv",
    [
        ["silence", "shop"], ["silence", "end"], ["silence", "a", "b", "--for", "1h", "--reason", "x"],
        ["silence", "a=", "--for", "1h", "--reason", "x"], ["silence", "a", "--for", "1y", "--reason", "x"],
        ["alerts", "check"], ["alerts", "test", "x"],
    ],
)  # fmt: skip
def test_what_is_typed_wrong_is_usage(argv: list[str], capsys: Out) -> None:
    assert main(argv) == 2 and capsys.readouterr().err.startswith("hubctl: ")


def test_a_file_is_checked_without_a_hub(tmp_path: Path, capsys: Out) -> None:
    assert main(["--key", "/none", "alerts", "check", str(CONF)]) == 0
    assert "rules agent-lost, program-fatal" in capsys.readouterr().out
    (tmp_path / "bad.ini").write_text("[alert:x]\nif = cpu > lots\n")
    assert main(["alerts", "check", str(tmp_path / "bad.ini")]) == 2
    assert f"{tmp_path}/bad.ini:2: if: 'lots' is no value of cpu; write 1.5 or 150%" in capsys.readouterr().err


def test_hubd_checks_the_file_too(tmp_path: Path, capsys: Out) -> None:
    from hub.daemon import main as hubd

    (tmp_path / "bad.ini").write_text("[alert:x]\n")
    (tmp_path / "hub.ini").write_text(f"[hubd]\nalerts = {tmp_path}/bad.ini\n")
    assert hubd(["-c", str(tmp_path / "hub.ini"), "--check"]) == 2
    assert "bad.ini:1: [alert:x] needs either" in capsys.readouterr().err

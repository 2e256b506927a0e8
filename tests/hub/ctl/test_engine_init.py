"""`hubctl engine init`: what it writes, for whom it is readable, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.config import parse
from hub.ctl import engine, pki
from hub.ctl.verbs import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The directory of one engine."""
    assert (
        main(["engine", "init", "10.0.0.2", "--name", "web-1", "--also", "web-1.example", "--out", str(tmp_path / "e")])
        == 0
    )
    return tmp_path / "e"


def shown(path: Path, *words: str) -> str:
    return subprocess.run(
        ["openssl", "x509", "-noout", *words, "-in", path], capture_output=True, text=True, check=True
    ).stdout


def verifies(made: Path, purpose: str, path: str) -> bool:
    ca = made / "authority/ca.pem"
    run = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", ca, "-purpose", purpose, made / path], capture_output=True
    )
    return run.returncode == 0


def test_the_certificates_are_what_they_should_be(made: Path) -> None:
    assert verifies(made, "sslserver", "host/server.pem") and verifies(made, "sslclient", "hub/client.pem")
    assert not verifies(made, "sslserver", "hub/client.pem") and not verifies(made, "sslclient", "host/server.pem")
    names = shown(made / "host/server.pem", "-ext", "subjectAltName")
    assert "IP Address:10.0.0.2" in names and "DNS:web-1.example" in names
    assert "CA:TRUE, pathlen:0" in shown(made / "authority/ca.pem", "-ext", "basicConstraints")


def test_secrets_are_readable_for_their_owner_only(made: Path) -> None:
    modes = {str(path.relative_to(made)): path.stat().st_mode & 0o777 for path in made.rglob("*")}
    assert {name: mode for name, mode in modes.items() if "key" in name and mode != 0o600} == {}
    assert {modes[part] for part in ("authority", "host", "hub")} == {0o700}
    assert made.stat().st_mode & 0o777 == 0o700
    assert not [name for name in modes if ".making" in name or "request" in name]


def test_neither_side_gets_the_authoritys_key_or_the_others(made: Path) -> None:
    assert {p.name for p in (made / "hub").iterdir()} == {"ca.pem", "client.pem", "client-key.pem", "engine.ini"}
    host = {"ca.pem", "server.pem", "server-key.pem", "daemon.json", "docker-pidone.conf", "install.sh"}
    assert {p.name for p in (made / "host").iterdir()} == host


def test_the_hubs_section_is_one_that_hubd_takes(made: Path) -> None:
    (one,) = parse("x", (made / "hub/engine.ini").read_text(), lambda path: True).engines
    assert (one.name, one.url, one.tls_key) == (
        "web-1",
        "tcp://10.0.0.2:2376",
        "/etc/pidone/engines/web-1/client-key.pem",
    )


def test_ipv6_goes_into_brackets() -> None:
    (one,) = parse("x", engine.section("v6", "fd00::7", 2376), lambda path: True).engines
    assert one.url == "tcp://[fd00::7]:2376"
    assert engine.daemon_json("fd00::7", 2376)["hosts"][1] == "tcp://[::]:2376"


def test_nothing_is_overwritten(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*.*")}
    assert main(["engine", "init", "10.0.0.2", "--out", str(made)]) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in made.rglob("*.*")} == before


def test_renewing_keeps_the_authority(made: Path) -> None:
    authority, old = (made / "authority/ca.pem").read_bytes(), (made / "host/server.pem").read_bytes()
    assert main(["engine", "init", "10.0.0.2", "--name", "web-1", "--out", str(made), "--renew", "--days", "30"]) == 0
    assert (made / "authority/ca.pem").read_bytes() == authority
    assert (made / "host/server.pem").read_bytes() != old
    assert verifies(made, "sslserver", "host/server.pem") and verifies(made, "sslclient", "hub/client.pem")


def test_renewing_needs_an_earlier_init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "init", "h", "--out", str(tmp_path), "--renew"]) == 1
    assert "ca-key.pem is not there" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["a b", "-x", "x/../y", "a,IP:1.2.3.4", "x\nCN=evil", "", "a" * 300])
def test_a_host_that_is_none_is_refused_before_anything_is_written(tmp_path: Path, host: str) -> None:
    out = tmp_path / "e"
    with pytest.raises(ValueError):
        pki.alternative(host)
    words = [sys.executable, "-m", "hub.ctl", "engine", "init", "--name", "e", "--out", str(out), "--", host]
    assert subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 2
    assert not out.exists()


def test_json_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "init", "h1", "--out", str(tmp_path / "e"), "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["engine"], told["renewed"], "[engine:h1]" in told["section"]) == ("h1", False, True)


def test_what_openssl_cannot_do_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pki.PkiFault, match="apt-get install openssl"):
        pki.openssl("version")
    assert main(["engine", "init", "h1", "--out", str(tmp_path / "e")]) == 1
    assert not (tmp_path / "e").exists()

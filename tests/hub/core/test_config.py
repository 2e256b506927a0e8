"""hubd's configuration: every problem at once, as file:line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import Config, ConfigError, load, parse
from hub.daemon import main, open_store
from hub.store.rows import Retention

CONF = Path(__file__).resolve().parents[3] / "conf" / "hubd.ini"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse("hub.ini", text)
    return str(error.value).splitlines()


def test_defaults_are_complete() -> None:
    config = load(None, lambda path: False)
    assert (config.port_command, config.port_feed, config.period, config.sample_budget) == (7401, 7405, 2.0, 1 << 30)
    assert config.advertise and config.engines == ()


def test_without_a_file_the_engine_of_this_machine_is_watched_if_it_is_there() -> None:
    assert [engine.url for engine in load(None, lambda path: True).engines] == ["unix:///var/run/docker.sock"]
    assert load(None, lambda path: False).engines == ()


def test_the_example_file_is_the_defaults() -> None:
    assert load(str(CONF)) == load(None, lambda path: False)


def test_every_option_of_the_example_can_be_switched_on() -> None:
    text = "".join(line.removeprefix("#") for line in CONF.read_text().splitlines(True) if not line.startswith("# "))
    assert [engine.name for engine in parse("x", text, exists=lambda path: True).engines] == ["local", "remote"]


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    hubd = "[hubd]\nperiod = soon\nport_enrol = 99999\ncolour = red\n"
    found = problems(hubd + "[shop]\nx\n[engine:a]\nurl = http://x\n[store]\nkeep_raw = 1s\n")
    assert [int(line.split(":")[1]) for line in found] == [2, 3, 4, 5, 6, 8, 10]
    for number, word in ((2, "period"), (3, "port_enrol"), (4, "colour"), (5, "[shop]"), (8, "url"), (10, "keep_raw")):
        assert any(line.startswith(f"hub.ini:{number}: ") and word in line for line in found), (number, word)


def test_each_tier_of_samples_has_its_own_time() -> None:
    config = parse("x", "[store]\nkeep_raw = 1h\nkeep_1min = 12h\nkeep_10min = 2d\nkeep_1h = 3d\nkeep_facts = 5d\n")
    assert [config.keep_raw, config.keep_1min, config.keep_10min, config.keep_1h] == [3600, 43200, 172800, 259200]
    assert (config.keep_facts, config.keep_audit) == (5 * 86400, 365 * 86400)


def test_a_coarser_tier_is_kept_at_least_as_long_as_the_finer() -> None:
    assert problems("[store]\nkeep_raw = 2d\n") == ["hub.ini:2: keep_1min (24h) must not be below keep_raw (2d)"]
    assert problems("[store]\nkeep_1min = 40d\nkeep_10min = 39d\n")[0].startswith("hub.ini:3: keep_10min (39d)")


def test_the_store_gets_the_times_of_the_configuration(tmp_path: Path) -> None:
    text = f"[hubd]\nstate_dir = {tmp_path}\n[store]\nkeep_raw = 1h\nkeep_1min = 12h\nkeep_10min = 2d\nkeep_1h = 3d\n"
    store = open_store(parse("x", text + "keep_facts = 5d\nkeep_audit = 6d\n"))
    store.close(0.0)
    assert store.retention == Retention(3600, 12 * 3600, 2 * 86400, 3 * 86400, 5 * 86400, 6 * 86400)


def test_engines_need_an_address_and_all_of_their_certificates() -> None:
    assert "together" in problems("[engine:a]\nurl = tcp://127.0.0.1:2375\ntls_ca = /etc/passwd\n")[0]
    assert "hub.ini:3: tls_ca: no file /none" in problems("[engine:a]\nurl = tcp://h:2376\ntls_ca = /none\n")
    assert problems("[engine:a]\nurl = ftp://h\n")[0].startswith("hub.ini:2: url")
    assert "url" in problems("[engine:a]\n")[0]


def test_a_remote_engine_without_certificates_is_refused() -> None:
    assert problems("[engine:a]\nurl = tcp://10.0.0.1:2375\n")[0].startswith("hub.ini:2: ")


def test_equal_ports_and_doubled_words_are_found() -> None:
    assert "two ports" in problems("[hubd]\nport_feed = 7404\n")[0]
    assert "second time" in problems("[hubd]\nperiod = 1\nperiod = 2\n")[0]
    assert "second time" in problems("[hubd]\n[hubd]\n")[0]


@given(st.text("[]=#;:ab1\n ", max_size=60))
def test_any_text_is_read_or_refused_with_lines(text: str) -> None:
    try:
        assert isinstance(parse("f", text), Config)
    except ConfigError as error:
        assert all(line.split(":")[1].isdigit() for line in str(error).splitlines())


def test_hubd_exits_2_and_starts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hub.ini"
    path.write_text("[hubd]\nstate_dir = \n")
    assert main(["-c", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"{path}:2: state_dir")
    assert main(["-c", str(tmp_path / "none.ini")]) == 2


def test_check_says_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", str(CONF), "--check"]) == 0 and "fine" in capsys.readouterr().out


def test_metrics_have_an_address_and_whole_files(tmp_path: Path) -> None:
    assert parse("x", "[hubd]\nmetrics = 127.0.0.1:9464\n").metrics == ("127.0.0.1", 9464)
    assert parse("x", "[hubd]\nmetrics = [::1]:9464\n").metrics == ("::1", 9464)
    (tmp_path / "f").write_text("x")
    file = tmp_path / "f"
    for text, words in (
        ("metrics = 9464", "no HOST:PORT"),
        ("metrics_token_file = /none", "no file /none"),
        (f"metrics_token_file = {file}", "needs metrics = HOST:PORT"),
        (f"metrics = h:1\nmetrics_cert = {file}", "need each other"),
        (f"metrics = h:1\nmetrics_client_ca = {file}", "needs metrics_cert"),
        ("alerts = /none", "no file /none"),
    ):
        assert any(words in line for line in problems(f"[hubd]\n{text}\n")), text

"""Where the join string comes from, and what link is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from initd.config import load
from initd.config.records import Config
from initd.joining import SECRET_FILE, join_source, link_environment


@pytest.mark.parametrize(
    ("join_file", "environ", "mounted", "source"),
    [
        (None, {}, False, None),
        (None, {"PIDONE_JOIN": ""}, False, None),
        (None, {"PIDONE_JOIN": "text"}, False, ("PIDONE_JOIN", "text")),
        (None, {"PIDONE_JOIN": "text"}, True, ("PIDONE_JOIN_FILE", SECRET_FILE)),
        (None, {"PIDONE_JOIN": "text", "PIDONE_JOIN_FILE": "/f"}, True, ("PIDONE_JOIN_FILE", "/f")),
        ("/ini", {"PIDONE_JOIN": "text", "PIDONE_JOIN_FILE": "/f"}, True, ("PIDONE_JOIN_FILE", "/ini")),
    ],
)
def test_the_order_of_sources(
    join_file: str | None, environ: dict[str, str], mounted: bool, source: tuple[str, str] | None
) -> None:
    assert join_source(join_file, environ, lambda path: mounted and path == SECRET_FILE) == source


def config(folder: Path, text: str) -> Config:
    path = folder / "a.ini"
    path.write_text(text)
    loaded = load(str(path), {})
    assert loaded.config is not None, loaded.errors
    return loaded.config


def test_without_a_source_there_is_no_link(tmp_path: Path) -> None:
    assert link_environment(config(tmp_path, "[supervisord]\n"), {}) is None


def test_link_is_told_what_it_needs_and_no_more(tmp_path: Path) -> None:
    found = config(tmp_path, "[initd]\njoin_file=/run/x\nname=web-1\nremote=observe\nstate_dir=/var/lib/i\n")
    environ = {"HOME": "/root", "DB_PASSWORD": "x", "PIDONE_LABELS": "team=shop", "PYTHONPATH": "/app"}
    assert link_environment(found, environ) == {
        "PIDONE_JOIN_FILE": "/run/x", "PIDONE_NAME": "web-1", "PIDONE_REMOTE": "observe",
        "PIDONE_STATE_DIR": "/var/lib/i", "PIDONE_LABELS": "team=shop",
    }  # fmt: skip


def test_link_finds_the_control_sockets_directory(tmp_path: Path) -> None:
    found = config(tmp_path, "[initd]\njoin_file=/run/x\nsocket=/run/app/c.sock\n")
    told = link_environment(found, {"PIDONE_SOCKET": "/tmp/other.sock"})
    assert told is not None and told["PIDONE_SOCKET"] == "/tmp/other.sock"
    told = link_environment(found, {})
    assert told is not None and told["PIDONE_SOCKET"] == "/run/app/c.sock"

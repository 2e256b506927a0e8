"""hubctl audit verify: of the hub, of a store's directory beside it, of a file; and what it says of a forged one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.liveagent import LiveAgent
from tests.support.livehub import LiveHub

Run = Callable[..., int]
Out = pytest.CaptureFixture[str]


def copied(hub: LiveHub, folder: Path) -> Path:
    """The store's facts as they lie on disk now."""
    shutil.copytree(hub.folder / "state" / "store", folder / "store")
    return folder


def forge(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / "store" / "facts.sqlite") as connection:
        connection.execute(sql)


def test_the_hubs_own_audit_is_whole(hubctl: Run, shop: LiveAgent, capsys: Out) -> None:
    hubctl("restart", "shop/web")
    assert hubctl("audit", "verify") == 0 and "rows are whole; head " in capsys.readouterr().out
    assert hubctl("audit", "verify", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is True and told["rows"] >= 4 and len(told["head"]) == 64


def test_a_directory_needs_no_hub(hub: LiveHub, hubctl: Run, shop: LiveAgent, tmp_path: Path, capsys: Out) -> None:
    assert hubctl("--key", "/none", "audit", "verify", str(hub.folder / "state")) == 0
    assert hubctl("--key", "/none", "audit", "verify", str(copied(hub, tmp_path) / "store")) == 0
    assert capsys.readouterr().out.count("rows are whole") == 2


def test_a_missing_row_is_named(hub: LiveHub, hubctl: Run, shop: LiveAgent, tmp_path: Path, capsys: Out) -> None:
    folder = copied(hub, tmp_path)
    forge(folder, "DELETE FROM audit WHERE position = 2")
    assert hubctl("audit", "verify", str(folder)) == 1
    assert "broken at position 3" in capsys.readouterr().err


def test_a_file_of_rows_is_verified(hubctl: Run, shop: LiveAgent, tmp_path: Path, capsys: Out) -> None:
    hubctl("audit", "--json", "-n", "2000")
    path = tmp_path / "rows.json"
    path.write_text(capsys.readouterr().out)
    assert hubctl("audit", "verify", str(path)) == 0
    path.write_text("\n".join(json.dumps(row) for row in json.loads(path.read_text())))
    assert hubctl("audit", "verify", str(path)) == 0
    path.write_text(path.read_text().replace("token create", "token forged", 1))
    assert hubctl("audit", "verify", str(path)) == 1 and "it was changed" in capsys.readouterr().err


def test_what_holds_no_audit_is_told(hubctl: Run, tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "odd").write_text("odd")
    assert hubctl("audit", "verify", str(tmp_path / "odd")) == 2 and "no audit rows" in capsys.readouterr().err
    assert hubctl("audit", "verify", str(tmp_path)) == 1 and "embedded store" in capsys.readouterr().err
    assert hubctl("audit", "verify", str(tmp_path / "none")) == 2

"""The files of docs/from-supervisord.md: read by both, and run with stand-ins for their programs."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from initd.config import load
from tests.proc.conftest import Begin
from tests.support.differences import DIFFERENCES, measured
from tests.support.oracle import parse
from tests.support.pid1 import Pid1
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
STACKS = sorted((ROOT / "conf" / "from-supervisord").iterdir())
FILES = [path for folder in STACKS for path in sorted(folder.iterdir())]

STAND_IN = """\
import os, signal, socket, sys, time
name, folder = os.path.basename(sys.argv[0]), {folder!r}
open(f"{{folder}}/started", "a").write(name + "\\n")
if "migrate" in sys.argv or "schedule:run" in sys.argv:
    sys.exit(0)
for port in {{"redis-server": [6379], "x11vnc": [5900]}}.get(name, []):
    server = socket.create_server(("127.0.0.1", port))
made = {{"php-fpm": "fpm.sock", "Xvfb": "X0", "rsyslogd": "log"}}.get(name)
if made:
    open(f"{{folder}}/{{made}}", "w").close()
if name == "mysqld":
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{{folder}}/mysqld.sock")
    server.listen()
if name == "gunicorn":
    import http.server
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()
    http.server.HTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
while True:
    time.sleep(1000)
"""
NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh")


def adapted(text: str, folder: Path) -> str:
    """The file with this machine's users and a test's folder in place of the image's."""
    for old, new in {
        "user=app": "user=nobody",
        "user=user": "user=nobody",
        "user=www-data": "user=nobody",
        "/usr/bin/pidproxy /var/run/mysqld/mysqld.pid mysqld_safe": "mysqld",
        "/usr/sbin/postfix": "postfix",
        "/usr/local/sbin/stop-supervisor.sh": "stop-supervisor.sh",
        "source /etc/apache2/envvars && ": "",
        "/srv/shop": str(folder),
        "/run/php/php-fpm.sock": f"{folder}/fpm.sock",
        "/tmp/.X11-unix/X0": f"{folder}/X0",
        "/dev/log": f"{folder}/log",
        "/var/run/mysqld/mysqld.sock": f"{folder}/mysqld.sock",
        "/var/run/supervisord.pid": f"{folder}/pid",
        "--user=mysql": "",
    }.items():
        text = text.replace(old, new)
    return text.replace(
        "[supervisord]\n", f"[supervisord]\npidfile={folder}/pid\n" if "pidfile" not in text else "[supervisord]\n"
    )


def stand_ins(folder: Path, config: str) -> Path:
    """A folder of commands, one for every name that the file uses."""
    place = folder / "bin"
    place.mkdir()
    path = folder / "probe.ini"
    path.write_text(config)
    loaded = load(str(path), {}, advise=False).config
    assert loaded is not None
    words = {word for program in loaded.programs for word in " ".join(program.argv).split()}
    for name in ["php", "celery", "apache2", "fluxbox", "x11vnc", *words]:
        if (
            name.replace("-", "").replace(".", "").isalnum()
            and not name.startswith("-")
            and name not in ("sleep", "exec")
        ):
            script = place / name
            script.write_text(f"#!{sys.executable} -IS\n" + STAND_IN.format(folder=str(folder)))
            script.chmod(0o755)
    return place


@pytest.fixture
def image() -> Iterator[Path]:
    """A folder that every user can write to; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="stack-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def running(begin: Begin, image: Path, request: pytest.FixtureRequest) -> Pid1:
    """initd with the file of the test's parameter."""
    config = adapted(request.param.read_text(), image)
    (image / "started").touch()
    (image / "started").chmod(0o666)
    place = stand_ins(image, config)
    return begin(config, env={"PATH": f"{place}:/usr/sbin:/usr/bin:/sbin:/bin"}, wrapper=NETWORK)


def states(init: Pid1) -> dict[str, Any]:
    return {row["name"]: row["state"] for row in init.ask("status")}


@pytest.mark.proc
@pytest.mark.parametrize(
    "running", [p for p in FILES if p.name == "after.ini"], indirect=True, ids=lambda p: p.parent.name
)
def test_after_everything_comes_up_in_its_order(running: Pid1) -> None:
    up = {"RUNNING", "EXITED", "STOPPED"}
    try:
        until(lambda: set(states(running).values()) <= up, 60)
    except AssertionError:
        raise AssertionError(f"{running.ask('status')}\n{running.said()[-3000:]}") from None
    assert "RUNNING" in states(running).values()


@pytest.mark.proc
@pytest.mark.parametrize(
    "running", [p for p in FILES if p.name == "before.ini"], indirect=True, ids=lambda p: p.parent.name
)
def test_before_runs_unchanged(running: Pid1) -> None:
    until(lambda: "RUNNING" in states(running).values() and "FATAL" not in states(running).values(), 60, "running")


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_both_read_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(str(path), {})
    assert loaded.errors == ()
    if path.stem == "after":
        assert loaded.warnings == ()
    monkeypatch.setattr("supervisor.options.name_to_uid", lambda name: 0)
    monkeypatch.setattr("supervisor.options.existing_dirpath", lambda name: name)
    parse(str(path), {})


def maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_page", ROOT / "docs" / "make_from_supervisord.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_files_and_readers_make() -> None:
    assert maker().TARGET.read_text() == maker().render(), "run: python docs/make_from_supervisord.py"


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: one.what)
def test_a_difference_is_one(difference: Any) -> None:
    theirs, ours = measured(difference)
    assert theirs.partition(":")[0] != ours.partition(":")[0] or ours != "accepted"
    assert ours.startswith("accepted")

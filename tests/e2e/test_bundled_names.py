"""The bundle alone on an empty image in supervisord's place: its names, and each process that initd starts besides."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from images import build
from tests.support import rootfs
from tests.support.containers import ROOT, Container, Yard, docker, need_engine, until, yard

__all__ = ["yard"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

NAMES = "/opt/initd/names"
CONF = """\
[supervisord]
logfile=/dev/null
[unix_http_server]
file=/tmp/supervisor.sock
username=me
password={SHA}a94a8fe5ccb19ba61c4c0873d391e987982fbbd3
[supervisorctl]
serverurl=unix:///tmp/supervisor.sock
username=me
password=test
[initd]
metrics=127.0.0.1:9102
[program:web]
command=/bin/busybox sleep 1000
no_new_privs=true
readiness=http://127.0.0.1:9102/metrics
[program:loud]
command=/bin/busybox sh -c "while :; do echo 0123456789abcdefghij; /bin/busybox usleep 2000; done"
stdout_logfile=/tmp/loud.log
stdout_logfile_maxbytes=5KB
stdout_logfile_backups=2
logfile_compress=true
[program:nightly]
command=/bin/busybox true
schedule=@daily
timezone=Europe/Berlin
[eventlistener:deaf]
command=/bin/busybox sleep 1000
events=TICK_5
"""


@pytest.fixture(scope="module", params=["initd", "lean"])
def image(request: pytest.FixtureRequest) -> str:
    """An empty image with the bundle."""
    need_engine()
    product = build.product(request.param)
    tag = f"pidone-test/scratch-{'lean' if request.param == 'lean' else 'full'}:e2e"
    return build.build(ROOT / "tests" / "e2e" / "images", tag, BASE="scratch", INITD=product)


@pytest.fixture
def box(image: str, yard: Yard, tmp_path: Path) -> Container:
    """PID 1 called `supervisord`, without any option; the file is where supervisord searches."""
    conf = tmp_path / "supervisord.conf"
    conf.write_text(CONF)
    zones = "/usr/share/zoneinfo"
    mounts = (f"{conf}:/etc/supervisord.conf:ro", f"{rootfs.BUSYBOX}:/bin/busybox:ro", f"{zones}:{zones}:ro")
    options = [word for mount in mounts for word in ("-v", mount)]
    started = yard.run(image, options=[*options, "--tmpfs", "/tmp", "--entrypoint", f"{NAMES}/supervisord"])
    until(lambda: "RUNNING" in ctl(started, "status", "web").stdout, f"web up (logs: {started.logs()[-800:]})")
    return started


def ctl(box: Container, *argv: str) -> subprocess.CompletedProcess[str]:
    return box.exec(f"{NAMES}/supervisorctl", *argv, check=False)


def test_the_rpc_server_answers_and_knows_its_password(box: Container) -> None:
    url = ("-s", "unix:///tmp/supervisor.sock", "-u", "me", "-p")
    until(lambda: ctl(box, *url, "test", "version").stdout == "4.3.0\n", "the server behind its socket")
    refused = ctl(box, *url, "wrong", "status")
    assert "Server requires authentication" in refused.stdout + refused.stderr
    assert "RUNNING" in ctl(box, *url, "test", "status", "web").stdout
    assert "initd-rpc" in {name for _, name in box.processes().values()}


def test_the_metrics_server_answers(box: Container) -> None:
    told = box.exec("/bin/busybox", "wget", "-qO-", "http://127.0.0.1:9102/metrics").stdout
    assert told.startswith("# TYPE") and told.rstrip().endswith("# EOF")


def test_rotated_files_are_compressed(box: Container) -> None:
    until(lambda: "loud.log.2.gz" in box.exec("/bin/busybox", "ls", "/tmp").stdout.split(), "two rotated files")
    copy = subprocess.run(
        ["docker", "exec", box.name, "/bin/busybox", "cat", "/tmp/loud.log.2.gz"], capture_output=True, check=True
    )
    assert b"0123456789abcdefghij\n" in gzip.decompress(copy.stdout)


def test_scripts_find_supervisorctl_as_they_know_it(box: Container) -> None:
    assert ctl(box, "stop", "web").stdout == "web: stopped\n"
    stopped = ctl(box, "status", "web")
    assert (stopped.returncode, stopped.stdout.split()[1]) == (3, "STOPPED")
    assert ctl(box, "start", "web").stdout == "web: started\n"
    assert ctl(box, "pid").stdout == "1\n"
    assert docker("stop", box.name).returncode == 0 and box.exit_code() == 0

"""Each stack of conf/apps runs in a real container: every program up, the application answers, and it stops in time."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from images import build
from tests.support.containers import ROOT, Container, Yard, need_engine, until

pytestmark = [pytest.mark.engine, pytest.mark.slow]

APPS = ROOT / "conf" / "apps"
HERE = Path(__file__).parent / "apps"
STACKS = ("nginx-php-cron", "gunicorn-celery-redis", "sshd-app")


@pytest.fixture(scope="module", params=STACKS)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Container]]:
    """A container of one stack: its configuration as it stands in conf/apps, its application from tests/e2e/apps."""
    need_engine()
    name, place = request.param, Yard()
    folder = tmp_path_factory.mktemp(name) / "context"
    shutil.copytree(HERE / name, folder)
    shutil.copy(HERE / "Dockerfile", folder)
    shutil.copy(APPS / f"{name}.ini", folder / "initd.ini")
    tag = build.build(folder, f"pidone-test/{name}:e2e", BASE=build.local_base("apps"), INITD=build.product("initd"))
    yield name, place.run(tag, name=name)
    place.clear()


def page(box: Container, port: int) -> str:
    """What http://BOX:PORT/ answers, "" while it does not."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{box.address()}:{port}/", timeout=30) as answer:
            text: str = answer.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return ""
    return text


def test_every_program_runs(stack: tuple[str, Container]) -> None:
    _, box = stack
    until(lambda: set(box.states().values()) == {"RUNNING"}, f"every program (logs: {box.logs()[-2000:]})")


def nginx_answers_through_php(box: Container) -> None:
    until(lambda: page(box, 80) == f"php {php_version(box)} says 42", "the page")


def php_version(box: Container) -> str:
    return box.exec("sh", "-c", "php-fpm8.2 -v | cut -d' ' -f2 | head -n 1").stdout.strip()


def gunicorn_answers_through_celery(box: Container) -> None:
    until(lambda: page(box, 8000) == "celery says 42", "the page")


def a_person_logs_in(box: Container) -> None:
    box.exec("sh", "-c", "mkdir -pm 700 /root/.ssh; ssh-keygen -qt ed25519 -N '' -f /root/.ssh/id_ed25519")
    box.exec("cp", "/root/.ssh/id_ed25519.pub", "/root/.ssh/authorized_keys")
    ssh = ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "root@127.0.0.1"]
    until(lambda: box.exec(*ssh, "echo logged in", check=False).stdout == "logged in\n", "the login")
    until(lambda: page(box, 8000) != "", "the application")


ANSWERS = {
    "nginx-php-cron": nginx_answers_through_php,
    "gunicorn-celery-redis": gunicorn_answers_through_celery,
    "sshd-app": a_person_logs_in,
}


def test_the_application_answers(stack: tuple[str, Container]) -> None:
    name, box = stack
    ANSWERS[name](box)


def test_no_zombie_is_left(stack: tuple[str, Container]) -> None:
    _, box = stack
    until(lambda: "Z" not in {state for state, _ in box.processes().values()}, "no zombie")


def test_check_finds_nothing_wrong(stack: tuple[str, Container]) -> None:
    _, box = stack
    done = box.exec("/opt/initd/initd", "check", "-c", "/etc/initd.ini", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stops_in_time_and_by_request(stack: tuple[str, Container]) -> None:
    _, box = stack
    until(lambda: set(box.states().values()) == {"RUNNING"}, "every program")
    assert box.stop() < 10
    assert box.exit_code() == 0
    assert "SIGKILL" not in box.logs(), box.logs()[-2000:]


def test_every_stack_is_tested() -> None:
    assert {file.stem for file in APPS.glob("*.ini")} == set(STACKS)

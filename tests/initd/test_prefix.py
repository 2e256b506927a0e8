"""The launchers: isolated from the application's Python, and the programs' environment is exactly the caller's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import prefix
from initd.options import CALLED

ROOT = Path(__file__).resolve().parents[2]

PROBE = """import json, os, sys
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from initd import prefix
prefix.restore()
import select
print(json.dumps({
    "environ": dict(os.environ), "argv": sys.argv[1:], "path": sys.path, "cwd": os.getcwd(),
    "flags": [sys.flags.isolated, sys.flags.no_site], "select": getattr(select, "__file__", None),
    "called": prefix.called(), "again": prefix.command("initd.link")}))
"""

HOSTILE = {
    "PYTHONHOME": "/nonexistent",
    "PYTHONPATH": ".",
    "PYTHONSTARTUP": "start.py",
    "PYTHONINSPECT": "1",
    "PATH": "/usr/bin:/bin",
    "discovery.type": "single-node",
    "a-b": "c",
    "EMPTY": "",
    "LINES": "one\ntwo\n",
    "UTF8": "pr\u00e9fixe \u2713",
    "PWD": "/wrong",
    "_": "x",
}

names = st.text(st.characters(blacklist_characters="=\0", blacklist_categories=["Cs"]), min_size=1)
values = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@pytest.fixture(scope="session")
def launchers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What pip may install as `initd`."""
    found = {"shell": ROOT / "bin" / "initd"}
    compiler = next(filter(None, map(shutil.which, ("musl-gcc", "cc"))), None)
    if compiler:
        found["compiled"] = tmp_path_factory.mktemp("launcher") / "initd"
        strict = ["-static", "-Os", "-Wall", "-Wextra", "-Werror"]
        source = ROOT / "images" / "installed.c"
        subprocess.run([compiler, *strict, "-o", found["compiled"], source], check=True)
    return found


@pytest.fixture(params=["shell", "compiled"])
def installed(request: pytest.FixtureRequest, launchers: dict[str, Path], tmp_path: Path) -> Path:
    """A prefix as pip makes one, by either launcher."""
    if request.param not in launchers:
        pytest.skip("no C compiler: the shell script alone is tested")
    return install(launchers[request.param], tmp_path)


@pytest.fixture
def scripted(launchers: dict[str, Path], tmp_path: Path) -> Path:
    """A prefix as pip makes one where there is no compiler."""
    return install(launchers["shell"], tmp_path)


def install(launcher: Path, place: Path) -> Path:
    """A prefix whose PID 1 is a probe that tells what it sees."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site = place / "lib" / version / "site-packages" / "initd"
    site.mkdir(parents=True)
    (place / "bin").mkdir()
    shutil.copy(launcher, place / "bin" / "initd")
    shutil.copy(prefix.__file__, site / "prefix.py")
    (site / "__init__.py").touch()
    (site / "__main__.py").write_text(PROBE)
    (place / "bin" / "python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    return place


@pytest.fixture
def hostile_directory(tmp_path: Path) -> Path:
    place = tmp_path / "evil"
    place.mkdir()
    for module in ("select", "os", "encodings", "sitecustomize", "initd"):
        (place / f"{module}.py").write_text("raise SystemExit('evil code ran')")
    return place


def probe(argv: list[str], environ: dict[str, str], cwd: Path) -> dict[str, Any]:
    done = subprocess.run(argv, env=environ, cwd=cwd, stdout=subprocess.PIPE, timeout=60, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_hostile_environment_changes_nothing(installed: Path, hostile_directory: Path) -> None:
    check_isolation([str(installed / "bin" / "initd")], hostile_directory)


@pytest.mark.parametrize("shell", [["/bin/sh"], ["busybox", "sh"]])
def test_any_shell_isolates(scripted: Path, hostile_directory: Path, shell: list[str]) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"no {shell[0]}")
    check_isolation([*shell, str(scripted / "bin" / "initd")], hostile_directory)


def check_isolation(command: list[str], hostile_directory: Path) -> None:
    seen = probe([*command, "one", "two words"], HOSTILE, hostile_directory)
    assert seen["flags"] == [1, 1]
    assert seen["argv"] == ["one", "two words"]
    assert "evil" not in str(seen["path"]) and "evil" not in str(seen["select"])
    assert seen["cwd"] == str(hostile_directory)


def test_programs_see_the_callers_environment_exactly(installed: Path, hostile_directory: Path) -> None:
    seen = probe([str(installed / "bin" / "initd")], HOSTILE, hostile_directory)
    assert seen["environ"] == HOSTILE


def test_locale_of_the_caller_is_not_coerced(installed: Path) -> None:
    environ = {"PATH": "/usr/bin:/bin", "LC_CTYPE": "C"}
    assert probe([str(installed / "bin" / "initd")], environ, installed)["environ"] == environ


def test_environment_larger_than_a_pipe(installed: Path) -> None:
    environ = {"PATH": "/usr/bin:/bin", **{f"VAR.{n}": "x" * 100 for n in range(1000)}}
    assert probe([str(installed / "bin" / "initd")], environ, installed)["environ"] == environ


def test_bash_as_sh_keeps_names_that_are_no_identifiers(scripted: Path, hostile_directory: Path) -> None:
    if not shutil.which("bash"):
        pytest.skip("no bash")
    seen = probe(["bash", "--posix", str(scripted / "bin" / "initd")], HOSTILE, hostile_directory)
    ours = {"PWD", "_", "SHLVL"}
    assert {name: value for name, value in seen["environ"].items() if name not in ours} == {
        name: value for name, value in HOSTILE.items() if name not in ours
    }


def test_called_through_a_link_from_elsewhere(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "initd").symlink_to(installed / "bin" / "initd")
    seen = probe([str(tmp_path / "other" / "initd")], {"PATH": "/usr/bin:/bin"}, installed)
    assert str(installed) in str(seen["again"])


@pytest.mark.parametrize("name", sorted(CALLED))
def test_another_programs_name_is_handed_on(installed: Path, name: str) -> None:
    (installed / name).symlink_to("bin/initd")
    seen = probe([str(installed / name)], {"PATH": "/usr/bin:/bin"}, installed)
    assert CALLED[seen["called"]] == CALLED[name]


def test_a_name_alone_is_found_by_path(installed: Path) -> None:
    done = subprocess.run(["initd", "x"], env={"PATH": f"{installed}/bin:/bin:/usr/bin"}, capture_output=True)
    assert json.loads(done.stdout)["argv"] == ["x"]


def test_missing_interpreter_is_one_clear_line(installed: Path) -> None:
    (installed / "bin" / "python3").unlink()
    site = installed / "lib"
    next(site.iterdir()).rename(site / "python3.99")
    done = subprocess.run(
        [installed / "bin" / "initd"], env={"PATH": "/usr/bin:/bin"}, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 127
    assert done.stderr.startswith("initd: no python3.99 beside ")


@given(st.dictionaries(names, values))
def test_parse_reads_both_carriers_alike(variables: dict[str, str]) -> None:
    block = b"".join(os.fsencode(f"{name}={value}") + b"\0" for name, value in variables.items())
    assert prefix.parse(block) == variables
    if block:
        assert prefix.parse(block.hex(" ", 8).encode() + b"\n") == variables


def test_a_shell_that_could_not_read_its_environment_changes_nothing() -> None:
    assert prefix.parse(b"\n") is None


def test_entries_without_a_name_are_no_variables() -> None:
    assert prefix.parse(b"A=1\0=C:\0junk\0") == {"A": "1"}


def test_command_runs_another_module_isolated(hostile_directory: Path) -> None:
    argv = prefix.command("initd.link")
    assert argv[0] == sys.executable and argv[1] == "-I" and argv[-1] == "initd.link"
    assert Path(argv[2]).samefile(prefix.__file__)


def test_main_runs_a_module_as_python_m_would(installed: Path, hostile_directory: Path) -> None:
    site = next(installed.glob("lib/*/site-packages"))
    (site / "initd" / "link.py").write_text("import sys; print(__name__, sys.argv)")
    argv = [sys.executable, "-I", str(site / "initd" / "prefix.py"), "initd.link", "a"]
    done = subprocess.run(argv, env=HOSTILE, cwd=hostile_directory, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "__main__" and done.stdout.strip().endswith("'a']")

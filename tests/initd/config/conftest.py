"""Shared by the tests of the configuration: files written in place, read, and judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from initd.config import load
from initd.config.records import Config, Loaded, Program

Read = Callable[..., Loaded]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a text as supervisord.conf (and others beside it) and load it."""

    def reading(text: str, environ: dict[str, str] | None = None, **more: object) -> Loaded:
        files = {name: str(other) for name, other in more.items() if "/" in name or "." in name}
        for name, other in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(other)
        path = tmp_path / "supervisord.conf"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        options = {name: value for name, value in more.items() if name not in files}
        return load(str(path), environ or {}, **options)  # type: ignore[arg-type]

    return reading


@pytest.fixture
def good(read: Read) -> Callable[..., Config]:
    """The configuration of a text that has no errors; [supervisord] is put before it."""

    def reading(text: str, environ: dict[str, str] | None = None, **more: object) -> Config:
        loaded = read("[supervisord]\n" + text, environ, **more)
        assert loaded.errors == ()
        assert loaded.config is not None
        return loaded.config

    return reading


@pytest.fixture
def program(good: Callable[..., Config]) -> Callable[..., Program]:
    """The one process of [program:x] with these options."""

    def reading(options: str, environ: dict[str, str] | None = None) -> Program:
        text = options if "command" in options else "command=/bin/true\n" + options
        return good("[program:x]\n" + text, environ).programs[0]

    return reading


@pytest.fixture
def errors(read: Read) -> Callable[..., list[str]]:
    """The errors of a text as `line: message`; [supervisord] is put before it as line 1."""

    def reading(text: str, environ: dict[str, str] | None = None, **more: object) -> list[str]:
        return [
            f"{problem.line}: {problem.message}" for problem in read("[supervisord]\n" + text, environ, **more).errors
        ]

    return reading


@pytest.fixture
def warnings(read: Read) -> Callable[..., list[str]]:
    """The warnings of a text as `line: message`; [supervisord] is put before it as line 1."""

    def reading(text: str, environ: dict[str, str] | None = None, **more: object) -> list[str]:
        loaded = read("[supervisord]\n" + text, environ, **more)
        return [f"{problem.line}: {problem.message}" for problem in loaded.warnings]

    return reading

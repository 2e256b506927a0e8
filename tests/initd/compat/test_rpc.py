"""What the rpc server does before it serves."""

from __future__ import annotations

import errno
import os

import pytest

from initd.compat.rpc import give_up_root


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL])
def test_root_without_capabilities_or_room_stays_and_is_no_news(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.setgroups", refuse)
    give_up_root()
    assert capsys.readouterr() == ("", "")


def test_who_is_not_root_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.setgroups", lambda _: pytest.fail("asked"))
    give_up_root()

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import initd
from initd.replies import CODES

MAKER = Path(__file__).parents[2] / "docs" / "make_control.py"


def test_the_page_is_what_the_table_of_verbs_makes():
    spec = importlib.util.spec_from_file_location("make_control", MAKER)
    assert spec is not None and spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.TARGET.read_text() == maker.render(), "run: python docs/make_control.py"


def test_every_error_code_in_use_is_declared_and_every_declared_one_is_in_use():
    used: set[str] = set()
    for name in ("control", "remote", "reports", "arguments", "connection", "listener", "talk", "reload/verbs"):
        text = Path(initd.__path__[0], f"{name}.py").read_text()
        used |= set(re.findall(r'ControlError\(\s*"([a-z-]+)"', text))
    assert used == set(CODES)

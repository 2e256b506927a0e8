"""One way to say that a service is absent: a failure where services are promised, a loud skip elsewhere."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

DID_NOT_RUN = "DID NOT RUN"


def required() -> bool:
    """True where the services are promised: in CI, and where script/test could install them."""
    return bool(os.environ.get("CI")) or os.environ.get("REQUIRE_SERVICES") == "1"


def absent(what: str, cure: str) -> NoReturn:
    """End the test because `what` is not there; `cure` tells a person how to get it."""
    text = f"{DID_NOT_RUN}: needs {what}; {cure}"
    if required():
        pytest.fail(text)
    pytest.skip(text)


def need_root() -> None:
    """End the test unless it runs as root."""
    if os.geteuid() != 0:
        absent("root", "run script/test as root")

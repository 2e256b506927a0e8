"""What is wrong with an engine's address, said and never raised."""

from __future__ import annotations

import pytest

from hub.engines.api import address_problem


@pytest.mark.parametrize("url", ["tcp://[a", "tcp://]:1", "unix://[", "//["])
def test_an_address_that_is_no_url_is_told(url: str) -> None:
    assert address_problem(url, None)

"""The fixture `guest`: guest.run(argv, timeout) runs a command on a real cgroup v2 host (see support/uml.py)."""

from __future__ import annotations

import pytest

from tests.support import services, uml


@pytest.fixture(scope="session")
def guest() -> uml.Guest:
    """A cgroup v2 machine; the test does not run, loudly, where none can be made.  Mark the test `vm`."""
    lacking = uml.missing()
    if lacking:
        services.absent(f"a cgroup v2 guest, which needs {lacking}", f"apt-get install {lacking}")
    machine = uml.Guest()
    try:
        machine.prepare()
    except uml.GuestError as error:
        services.absent(f"a cgroup v2 guest: {error}", "apt-get update, then try again")
    return machine

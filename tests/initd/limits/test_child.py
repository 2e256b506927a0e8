"""Limits on real children: what they see of themselves, and what is said of what was refused."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from typing import Any

import pytest

from initd.config.topics.limits import CAPABILITIES
from initd.errors import StartFailed
from initd.limits.child import Confinement
from initd.spawn import Order, spawn
from tests.support.services import absent, need_root

pytestmark = pytest.mark.proc


class Run:
    """One program run to its end: what it wrote, and what was said."""

    def __init__(self, command: str, user: str | None = None, **limits: Any) -> None:
        reader, writer = os.pipe()
        self.said: list[str] = []
        argv = ("/bin/sh", "-c", command)
        environ = {"PATH": "/bin:/usr/bin"}
        try:
            pid = spawn(
                Order(argv, environ, 0, writer, 2, user=user, confine=Confinement(**limits), tell=self.said.append)
            )
        finally:
            os.close(writer)
        with os.fdopen(reader) as text:
            self.out = text.read()
        self.status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def lines(text: str) -> dict[str, str]:
    return {line.partition(":")[0]: line.partition(":")[2].strip() for line in text.splitlines()}


def bits(names: tuple[str, ...]) -> int:
    return sum(1 << CAPABILITIES.index(name) for name in names)


SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def sets(text: str) -> list[int]:
    found = lines(text)
    return [int(found[name], 16) for name in SETS]


def test_resource_limits_soft_and_hard() -> None:
    run = Run("ulimit -Sn; ulimit -Hn; ulimit -c", rlimits=(("nofile", 100, 200), ("core", 0, 0)))
    assert (run.out.split(), run.said) == (["100", "200", "0"], [])


def test_a_limit_above_what_is_allowed_is_the_most_there_is_and_said() -> None:
    done = as_nobody("nofile")
    assert done.stdout.split("\n")[0] == "256"
    assert "rlimit_nofile: the most that is allowed here is 256, taken instead: Operation not permitted" in done.stdout


AS_NOBODY = """
import os, resource, sys
from initd.limits.child import Confinement
from initd.spawn import Order, spawn
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
said = []
limits = {"nofile": {"rlimits": (("nofile", 1000, 1000),)}, "rank": {"nice": -5, "oom_score_adj": -900}}[sys.argv[1]]
strict = len(sys.argv) > 2
confine = Confinement(strict=strict, **limits)
order = Order(("/bin/sh", "-c", "ulimit -n"), {}, 0, 1, 2, confine=confine, tell=said.append)
pid = spawn(order)
os.waitpid(pid, 0)
print("\\n".join(said))
"""


def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", AS_NOBODY, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", env={"PYTHONPATH": os.getcwd()})


def test_what_is_not_permitted_is_said_and_the_program_starts() -> None:
    done = as_nobody("rank")
    assert done.stdout.splitlines()[1:] == [
        "oom_score_adj: /proc/self/oom_score_adj: Permission denied",
        "nice: Permission denied",
    ]


def test_strict_limits_are_a_failed_start() -> None:
    done = as_nobody("rank", "strict")
    assert "StartFailed: limits: oom_score_adj: /proc/self/oom_score_adj: Permission denied" in done.stderr


def test_nice_and_oom_score_adj() -> None:
    run = Run("cut -d' ' -f19 /proc/self/stat; cat /proc/self/oom_score_adj", nice=7, oom_score_adj=300)
    assert run.out.split() == ["7", "300"]


def test_memory_too_small_to_do_anything_is_the_programs_own_problem() -> None:
    run = Run("true", rlimits=(("as", 1 << 20, 1 << 20),))
    assert run.status != 0


def test_groups_instead_and_on_top() -> None:
    need_root()
    assert Run("id -g; id -G", user="nobody", gid=7, groups=(8, 9)).out.split() == ["7", "7", "8", "9"]
    assert Run("id -G", user="nobody", added=(9,)).out.split() == ["65534", "9"]
    assert Run("id -u; id -g; id -G", gid=7, groups=()).out.split() == ["0", "7", "7"]


def test_capabilities_of_another_user() -> None:
    need_root()
    kept = ("net_bind_service", "chown")
    run = Run("cat /proc/self/status", user="nobody", capabilities=kept)
    assert (sets(run.out), run.said) == ([bits(kept)] * 5, [])


def test_capabilities_of_root_are_bounded() -> None:
    need_root()
    assert sets(Run("cat /proc/self/status", capabilities=("kill",)).out) == [bits(("kill",))] * 5
    assert sets(Run("cat /proc/self/status", capabilities=()).out) == [0] * 5


def test_a_kept_capability_works_and_another_does_not() -> None:
    need_root()
    run = Run("chown 1 $0 2>/dev/null; echo $?; kill -0 1 && echo reached", user="nobody", capabilities=("kill",))
    assert run.out.split() == ["1", "reached"]


def test_no_new_privs() -> None:
    assert lines(Run("cat /proc/self/status", no_new_privs=True).out)["NoNewPrivs"] == "1"
    assert lines(Run("cat /proc/self/status").out)["NoNewPrivs"] == "0"


def test_what_initd_does_not_have_cannot_be_kept() -> None:
    need_root()
    if subprocess.run(["setpriv", "--version"], capture_output=True).returncode:
        absent("setpriv", "apt-get install util-linux")
    program = (
        "import os\nfrom initd.limits.child import Confinement\nfrom initd.spawn import Order, spawn\n"
        "confine = Confinement(capabilities=('chown', 'net_admin'))\n"
        "os.waitpid(spawn(Order(('/bin/true',), {}, 0, 1, 2, confine=confine, tell=print)), 0)\n"
    )
    argv = ["setpriv", "--bounding-set=-all,+chown", sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, env={"PYTHONPATH": os.getcwd()})
    assert "capabilities: initd itself has no net_admin: Operation not permitted" in done.stdout
    assert "capabilities: others can be gained again" not in done.stdout  # there are no others


def test_ctypes_stays_out_of_us() -> None:
    before = set(sys.modules)
    Run("true", no_new_privs=True)
    assert "initd.limits.capabilities" not in sys.modules
    assert {name for name in set(sys.modules) - before if "ctypes" in name} == set()


def test_a_cgroup_that_cannot_be_entered_is_named() -> None:
    said = Run("true", folders=("/nowhere",)).said
    assert said == ["cgroup: /nowhere/cgroup.procs: No such file or directory"]
    with pytest.raises(StartFailed) as caught:
        Run("true", folders=("/nowhere",), strict=True)
    assert (caught.value.step, caught.value.errno) == ("limits", errno.ENOENT)


def test_our_own_limits_are_untouched() -> None:
    before = [resource.getrlimit(which) for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)]
    Run("true", rlimits=(("nofile", 50, 50),), nice=5, no_new_privs=True, capabilities=())
    assert [resource.getrlimit(which) for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)] == before
    assert os.getpriority(os.PRIO_PROCESS, 0) == 0

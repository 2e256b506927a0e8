"""Which container this is, out of what different runtimes show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.link.identity import Claim, addresses, container_id, labels
from tests.support.cgroupfiles import ID, V1_CGROUP, V1_MOUNTS, V2_CGROUP, V2_MOUNTS
from wire import limits

OTHER = "0123456789abcdef" * 4


def test_docker_shows_it_in_the_files_it_mounts() -> None:
    assert container_id(V1_MOUNTS, V1_CGROUP, "web", {}) == Claim(ID, "mountinfo")


def test_podman_does_too() -> None:
    line = f"9 8 0:5 /containers/storage/overlay-containers/{ID}/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw\n"
    assert container_id(line, V2_CGROUP, "", {}).container == ID


@pytest.mark.parametrize(
    "path",
    [
        f"/docker/{ID}",
        f"/system.slice/docker-{ID}.scope",
        f"/kubepods.slice/kubepods-burstable.slice/kubepods-pod12/cri-containerd-{ID}.scope",
        f"/kubepods/besteffort/pod9c/{ID}",
        f"/docker/{OTHER}/docker/{ID}",
        f"/machine.slice/libpod-{ID}.scope/container",
    ],
)
def test_else_the_cgroup_names_the_innermost_container(path: str) -> None:
    assert container_id("", f"0::{path}\n", "web", {}) == Claim(ID, "cgroup")


def test_else_the_host_name_is_its_beginning() -> None:
    assert container_id(V2_MOUNTS, V2_CGROUP, ID[:12], {}) == Claim(ID[:12], "hostname")


def test_else_the_environment_may_say_it() -> None:
    assert container_id("", "", "web", {"PIDONE_CONTAINER_ID": "pod-7"}) == Claim("pod-7", "environment")


@pytest.mark.parametrize("given", ["", "../x", "a b", "x" * 200, "a\n"])
def test_nonsense_in_the_environment_is_no_id(given: str) -> None:
    assert container_id("", "", "web", {"PIDONE_CONTAINER_ID": given}) == Claim("", "none")


def test_other_mounts_of_an_engine_do_not_mislead() -> None:
    line = f"9 8 0:5 /var/lib/docker/containers/{OTHER}/hostname /srv/hostname rw - ext4 /dev/vda rw\n"
    assert container_id(line, V2_CGROUP, "web", {}) == Claim("", "none")


@given(st.text(), st.text(), st.text())
def test_any_text_is_survived(mountinfo: str, cgroup: str, hostname: str) -> None:
    assert len(container_id(mountinfo, cgroup, hostname, {}).container) <= 128


def test_labels_are_pairs() -> None:
    assert labels("team=shop, tier = web ,broken,=x,empty=") == {"team": "shop", "tier": "web", "empty": ""}


def test_labels_are_bounded() -> None:
    many = ",".join(f"k{number}=v" for number in range(100))
    assert len(labels(many)) == limits.LABELS and labels(f"{'k' * 200}=v,a={'v' * 300}") == {}


def test_addresses_are_those_others_can_reach() -> None:
    assert not [one for one in addresses() if one.startswith("127.") or one == "::1" or "%" in one]

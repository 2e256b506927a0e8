"""The deployment files of images/ say only what exists: images, commands, options, ports, paths, secrets, variables."""

from __future__ import annotations

import re
import shlex
from configparser import RawConfigParser
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.config import parse
from hub.ctl.verbs import make_parser as hubctl
from images import build
from initd import config as programs
from initd import joining
from tests.support.podlike import documents, kind, locked, variables

IMAGES = Path(__file__).parents[2] / "images"
FILES = sorted(path for folder in (".", "swarm", "podman", "kubernetes") for path in (IMAGES / folder).iterdir()
               if path.suffix in {".yaml", ".container", ".network", ".volume"})  # fmt: skip
PORTS = {7401, 7402, 7403, 7404, 7405}
TAGS = {build.TAGS["hub"], f"pidone/shop:{build.VERSION}"}
PODMAN_KEYS = {
    *("Image", "ContainerName", "HostName", "Network", "Volume", "User", "Group", "ReadOnly", "DropCapability"),
    *("NoNewPrivileges", "Secret", "HealthCmd", "HealthInterval", "StopTimeout", "NetworkName", "VolumeName"),
}
"""Those of podman-systemd.unit(5) that we use; Podman's own generator takes the files in script/prove deploy."""


@cache
def services() -> dict[str, Any]:
    """Every service of Compose's and Swarm's files by FILE/NAME."""
    found = {}
    for path in (IMAGES / "compose.yaml", IMAGES / "swarm" / "hub.yaml", IMAGES / "swarm" / "app.yaml"):
        for name, service in yaml.safe_load(path.read_text())["services"].items():
            found[f"{path.parent.name}/{name}"] = service
    return found


def pods() -> list[dict[str, Any]]:
    return [kind(file, wanted)["spec"]["template"]["spec"]
            for file, wanted in (("hub.yaml", "StatefulSet"), ("app.yaml", "Deployment"))]  # fmt: skip


def unit(path: Path) -> RawConfigParser:
    """A quadlet; a key that stands twice keeps its values, a line each."""

    class Many(dict):  # type: ignore[type-arg]
        def __setitem__(self, key: str, value: Any) -> None:
            super().__setitem__(key, self[key] + value if isinstance(value, list) and key in self else value)

    parser = RawConfigParser(dict_type=Many, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_image_is_one_that_script_image_makes(path: Path) -> None:
    named = re.findall(r"^\s*(?:- )?[Ii]mage[:=]\s*(?:localhost/)?(\S+)", path.read_text(), re.M)
    assert set(named) <= TAGS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_hubctl_command_in_a_comment_is_understood(path: Path) -> None:
    text = re.sub(r"\\\n#\s*", "", path.read_text())
    for words in re.findall(r"\bhubctl ((?:token|ps|about|keys) ?[^|>`)\n]*)", text):
        hubctl().parse_args([word for word in shlex.split(words.replace("ID", "x")) if word])


def test_secrets_have_the_name_that_initd_looks_for() -> None:
    name = Path(joining.SECRET_FILE).name
    assert services()["images/shop"]["secrets"] == services()["swarm/web"]["secrets"] == [name]
    assert unit(IMAGES / "podman" / "shop.container")["Container"]["Secret"] == name


@pytest.mark.parametrize("name", ["images/hub", "swarm/hub"])
def test_a_hub_is_locked_down_and_looked_after(name: str) -> None:
    hub = services()[name]
    assert hub["read_only"] and hub["cap_drop"] == ["ALL"]
    assert hub["volumes"][0] == "hub:/var/lib/pidone"
    hubctl().parse_args(hub["healthcheck"]["test"][2:])


def test_stacks_meet_on_one_network() -> None:
    hub, app = (yaml.safe_load((IMAGES / "swarm" / name).read_text()) for name in ("hub.yaml", "app.yaml"))
    assert hub["networks"]["fleet"]["name"] in app["networks"] and app["networks"]["fleet"]["external"]
    assert services()["swarm/hub"]["hostname"] in services()["swarm/hub"]["networks"]["fleet"]["aliases"]
    assert {port["published"] for port in services()["swarm/hub"]["ports"]} <= PORTS


@pytest.mark.parametrize("pod", pods(), ids=["hub", "web"])
def test_a_pod_is_locked_down(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert "--read-only" in locked(pod, container) and "ALL" in locked(pod, container)
    assert not pod["automountServiceAccountToken"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert {volume["name"] for volume in pod["volumes"]} <= mounted


def test_a_pods_join_string_and_labels_are_found() -> None:
    (container,) = pods()[1]["containers"]
    given = variables(container)
    places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert given[joining.JOIN_FILE] == f"{places['join']}/{next(iter(kind('join.yaml', 'Secret')['stringData']))}"
    assert set(given) - {"POD_UID", "POD_NAMESPACE", "POD_SERVICE", "POD_NODE"} <= {
        joining.JOIN_FILE,
        *joining.HANDED_ON,
    }
    assert given["PIDONE_LABELS"] == "namespace=pidone,service=web,node=node-1"


def test_kubernetes_services_lead_to_pods() -> None:
    hub = kind("hub.yaml", "StatefulSet")["spec"]
    service = kind("hub.yaml", "Service")["spec"]
    assert service["selector"] == hub["selector"]["matchLabels"] == hub["template"]["metadata"]["labels"]
    assert {port["port"] for port in service["ports"]} == PORTS
    secret = {one["metadata"]["name"] for one in documents("join.yaml")}
    assert {v["secret"]["secretName"] for v in pods()[1]["volumes"] if "secret" in v} == secret


def test_the_configurations_in_manifests_are_sound(tmp_path: Path) -> None:
    name = "hub.pidone.svc.cluster.local"
    assert parse("hubd.ini", kind("hub.yaml", "ConfigMap")["data"]["hubd.ini"]).advertise == (name,)
    path = tmp_path / "initd.ini"
    path.write_text(kind("app.yaml", "ConfigMap")["data"]["initd.ini"])
    loaded = programs.load(str(path), {})
    assert loaded.config is not None, loaded.errors
    assert {program.name for program in loaded.config.programs} == {"web", "worker"}


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name == "podman"], ids=lambda path: path.name)
def test_quadlets_use_keys_that_podman_knows(path: Path) -> None:
    sections = unit(path)
    for section in {"Container", "Network", "Volume"} & set(sections):
        assert set(sections[section]) <= PODMAN_KEYS

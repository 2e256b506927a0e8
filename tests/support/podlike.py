"""The pods of images/kubernetes, rehearsed with a Docker engine: the same users, limits, commands, files and variables.

What a kubelet would do with the fields is done here with options of `docker run`; an option for each field that the
manifests use, and a KeyError for one that nobody translated.  Not rehearsed: scheduling, services, volumes' drivers.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.support.deployed import IMAGES, Deployment, Failed, run

FIELDS = {
    "metadata.uid": "4f1c9a52-6a0e-4a50-9d0e-6f2b1c8a7d31",
    "metadata.namespace": "pidone",
    "metadata.labels['app.kubernetes.io/name']": "web",
    "spec.nodeName": "node-1",
}
"""What the downward API would say."""


def documents(name: str) -> list[dict[str, Any]]:
    """All documents of images/kubernetes/NAME."""
    return list(yaml.safe_load_all((IMAGES / "kubernetes" / name).read_text()))


def kind(name: str, wanted: str) -> dict[str, Any]:
    """Its only document of a kind."""
    (found,) = [one for one in documents(name) if one["kind"] == wanted]
    return found


def locked(pod: dict[str, Any], container: dict[str, Any]) -> list[str]:
    """The options that a pod's and a container's security contexts stand for."""
    of_pod, own = pod["securityContext"], container["securityContext"]
    assert of_pod["runAsNonRoot"] and of_pod["runAsUser"] and not own["allowPrivilegeEscalation"]
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"} and own["readOnlyRootFilesystem"]
    user = f"{of_pod['runAsUser']}:{of_pod['runAsGroup']}"
    drops = [word for name in own["capabilities"]["drop"] for word in ("--cap-drop", name)]
    return ["--read-only", "--user", user, "--group-add", str(of_pod["fsGroup"]), *drops,
            "--security-opt", "no-new-privileges"]  # fmt: skip


def variables(container: dict[str, Any]) -> dict[str, str]:
    """The environment, `$(NAME)` replaced as a kubelet does: by what stands above."""
    found: dict[str, str] = {}
    for one in container.get("env", []):
        text = one["value"] if "value" in one else FIELDS[one["valueFrom"]["fieldRef"]["fieldPath"]]
        for name, value in found.items():
            text = text.replace(f"$({name})", value)
        found[one["name"]] = text
    return found


class Pods(Deployment):
    """hub-0 and one pod of `web` on a network of their own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.folder.chmod(0o755)
        self.name = f"pidone-test-pods-{os.getpid()}"
        self._boxes: list[str] = []
        run(["docker", "network", "create", self.name])

    def _files(self, place: str, files: dict[str, str], owner: int, mode: int) -> Path:
        """A directory as a ConfigMap or Secret shows it: root's, and the group's that fsGroup names."""
        folder = self.folder / place
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
            os.chown(folder / name, 0, owner)
            (folder / name).chmod(mode)
        return folder

    def _start(self, name: str, pod: dict[str, Any], mounts: dict[str, Path], *options: str) -> None:
        (container,) = pod["containers"]
        environment = [word for item in variables(container).items() for word in ("-e", "=".join(item))]
        places = {mount["name"]: mount for mount in container["volumeMounts"]}
        shown = [w for key, path in mounts.items() for w in ("-v", f"{path}:{places[key]['mountPath']}:ro")]
        command = container.get("command", [])
        entry = ["--entrypoint", command[0]] if command else []
        box = f"{self.name}-{name}"
        self._boxes.append(box)
        named = ["--name", box, "--hostname", name, "--network", self.name]
        command = [container["image"], *command[1:], *container.get("args", [])]
        run(["docker", "run", "-d", *named, *locked(pod, container), *environment, *shown, *entry, *options, *command])

    def start_hub(self) -> None:
        """hub-0, under the name that its ConfigMap advertises; its volume is the group's, as fsGroup makes it."""
        pod = kind("hub.yaml", "StatefulSet")["spec"]["template"]["spec"]
        group = pod["securityContext"]["fsGroup"]
        config = self._files("hub", kind("hub.yaml", "ConfigMap")["data"], 0, 0o644)
        state = self.folder / "state"
        state.mkdir()
        os.chown(state, 0, group)
        state.chmod(0o2770)
        (place,) = [m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "state"]
        advertised = "hub.pidone.svc.cluster.local"
        self._start("hub-0", pod, {"config": config}, "--network-alias", advertised,
                    "-v", f"{state}:{place['mountPath']}")  # fmt: skip

    def start_apps(self, join: str, count: int) -> None:
        """One pod of `web`."""
        assert count == 1
        pod = kind("app.yaml", "Deployment")["spec"]["template"]["spec"]
        (secret,) = [v["secret"] for v in pod["volumes"] if "secret" in v]
        files = self._files("join", {"join": join}, pod["securityContext"]["fsGroup"], secret["defaultMode"])
        config = self._files("web", kind("app.yaml", "ConfigMap")["data"], 0, 0o644)
        self._start("web-1", pod, {"config": config, "join": files})

    def hubctl(self, *words: str) -> str:
        return run(["docker", "exec", f"{self.name}-hub-0", "hubctl", *words])

    def unconfirmed(self) -> bool:
        """Whether the pod is there with both programs and its labels, although no engine confirms it."""
        rows = [r for r in json.loads(self.hubctl("agents", "--json")) if r["presence"] == "live" and self._whole(r)]
        return bool(rows) and rows[0]["claimed_labels"]["service"] == "web" and not rows[0]["verified"]

    def container_verbs_are_refused(self) -> bool:
        """Whether stopping the pod's container is refused, with words."""
        try:
            self.hubctl("stop", "--container", "web-1")
        except Failed as said:
            return "container verbs are unavailable" in str(said)
        return False

    def down(self) -> None:
        """Everything away."""
        for box in self._boxes:
            run(["docker", "rm", "-f", "-v", box])
        run(["docker", "network", "rm", self.name])
        self._folder.cleanup()

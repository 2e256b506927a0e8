"""An sshd as conf/apps/sshd-app.ini has it, in a network of its own, and sessions of somebody logged in there."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

from tests.support.pid1 import ROOT, Pid1
from tests.support.services import absent

NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""A loopback interface of its own, so that port 22 is free."""


def need_sshd() -> None:
    """Install openssh-server where it is missing and we may; the daemon is not started by that."""
    if not Path("/usr/sbin/sshd").exists():
        subprocess.run([ROOT / "script" / "prepare", "packages", "openssh-server", "openssh-client"])
    if not Path("/usr/sbin/sshd").exists():
        absent("sshd", "apt-get install openssh-server")


def config(folder: Path) -> str:
    """[program:sshd] of the example, word for word but for where the keys of the people are."""
    need_sshd()
    run = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")]
    subprocess.run(run, check=True)
    example = configparser.RawConfigParser(inline_comment_prefixes=(" ;",), strict=False)
    example.read(ROOT / "conf" / "apps" / "sshd-app.ini")
    section = dict(example["program:sshd"])
    keys = f"-o AuthorizedKeysFile={folder}/key.pub -o StrictModes=no"
    section["command"] = section["command"].replace("sshd -D -e", f"sshd -D -e {keys}")
    return "[initd]\n[program:sshd]\n" + "".join(f"{name}={value}\n" for name, value in section.items())


class Session:
    """Somebody logged in, who runs `cat`; `say` gives it a line and waits for it to come back."""

    def __init__(self, init: Pid1, folder: Path) -> None:
        options = [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectionAttempts=30",
        ]
        words = [word for option in options for word in ("-o", option)]
        self.process = subprocess.Popen(
            [
                "nsenter",
                "-t",
                str(init.pid),
                "-n",
                "ssh",
                "-i",
                str(folder / "key"),
                *words,
                "root@127.0.0.1",
                "exec cat",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def say(self, text: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def log_out(self) -> int:
        """The exit status of ssh."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)

    def destroy(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)

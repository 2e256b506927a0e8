"""Root file systems of a few files, for images that hold no Python: busybox alone, with glibc, with musl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support import services

BUSYBOX = Path("/bin/busybox")
MUSL = Path("/lib/ld-musl-x86_64.so.1")
GLIBC = ("/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2")
KINDS = ("busybox", "glibc", "musl")


def make(kind: str, root: Path) -> Path:
    """Fill `root` as the kind says; the test does not run where a package for it is missing."""
    if not BUSYBOX.exists():
        services.absent("a static busybox", "apt-get install busybox-static")
    (root / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin" / "busybox")
    _applets(root)
    if kind == "glibc":
        for library in map(Path, GLIBC):
            _copy(library, root)
    if kind == "musl":
        if not MUSL.exists():
            services.absent("musl's loader", "apt-get install musl")
        _copy(MUSL, root)
    return root


def _applets(root: Path) -> None:
    """What a small distribution has: applets by name, accounts, the usual directories."""
    names = subprocess.run([BUSYBOX, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    for name in names:
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    for folder in ("etc", "tmp", "run", "proc", "sys", "dev", "root"):
        (root / folder).mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")


def _copy(file: Path, root: Path) -> None:
    target = root / file.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)

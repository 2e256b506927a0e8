"""Build and tag pidone's images, each once for each content.

Every image carries a label with the hash of what went into it; an image whose label already says the hash is left
alone, so that a build is free where nothing changed, and several callers share one.  The legacy builder is used
(DOCKER_BUILDKIT=0), because buildx is absent where only Debian's docker.io is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = (ROOT / "VERSION").read_text().strip()
LABEL = "pidone.content"
PACKAGES = {"initd": ("initd", "wire"), "lean": ("initd", "wire"), "hub": ("initd", "wire", "hub")}
PLACE = {"initd": "opt/initd", "lean": "opt/initd", "hub": "opt/hub"}
DOCKERFILE = {"initd": "initd", "lean": "initd", "hub": "hub"}
TAGS = {"initd": f"pidone/initd:{VERSION}", "lean": f"pidone/initd:{VERSION}-lean", "hub": f"pidone/hub:{VERSION}"}
"""`lean` is initd without link."""
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class BuildError(Exception):
    """An image could not be built; the text is what the builder said last."""


def product(kind: str, tag: str | None = None) -> str:
    """Build pidone/initd (`initd`; `lean` without link) or pidone/hub from the source tree; returns its tag."""
    tag = tag or TAGS[kind]
    recipe = [
        ROOT / "VERSION",
        ROOT / "images" / "bundle",
        ROOT / "images" / "launcher.c",
        ROOT / "images" / "launcher.h",
        ROOT / "images" / "needed.py",
        ROOT / "images" / "unused.txt",
    ]
    content = digest([*recipe, ROOT / "images" / DOCKERFILE[kind], *(ROOT / package for package in PACKAGES[kind])])
    with building(tag, content) as needed:
        if needed:
            with context() as place:
                _bundle(kind, place)
                shutil.copy(ROOT / "images" / DOCKERFILE[kind] / "Dockerfile", place)
                docker_build(place, tag, content)
    return tag


def example(name: str, base: str | None = None, initd: str | None = None) -> str:
    """Build images/NAME (shop, jobs) on a base that images/base makes; returns its tag, pidone/NAME:VERSION."""
    base = base or local_base("demo")
    initd = initd or product("initd")
    return build(ROOT / "images" / name, f"pidone/{name}:{VERSION}", BASE=base, INITD=initd)


def build(folder: Path, tag: str, **args: str) -> str:
    """Build the Dockerfile in a folder with build arguments; image names among them count by what they hold."""
    held = sorted(f"{name}={value}@{image_id(value)}" for name, value in args.items())
    content = digest([folder], *held)
    with building(tag, content) as needed:
        if needed:
            docker_build(folder, tag, content, **args)
    return tag


def local_base(variant: str) -> str:
    """The tag of a base image made on this machine: slim, demo or apps (images/base)."""
    done = subprocess.run([str(ROOT / "images" / "base"), variant], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise BuildError(f"images/base {variant} failed, see above")
    return done.stdout.strip()


def digest(paths: Sequence[Path], *more: str) -> str:
    """Hash of files and folders by relative name, mode and content; compiled files do not count."""
    total = hashlib.sha256(json.dumps(more).encode())
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                name = f"{path.name}/{file.relative_to(path)} {file.stat().st_mode & 0o777:o}\0"
                total.update(name.encode() + file.read_bytes())
    return total.hexdigest()[:16]


def image_id(name: str) -> str:
    """The id of an image by its tag, "" where there is none."""
    done = _docker("image", "inspect", "--format", "{{.Id}}", name)
    return done.stdout.strip() if done.returncode == 0 else ""


def image_size(name: str) -> int:
    """Bytes."""
    return int(_docker("image", "inspect", "--format", "{{.Size}}", name).stdout)


@contextmanager
def building(tag: str, content: str) -> Iterator[bool]:
    """True where the tag does not yet hold this content; one builder of a tag at a time.  Raises BuildError."""
    locks = Path(tempfile.gettempdir()) / f"pidone-build-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    with open(locks / tag.replace("/", "_"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        label = _docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', tag)
        if label.returncode and "no such" not in label.stderr.lower():
            raise BuildError(f"no Docker engine to build with: {label.stderr.strip()[-500:]}")
        yield label.returncode != 0 or label.stdout.strip() != content


@contextmanager
def context() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pidone-image-") as place:
        yield Path(place)


def docker_build(folder: Path, tag: str, content: str, **args: str) -> None:
    """Run the legacy builder.  Raises BuildError."""
    options = [word for name, value in args.items() for word in ("--build-arg", f"{name}={value}")]
    command = ["build", "--quiet", "--force-rm", "--tag", tag, "--label", f"{LABEL}={content}", *options, str(folder)]
    done = _docker(*command)
    if done.returncode:
        raise BuildError(f"docker {' '.join(command)}:\n{(done.stdout + done.stderr)[-2000:]}")


def _bundle(kind: str, place: Path) -> None:
    """The parts of a product image: the bundle, and for the hub the few files that an empty image lacks."""
    target = place / "rootfs" / PLACE[kind]
    target.parent.mkdir(parents=True)
    what = ["initd", "--without-link"] if kind == "lean" else [kind]
    done = subprocess.run([sys.executable, str(ROOT / "images" / "bundle"), *what, str(target)])
    if done.returncode:
        raise BuildError(f"images/bundle {kind} failed, see above")
    if kind == "hub":
        for folder, mode in (("state", 0o700), ("rootfs/etc/pidone", 0o755), ("rootfs/tmp", 0o1777)):
            (place / folder).mkdir(parents=True)
            (place / folder).chmod(mode)
        (place / "rootfs/etc/passwd").write_text("root:x:0:0::/:/none\npidone:x:65532:65532::/var/lib/pidone:/none\n")
        (place / "rootfs/etc/group").write_text("root:x:0:\npidone:x:65532:\n")


def _docker(*argv: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "DOCKER_BUILDKIT": "0"}
    try:
        return subprocess.run(["docker", *argv], capture_output=True, text=True, env=environ)
    except FileNotFoundError:
        raise BuildError("no docker client: apt-get install docker.io, or script/engine start") from None


def main(argv: Sequence[str]) -> int:
    """`script/image NAME [--tag TAG]`."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="script/image",
        description="Build and tag an image of pidone; nothing is built where the tag already holds these sources.",
        epilog="examples:\n  script/image initd\n  script/image initd --without-link\n"
        "  script/image hub --tag registry.example/pidone/hub:test\n"
        "  docker build --build-arg BASE=$(images/base demo) images/shop",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=["initd", "hub", "shop", "jobs"], help="initd, hub; shop, jobs: the demo's")
    parser.add_argument("--tag", help=f"tag of initd or hub (default: pidone/NAME:{VERSION})")
    parser.add_argument("--without-link", action="store_true", help="initd that cannot join a hub: smaller, no wheels")
    args = parser.parse_args(argv)
    if args.without_link and args.name != "initd":
        parser.error("--without-link is for initd only")
    kind = "lean" if args.without_link else args.name
    try:
        tag = product(kind, args.tag) if args.name in PLACE else example(args.name)
    except BuildError as error:
        print(f"script/image: {error}", file=sys.stderr)
        return 1
    print(tag)
    print(f"script/image: {tag} holds {image_size(tag) / 1e6:.1f} MB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Running pidone's own modules isolated from the application's Python, in whichever prefix they are installed.

Theory.  A command of pidone must not see the application's PYTHONPATH, PYTHONHOME, LD_PRELOAD or working directory,
and the programs it starts must see exactly these.  Isolation is the interpreter's `-I`; but something has to start the
interpreter, and that something alters the environment: a shell drops names it cannot spell and adds PWD, Python itself
adds LC_CTYPE where the locale is "C" (PEP 538), and a loader of our own must not preload the image's libraries.  So
each launcher hands the environment it was given to the interpreter on a file descriptor named by
`-X pidone.environ=FD`, and `restore` puts it back before anything reads it.

Three launchers know this protocol: `images/launcher.c` (the bundle) and `images/installed.c` (pip) write the block raw;
`bin/initd`, the shell script that pip installs where no compiler is, writes it in hexadecimal.  It is the NUL-separated
block of environ(7).
"""

from __future__ import annotations

import os
import sys

OPTION = "pidone.environ"
NAME = "pidone.called"
"""Given where the launcher was called by another name than ours."""
UNSET = "pidone.lc_ctype"
"""Given where a shell could not hand over its environment: LC_CTYPE was not set, so Python has added it."""
SITE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The directory that holds our packages."""

COMMANDS = {
    "initd": "initd",
    "initd.link": "initd-link",
    "initd.compat.rpc": "initd-rpc",
    "initd.logs.compress": "initd-compress",
    "initd.ctl.scrape": "initd-metrics",
    "hub": "hubd",
    "hub.ctl": "hubctl",
    "console": "consoled",
}
"""Module to the name of its command."""
EXTRAS = {"initd.link": "link", "hub": "hub", "hub.ctl": "hub", "console": "console"}
"""Module to the extra of the distribution that brings what it imports."""


def restore() -> None:
    """Make os.environ what the caller of the launcher gave it; without a launcher's word nothing changes."""
    if sys._xoptions.pop(UNSET, None):
        os.environ.pop("LC_CTYPE", None)
    fd = sys._xoptions.pop(OPTION, None)
    if not isinstance(fd, str) or not fd.isdigit():
        return
    try:
        with open(int(fd), "rb", buffering=0) as carrier:
            block = carrier.readall()
    except OSError:
        return
    environ = parse(block or b"")
    if environ is not None:
        _replace(environ)


def called() -> str:
    """The name of another program that we were called by, `initd` otherwise."""
    name = sys._xoptions.get(NAME)
    return name if isinstance(name, str) else "initd"


def parse(block: bytes) -> dict[str, str] | None:
    """The variables of an environ(7) block, raw or in hexadecimal; None where a shell could not read its own.

    A raw block is empty or ends with NUL; the shell's ends with a newline and, read in vain, holds nothing else.
    """
    raw = block
    if block and not block.endswith(b"\0"):
        raw = bytes.fromhex(block.decode("ascii"))
        if not raw:
            return None
    pairs = (os.fsdecode(entry).partition("=") for entry in raw.split(b"\0"))
    return {name: value for name, equals, value in pairs if name and equals}


def _replace(environ: dict[str, str]) -> None:
    for name in set(os.environ) - set(environ):
        del os.environ[name]
    os.environ.update(environ)


def command(module: str) -> list[str]:
    """argv that runs another of our modules (`initd.link`, `hub`...) isolated, in this very installation.

    In the bundle that is the static launcher: its interpreter cannot be started without the bundle's own loader.
    """
    launcher = os.path.join(sys.prefix, COMMANDS[module])
    if os.path.exists(os.path.join(sys.prefix, "lib", "ld.so")) and os.path.exists(launcher):
        return [launcher]
    flags = "-I" if module in EXTRAS else "-IS"
    return [sys.executable, flags, os.path.join(SITE, "initd", "prefix.py"), module]


def version() -> str:
    """The version installed, `unknown` where its file is missing."""
    for directory in (os.path.join(SITE, "initd"), SITE):
        try:
            with open(os.path.join(directory, "VERSION"), encoding="ascii") as file:
                return file.read(64).strip()
        except OSError:
            continue
    return "unknown"


def _end_of_library(path: list[str]) -> int:
    """Where site-packages begin: our packages come after the standard library and before another copy of themselves."""
    return next((i for i, entry in enumerate(path) if entry.endswith(("site-packages", "dist-packages"))), len(path))


def _unpack() -> None:
    """Take our modules out of the pack, if there is one; imported by name, since it leads to the whole of PID 1."""
    if os.path.exists(f"{SITE}/initd/packed.{sys.implementation.cache_tag}"):
        __import__("initd.__main__", fromlist=["unpack"]).unpack(f"{SITE}/initd")


def main(argv: list[str]) -> None:
    """`python3 -I prefix.py MODULE ARG...`: run MODULE as `python3 -m` would, found beside us and nowhere else."""
    import runpy

    restore()
    sys.path.insert(_end_of_library(sys.path), SITE)
    sys.argv = argv[1:]
    _unpack()
    if argv[1] == "initd.link" and not any(map(os.path.exists, (f"{SITE}/initd/link", f"{SITE}/initd/link.py"))):
        print("initd-link: this initd was built without what joins it to a hub", file=sys.stderr)
        sys.exit(2)
    try:
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        if argv[1] not in EXTRAS or (error.name or "").partition(".")[0] in ("", "initd", "wire", "hub"):
            raise
        name = COMMANDS[argv[1]]
        print(f"{name}: Python has no module {error.name}: pip install 'pidone[{EXTRAS[argv[1]]}]'", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv)

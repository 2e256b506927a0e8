"""`initd install-names DIR`: have the commands tini, dumb-init, supervisord and supervisorctl be this initd.

An installed original is never overwritten unasked: a pip installation brings none of these names by itself.
"""

from __future__ import annotations

import argparse
import os
import sys

from initd.errors import DONE, FAILED, USAGE
from initd.options import CALLED
from initd.prefix import SITE

NAMES = ("tini", "dumb-init", "supervisord", "supervisorctl")
"""What is linked where no name is given; more are understood (initd.options.CALLED)."""


def launcher() -> str | None:
    """The file that starts this very initd: the bundle's, the source tree's, or what pip put beside its Python."""
    places = [
        os.path.join(sys.prefix, "initd"),
        os.path.join(SITE, "bin", "initd"),
        os.path.join(os.path.dirname(SITE), "..", "..", "bin", "initd"),
        os.path.join(os.path.dirname(sys.executable), "initd"),
    ]
    found = (place for place in places if os.access(place, os.X_OK) and os.path.isfile(place))
    return next(map(os.path.realpath, found), None)


def main_install_names(argv: list[str]) -> int:
    """Run the verb; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="initd install-names",
        description="Link the names of other inits to this initd, which speaks their languages.",
        epilog="examples:\n  initd install-names /usr/local/bin\n  initd install-names /usr/bin tini --force\n\n"
        "exit status: 0 done, 1 a name is taken or the directory refuses, 2 usage; nothing is changed unless 0",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", metavar="DIR", help="where the links go; before the originals in PATH, or theirs")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(NAMES)}")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    try:
        options = parser.parse_args(argv)
    except SystemExit as leaving:
        return DONE if leaving.code in (0, None) else USAGE
    unknown = [name for name in options.names if name not in CALLED]
    if unknown:
        return _complain(f"initd does not speak {unknown[0]!r}: {', '.join(sorted(CALLED))}", USAGE)
    target = launcher()
    if target is None:
        return _complain("cannot find the command that starts this initd", FAILED)
    return install(options.directory, tuple(options.names) or NAMES, target, options.force)


def install(directory: str, names: tuple[str, ...], target: str, force: bool) -> int:
    """Link all of them or none; returns the exit status."""
    taken = [] if force else [name for name in names if _is_foreign(os.path.join(directory, name), target)]
    if taken:
        return _complain(f"{os.path.join(directory, taken[0])} is there already; --force replaces it", FAILED)
    for name in names:
        path = os.path.join(directory, name)
        try:
            _link(target, path)
        except OSError as error:
            return _complain(f"{path}: {error.strerror}", FAILED)
        print(f"{path} -> {target}")
    return DONE


def _is_foreign(path: str, target: str) -> bool:
    return os.path.lexists(path) and os.path.realpath(path) != target


def _link(target: str, path: str) -> None:
    """In place of what is there, at once: whoever calls it meanwhile finds the old or the new."""
    fresh = f"{path}.pidone-{os.getpid()}"
    os.symlink(target, fresh)
    try:
        os.replace(fresh, path)
    except OSError:
        os.unlink(fresh)
        raise


def _complain(text: str, status: int) -> int:
    print(f"initd install-names: {text}", file=sys.stderr)
    return status

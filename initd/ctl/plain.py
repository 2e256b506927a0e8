"""The command lines that machines type every few seconds, read without argparse: a third of their time.

Where it may be anything else than `status [NAME...]` or `healthy [--essential]`, with or without --json, argparse
decides.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from types import SimpleNamespace
else:
    SimpleNamespace = type(sys.implementation)  # as the module types has it, without that module

NAMES = ("status",)
"""Verbs that take names."""
VERBS = ("status", "healthy")


def plain(argv: list[str]) -> Namespace | None:
    """What argparse would make of it, None where it should be asked."""
    verb, *words = argv
    known = ("--json",) if verb in NAMES else ("--json", "--essential")
    names = [word for word in words if word not in known]
    if verb not in VERBS or any(name.startswith("-") for name in names) or (names and verb not in NAMES):
        return None
    more = {"names": names} if verb in NAMES else {"essential": "--essential" in words}
    return SimpleNamespace(verb=verb, json="--json" in words, socket=None, **more)  # type: ignore[return-value]

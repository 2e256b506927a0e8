"""Capabilities and no_new_privs, by way of ctypes: for the child of a fork only, never for PID 1 itself.

Theory (capabilities(7)).  What a program may become is bounded by the *bounding* set; what it has after an execve as
root is its inheritable set and its bounding set, and as another user its *ambient* set, which holds nothing that is not
permitted and inheritable.  So those to keep are put into all five sets and all others taken out of them.  Taking from
the bounding set needs CAP_SETPCAP, so it comes before the change of user; PR_SET_KEEPCAPS carries the permitted set
over it.  The rest needs nothing.
"""

from __future__ import annotations

import ctypes
import errno
import os

from initd.config.topics.limits import CAPABILITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from initd.spawn import Tell

SET_KEEPCAPS, CAPBSET_READ, CAPBSET_DROP, SET_NO_NEW_PRIVS, AMBIENT = 8, 23, 24, 38, 47
AMBIENT_RAISE, AMBIENT_CLEAR_ALL = 2, 4
"""Numbers of prctl(2), linux/prctl.h."""

VERSION_3 = 0x20080522
"""Of the capability sets: two words of 32 bits each (linux/capability.h)."""

HIGHEST = 63
"""No kernel has more."""

libc = ctypes.CDLL(None, use_errno=True)


def reduce_bounds(kept: Collection[str], tell: Tell) -> None:
    """Take all others out of the bounding set, and carry the permitted one over a change of user."""
    _prctl(SET_KEEPCAPS, 1)
    numbers = {CAPABILITIES.index(name) for name in kept}
    refused = 0
    for number in range(HIGHEST + 1):
        if number not in numbers and _prctl(CAPBSET_READ, number) == 1 and _prctl(CAPBSET_DROP, number) < 0:
            refused = ctypes.get_errno()
    if refused:
        tell("capabilities", OSError(refused, "", "others can be gained again by executing files that grant them"))


def keep(kept: Collection[str], tell: Tell) -> None:
    """Have these and no others; told of those that are not ours to keep."""
    permitted = _permitted()
    wanted = sum(1 << CAPABILITIES.index(name) for name in kept)
    missing = [name for name in kept if not permitted >> CAPABILITIES.index(name) & 1]
    if missing:
        tell("capabilities", OSError(errno.EPERM, "", f"initd itself has no {', '.join(missing)}"))
    _prctl(AMBIENT, AMBIENT_CLEAR_ALL)
    if not _set(wanted & permitted):
        tell("capabilities", OSError(ctypes.get_errno(), ""))
    for name in kept:
        if name not in missing and _prctl(AMBIENT, AMBIENT_RAISE, CAPABILITIES.index(name)) < 0 and os.getuid() != 0:
            tell("capabilities", OSError(ctypes.get_errno(), "", f"{name} does not survive the execve"))


def forswear(tell: Tell) -> None:
    """Gain no privileges by execve any more."""
    if _prctl(SET_NO_NEW_PRIVS, 1) < 0:
        tell("no_new_privs", OSError(ctypes.get_errno(), ""))


def _prctl(option: int, *arguments: int) -> int:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return int(libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(value) for value in padded)))


def _permitted() -> int:
    header, sets = (ctypes.c_uint32 * 2)(VERSION_3, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets) < 0:
        return 0
    return int(sets[1]) | int(sets[4]) << 32


def _set(bits: int) -> bool:
    """The effective, permitted and inheritable set at once."""
    low, high = bits & 0xFFFFFFFF, bits >> 32
    header = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    return int(libc.capset(header, (ctypes.c_uint32 * 6)(low, low, low, high, high, high))) == 0

"""What can go wrong, sorted by who can mend it.

    InitdError
    ├── OperatorError      the person who wrote the command line or the configuration (exit status 2)
    │   ├── NotSignallable   a signal for a program that has no process, or one the kernel does not let us signal
    │   ├── NotWritable      text for a program that does not read its stdin, or does not read on
    │   └── StillStopping    a start while everything is being stopped
    └── SystemFault        the machine: out of something, not permitted, not there (exit status 1)
        └── StartFailed      one program could not be started: which step, which errno

Exit statuses of initd's own verbs: 0 done, 1 failed, 2 usage or configuration, 3 cannot reach the daemon, 4 partly.
"""

from __future__ import annotations

import os

DONE, FAILED, USAGE, UNREACHABLE, PARTLY = 0, 1, 2, 3, 4


class InitdError(Exception):
    """Base of all errors that initd raises on purpose."""


class OperatorError(InitdError):
    """What was asked for makes no sense; the text says what to change."""


class NotSignallable(OperatorError):
    """There is nothing to signal, or the kernel refuses."""


class NotWritable(OperatorError):
    """There is no stdin to write to, its reader closed it, or too much waits for that reader already."""


class StillStopping(OperatorError):
    """Nothing is started during a shutdown or reload."""


class SystemFault(InitdError):
    """The machine refused something that made sense."""


class StartFailed(SystemFault):
    """A program's process did not come to be.

    `step` is one of `command`, `environment`, `pipe`, `fork`, `descriptors`, `limits`, `user`, `chdir`, `exec`.
    """

    def __init__(self, step: str, number: int | None, what: str = "") -> None:
        super().__init__(step, number, what)
        self.step = step
        self.errno = number
        self.what = what

    def __str__(self) -> str:
        reason = os.strerror(self.errno) if self.errno is not None else ""
        return ": ".join(part for part in (self.step, self.what, reason) if part)

"""The words of supervisor's XML-RPC API: faults, states, and names of processes; pure.

Codes and texts are supervisor 4.3.0's (xmlrpc.py, states.py); clients compare them.
"""

from __future__ import annotations

FAULTS = {
    "UNKNOWN_METHOD": 1,
    "INCORRECT_PARAMETERS": 2,
    "BAD_ARGUMENTS": 3,
    "SIGNATURE_UNSUPPORTED": 4,
    "SHUTDOWN_STATE": 6,
    "BAD_NAME": 10,
    "BAD_SIGNAL": 11,
    "NO_FILE": 20,
    "NOT_EXECUTABLE": 21,
    "FAILED": 30,
    "ABNORMAL_TERMINATION": 40,
    "SPAWN_ERROR": 50,
    "ALREADY_STARTED": 60,
    "NOT_RUNNING": 70,
    "SUCCESS": 80,
    "ALREADY_ADDED": 90,
    "STILL_RUNNING": 91,
    "CANT_REREAD": 92,
}
"""Fault codes by name."""

CODES = {
    "STOPPED": 0,
    "STARTING": 10,
    "RUNNING": 20,
    "BACKOFF": 30,
    "STOPPING": 40,
    "EXITED": 100,
    "FATAL": 200,
    "UNKNOWN": 1000,
}
"""State codes of processes."""

STOPPED_STATES = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
RUNNING_STATES = ("RUNNING", "BACKOFF", "STARTING")
SIGNALLABLE_STATES = ("RUNNING", "STARTING", "STOPPING")

API_VERSION, VERSION = "3.0", "4.3.0"
"""Of the API, and of the supervisor that we answer as."""


class Fault(Exception):
    """What a method answers instead of a result; `name` is one of FAULTS."""

    def __init__(self, name: str, extra: object = None, text: str | None = None) -> None:
        self.name = name
        self.code = FAULTS.get(name, FAULTS["FAILED"])
        self.text = text if text is not None else name if extra is None else f"{name}: {extra}"
        super().__init__(self.text)


class RemoteFault(Fault):
    """A fault that another daemon answered, by code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(NAMES.get(code, "FAILED"), text=text)
        self.code = code


NAMES = {code: name for name, code in FAULTS.items()}


def split_name(text: str) -> tuple[str, str | None]:
    """Group and process of `web`, `pool:worker_0`; the process is None for `pool:*` and `pool:`."""
    group, colon, process = text.partition(":")
    if not colon:
        return text, text
    return group, process if process not in ("", "*") else None


def join_name(group: str, process: object) -> str:
    """What people type: short where both are the same."""
    return group if group == process else f"{group}:{process}"

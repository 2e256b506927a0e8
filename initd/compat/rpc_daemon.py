"""Methods about the daemon as a whole: shutdown, restart, and the groups of its configuration."""

from __future__ import annotations

from initd.compat.rpc_initd import Initd, text
from initd.compat.rpc_method import After, Method
from initd.compat.rpc_words import Fault
from wire.limits import STDIN_CHUNK_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.compat.rpc_initd import Row


def shutdown(initd: Initd) -> object:
    initd.check_running()
    return After(True, lambda: initd.ask("shutdown"))


def restart(initd: Initd) -> object:
    initd.check_running()
    return After(True, lambda: initd.ask("reload"))


def reload_config(initd: Initd) -> object:
    initd.check_running()
    groups: Row = initd.ask("reread")["groups"]
    return [[groups["added"], groups["changed"], groups["removed"]]]


def add_group(initd: Initd, name: object) -> object:
    initd.check_running()
    return _change(initd, "add", name)


def remove_group(initd: Initd, name: object) -> object:
    initd.check_running()
    return _change(initd, "remove", name)


def _change(initd: Initd, verb: str, name: object) -> bool:
    try:
        initd.ask(verb, group=text(name))
    except Fault as fault:
        raise Fault("BAD_NAME" if fault.name == "INCORRECT_PARAMETERS" else fault.name, name) from fault
    return True


def communicate(initd: Initd, type: object, data: object) -> object:
    """Answered during a shutdown too, as by supervisord."""
    if not isinstance(type, str) or not isinstance(data, str) or len(data) > STDIN_CHUNK_CHARS:
        raise Fault("INCORRECT_PARAMETERS")
    initd.ask("announce", type=type, data=data)
    return True


GROUP = "string name a group of the configuration"
DONE = "boolean result true"

METHODS = {
    "shutdown": Method(shutdown, DONE, "Stop everything and leave."),
    "restart": Method(restart, DONE, "Stop everything, read the configuration, and start anew."),
    "reloadConfig": Method(
        reload_config, "array [[added, changed, removed]]", "Read the configuration, and tell which groups differ."
    ),
    "addProcessGroup": Method(add_group, DONE, "Take up a group that the configuration has now.", GROUP),
    "removeProcessGroup": Method(remove_group, DONE, "Give up a group that is stopped.", GROUP),
    "sendRemoteCommEvent": Method(
        communicate, DONE, "Send an event to listeners.", "string type kind of event", "string data its text"
    ),
}

"""The API as a whole: `supervisor.*` and `system.*` by name, with supervisor's faults."""

from __future__ import annotations

from initd.compat import rpc_control, rpc_daemon, rpc_info, rpc_logs
from initd.compat.rpc_initd import Initd
from initd.compat.rpc_method import After, Declared, Method, help_text, signature
from initd.compat.rpc_words import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SUPERVISOR = {**rpc_info.METHODS, **rpc_control.METHODS, **rpc_logs.METHODS, **rpc_daemon.METHODS}


def list_methods(initd: Initd) -> object:
    return sorted(METHODS)


def _declared(name: object) -> Declared:
    if not isinstance(name, str) or name not in METHODS:
        raise Fault("SIGNATURE_UNSUPPORTED")
    return METHODS[name]


def method_help(initd: Initd, name: object) -> object:
    return help_text(_declared(name))


def method_signature(initd: Initd, name: object) -> object:
    return signature(_declared(name))


def multicall(initd: Initd, calls: object) -> object:
    if not isinstance(calls, list):
        raise Fault("INCORRECT_PARAMETERS")
    results, later = [], []
    for one in calls:
        result = _one_of_many(initd, one)
        if isinstance(result, After):
            later.append(result.act)
            result = result.result
        results.append(result)
    return After(results, lambda: [act() for act in later]) if later else results


def _one_of_many(initd: Initd, one: object) -> object:
    """The result of one call of a multicall, a fault as a struct."""
    try:
        if not isinstance(one, dict) or not isinstance(one.get("params", []), list):
            raise Fault("INCORRECT_PARAMETERS")
        name = one.get("methodName")
        if name is None:
            raise Fault("INCORRECT_PARAMETERS", "No methodName")
        if name == "system.multicall":
            raise Fault("INCORRECT_PARAMETERS", "Recursive system.multicall forbidden")
        return call(initd, name, one.get("params", []))
    except Fault as fault:
        return {"faultCode": fault.code, "faultString": fault.text}


SYSTEM = {
    "listMethods": Method(list_methods, "array result names", "The methods there are."),
    "methodHelp": Method(method_help, "string result text", "What a method does.", "string name a method"),
    "methodSignature": Method(
        method_signature, "array result types", "Types of a method's result and arguments.", "string name a method"
    ),
    "multicall": Method(
        multicall,
        "array results in order, each a result or a struct with faultCode and faultString",
        "Carry out several calls one after the other.",
        "array calls structs with methodName and params",
    ),
}

METHODS: dict[str, Declared] = {
    **{f"supervisor.{name}": method for name, method in SUPERVISOR.items()},
    **{f"system.{name}": method for name, method in SYSTEM.items()},
}


def call(initd: Initd, name: object, args: Sequence[object]) -> object:
    """The result of a method, or After where something is to follow its answer.  Raises Fault."""
    method = METHODS.get(name) if isinstance(name, str) else None
    if method is None:
        raise Fault("UNKNOWN_METHOD")
    if not method.needs <= len(args) <= len(method.takes):
        raise Fault("INCORRECT_PARAMETERS")
    return method.run(initd, *args)

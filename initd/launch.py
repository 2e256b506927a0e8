"""From a program's configuration to the order that `spawn` carries out: its environment, its descriptors."""

from __future__ import annotations

from initd.spawn import Order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from initd.config.records import Program as Configured

SECRETS = ("PIDONE_JOIN", "PIDONE_JOIN_FILE", "PIDONE_KEY", "PIDONE_TOKEN", "PIDONE_TRACE_IMPORTS")
"""Variables of initd's own environment that no program may see: they admit to the fleet, or are for our tests."""


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What programs inherit of the environment initd was started with."""
    return {name: value for name, value in environ.items() if name not in SECRETS}


def child_environment(base: Mapping[str, str], config: Configured) -> dict[str, str]:
    """supervisord's, in rising priority: inherited, SUPERVISOR_*, [supervisord] and program environment= (merged).

    SUPERVISOR_SERVER_URL is set where serverurl= names a server; initd's own socket does not speak XML-RPC.
    """
    child = {
        **base,
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": config.name,
        "SUPERVISOR_GROUP_NAME": config.group,
    }
    if config.serverurl:
        child["SUPERVISOR_SERVER_URL"] = config.serverurl
    child.update(config.environment)
    return child


def order_for(config: Configured, base: Mapping[str, str], stdin: int, stdout: int, stderr: int) -> Order:
    """The order that starts one process of a program."""
    return Order(
        argv=config.argv,
        environ=child_environment(base, config),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        directory=config.directory,
        umask=config.umask,
        user=config.user,
    )

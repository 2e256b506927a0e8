"""From a program's configuration to the order that `spawn` carries out: its environment, its descriptors."""

from __future__ import annotations

from initd.spawn import Order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from initd.config.records import Config, Server
    from initd.config.records import Program as Configured

SECRETS = ("PIDONE_JOIN", "PIDONE_JOIN_FILE", "PIDONE_KEY", "PIDONE_TOKEN", "PIDONE_TRACE_IMPORTS")
"""Variables of initd's own environment that no program may see: they admit to the fleet, or are for our tests."""

SERVER_URL = "SUPERVISOR_SERVER_URL"


def base_environment(environ: Mapping[str, str], config: Config | None = None) -> dict[str, str]:
    """What programs inherit of the environment initd was started with, and the URL of the configuration's server."""
    base = {name: value for name, value in environ.items() if name not in SECRETS}
    url = server_url(config.servers) if config is not None else None
    return base if url is None else {**base, SERVER_URL: url}


def server_url(servers: tuple[Server, ...]) -> str | None:
    """Where the XML-RPC API is, as supervisord tells it: the first unix socket, else the first address, if any."""
    for server in servers:
        if server.address.startswith("/"):
            return f"unix://{server.address}"
    for server in servers:
        host, _, port = server.address.rpartition(":")
        return f"http://{host or 'localhost'}:{port}"
    return None


def child_environment(base: Mapping[str, str], config: Configured) -> dict[str, str]:
    """supervisord's, in rising priority: inherited, SUPERVISOR_*, [supervisord] and program environment= (merged).

    SUPERVISOR_SERVER_URL is set where serverurl= names a server or the file asks for one (`base`).
    """
    child = {
        **base,
        "SUPERVISOR_ENABLED": "1",
        "SUPERVISOR_PROCESS_NAME": config.name,
        "SUPERVISOR_GROUP_NAME": config.group,
    }
    if config.serverurl:
        child[SERVER_URL] = config.serverurl
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

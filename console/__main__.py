"""consoled: serves the console."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import uvicorn

from console.app import application
from console.auth.access import open_access
from console.auth.store import StoreAway
from console.hubclient import Hubs
from console.settings import OPTIONS, ConfigError, Settings, read

CONF = "/etc/pidone/consoled.ini"
EXAMPLES = """\
examples:
  hubctl keys create console --role admin --out /etc/pidone/console.json   once: a key for the console
  consoled                                                serve as /etc/pidone/consoled.ini says
  consoled -c my.ini --check                              tell all problems of a file, and end
  consoled --options                                      what may stand in it
"""


def main(argv: Sequence[str]) -> int:
    """Exit status: 0, 1 where it cannot serve, 2 for a configuration or an option that is wrong."""
    asked = _parser().parse_args(argv)
    if asked.options:
        print("\n".join(f"{one.name:20} {one.default or '-':42} {one.doc}" for one in OPTIONS))
        return 0
    try:
        settings = read(asked.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if asked.check else _serve(settings)


def _serve(settings: Settings) -> int:
    try:
        access = open_access(settings.auth, say)
    except (StoreAway, ValueError) as error:
        say(f"store: {error}")
        return 1
    host, port = settings.listen
    scheme = "https" if settings.tls_cert else "http"
    say(f"serving {settings.auth.public_url or f'{scheme}://{host}:{port}'}")
    options = {"ssl_certfile": settings.tls_cert or None, "ssl_keyfile": settings.tls_key or None}
    # forwarded headers are the guard's business, and a name of the server helps nobody
    config = uvicorn.Config(
        application(Hubs(settings.keys), access, _version()), host, port, log_level="warning", ws="none",
        proxy_headers=False, server_header=False, timeout_graceful_shutdown=3, **options,  # type: ignore[arg-type]
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "consoled", description="The console: REST, a live page, roles and audit, for people. Talks to hubs alone.",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("-c", "--config", metavar="FILE", default=CONF, help=f"configuration; {CONF}")
    parser.add_argument("--check", action="store_true", help="tell all problems of the configuration, and end")
    parser.add_argument("--options", action="store_true", help="list what may stand in it, and end")
    parser.add_argument("--version", action="version", version=f"consoled {_version()}")
    return parser


def say(line: str) -> None:
    """One line for the log."""
    print(f"consoled: {line}", file=sys.stderr, flush=True)


def _version() -> str:
    try:
        return version("pidone")
    except PackageNotFoundError:
        return (Path(__file__).parents[1] / "VERSION").read_text().strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

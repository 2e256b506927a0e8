"""hubctl from command line to exit code.

0  done            1  the request failed       2  usage or configuration
3  cannot reach the hub                        4  partly done
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hub.ctl import (
    alerting,
    audited,
    engine,
    hubs,
    inquest,
    keep,
    logs,
    look,
    rolls,
    safekeeping,
    shell,
    steer,
    stores,
)
from hub.ctl.past import history
from hub.ctl.text import safe
from hub.ctl.top import ORDERS, top
from hub.errors import HubError
from hub.store.errors import StoreError
from wire.client import Client, CommandFailed, RefusedError, Unreachable
from wire.keys import KeyFault

DONE, FAILED, USAGE, UNREACHABLE, PARTLY = range(5)
PLACES = ("--key FILE", "PIDONE_CLIENT_KEY", "~/.config/pidone/client.json", "/var/lib/pidone/client/admin.json")
MAKE = "an admin makes a key file with: hubctl keys create NAME"
FIRST_KEY = "admin.json"
"""What hubd calls the key that it makes itself."""
USAGE_CODES = frozenset({"bad-argument", "bad-target", "unknown-verb", "unknown-operation"})
"""Refusals that the command line caused."""

EXAMPLES = """a target is AGENT/PROGRAM or AGENT/GROUP:PROGRAM; globs and label selectors reach many:
  hubctl ps                               every program with state, CPU and memory
  hubctl ps shop-1 'cache-*/*'            those of some agents
  hubctl top                              the busiest, again every second
  hubctl restart shop-1/gunicorn          restart one program
  hubctl stop service=shop,program=worker-*   by label
  hubctl restart service=shop --at-a-time 10% --wait ready   a few at a time; see hubctl rolls
  hubctl signal HUP 'shop-*/nginx'        send a signal
  hubctl tail shop-1/gunicorn --stderr    its last output
  hubctl logs -f service=shop             the output of many programs, followed
  hubctl shell shop-1                     a prompt as supervisorctl's
  hubctl exits --since 1h                 what ended, and why
  hubctl exits --group-by cause,program   the same, counted
  hubctl why shop-1/gunicorn              one timeline and a verdict
  hubctl storms                           crash loops that go on
  hubctl history shop-1/gunicorn          its CPU, memory and IO of the last hour
  hubctl stop --container shop-1          stop a container through its engine
  hubctl token create --service > join    a join string for containers
  hubctl alerts                           what is wrong now
  hubctl silence shop-1 --for 2h --reason 'new disk'
  hubctl keys create eve --role viewer    a key file for a colleague

exit codes: 0 done, 1 failed, 2 usage or configuration, 3 cannot reach the hub, 4 partly done"""


def main(argv: Sequence[str]) -> int:
    """Runs one verb; returns the exit code."""
    options = _parsed(argv)
    try:
        if "alone" in options and (code := options.alone(options)) is not None:
            return int(code)
        path = key_file(options.key, os.environ)
        await_first_key(path, options.timeout)
        with Client(path, timeout=options.timeout) as hub:
            code = int(options.run(hub, options))
            sys.stdout.flush()
            if hub.missing:
                print(f"hubctl: what only {', '.join(hub.missing)} knows is missing: no answer", file=sys.stderr)
            return code
    except Unreachable as error:
        return _fail(UNREACHABLE, error)
    except RefusedError as error:
        return _fail(USAGE if error.code in USAGE_CODES else FAILED, error)
    except (CommandFailed, StoreError, HubError) as error:
        return _fail(FAILED, error)
    except BrokenPipeError:  # `| head` has read enough; what is left must not be flushed into it at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _fail(USAGE, KeyFault(f"{error.filename}: {error.strerror}" if error.filename else str(error)))
    except KeyFault as error:
        return _fail(USAGE, KeyFault(f"{error} ({MAKE})"))
    except ValueError as error:
        return _fail(USAGE, error)
    except KeyboardInterrupt:
        return DONE


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """The command line; what a verb does not know is refused with the verb's own usage.  Raises SystemExit."""
    parser = make_parser()
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        words = [options.verb, *([options.action] if isinstance(getattr(options, "action", None), str) else [])]
        parser.error(f"{' '.join(words)} does not know {' '.join(unknown)}; see hubctl {' '.join(words)} --help")
    return options


def key_file(given: str | None, environ: os._Environ[str] | dict[str, str]) -> Path:
    """The client key to use: the first of PLACES that is there.  Raises KeyFault naming all."""
    named = given or environ.get("PIDONE_CLIENT_KEY")
    if named:
        return Path(named)
    home = Path(environ.get("HOME") or "/")
    first = Path(PLACES[-1])
    for path in (home / ".config" / "pidone" / "client.json", first):
        if path.exists():
            return path
    if first.parent.parent.is_dir():
        return first
    raise KeyFault(f"no client key; looked at {', '.join(PLACES)}")


def await_first_key(path: Path, seconds: float) -> None:
    """Returns once the key is there that a hub makes at its first start; raises Unreachable after so many seconds.

    Any other key is made by a person: that it is missing is told at once, when it is read.
    """
    deadline = time.monotonic() + seconds
    while path.name == FIRST_KEY and not path.exists():
        if time.monotonic() > deadline:
            raise Unreachable(
                f"{path}: not there after {seconds:g} s; hubd makes it at its first start: is it running?"
            )
        time.sleep(0.05)


def _fail(code: int, error: Exception) -> int:
    print(f"hubctl: {safe(error)}", file=sys.stderr)
    return code


def make_parser() -> argparse.ArgumentParser:
    """The command line of every verb: for argparse, `--help` and the shell's completion."""
    parser = argparse.ArgumentParser(
        "hubctl",
        description="The fleet in the terminal: look at agents, containers and processes, and command them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _common(parser, first=True)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for add in (_looks, _steers, _admin, _engine):
        add(verbs)
    return parser


def _common(parser: argparse.ArgumentParser, first: bool = False) -> None:
    """Options that may stand before and after the verb."""

    def default(value: object) -> object:
        return value if first else argparse.SUPPRESS

    parser.add_argument(
        "--key", metavar="FILE", default=default(None), help=f"client key; else {', '.join(PLACES[1:])}"
    )
    parser.add_argument("--json", action="store_true", default=default(False), help="print JSON")
    parser.add_argument(
        "--timeout", type=_seconds, default=default(5.0), metavar="S", help="longest wait for the hub; 5"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise ValueError
    return value


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[Client, argparse.Namespace], int],
    words: str,
    example: str,
    aliases: Sequence[str] = (),
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name,
        aliases=list(aliases),
        help=words,
        description=words,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run, verb=name)
    _common(parser)
    return parser


def _looks(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    agents = _verb(verbs, "agents", look.agents, "agents of the live list", "hubctl agents --all --json")
    agents.add_argument("-a", "--all", action="store_true", help="also those that were lost or left")
    agents.add_argument("--outdated", action="store_true", help="whose release is older than the hub's; 1 if any is")
    agents.add_argument("action", nargs="?", choices=("rekey",), help="let agents make themselves new keys")
    agents.add_argument("target", nargs="?", help="rekey: AGENT (globs) or LABEL=VALUE")
    _verb(verbs, "hosts", look.hosts, "Docker engines", "hubctl hosts")
    containers = _verb(verbs, "containers", look.containers, "containers of all engines", "hubctl containers --all")
    containers.add_argument("-a", "--all", action="store_true", help="also those that do not run")
    ps = _verb(verbs, "ps", look.ps, "processes with state and figures", "hubctl ps 'shop-*/web'")
    screen = _verb(verbs, "top", top, "the busiest processes", "hubctl top --sort memory")
    for parser in (ps, screen):
        parser.add_argument("target", nargs="*", help="AGENT, AGENT/PROGRAM or LABEL=VALUE")
        parser.add_argument("-a", "--all", action="store_true", help="also children and unmanaged processes")
    screen.add_argument("--sort", choices=tuple(ORDERS), default="cpu")
    screen.add_argument("--once", action="store_true", help="print once and end")
    screen.add_argument("--interval", type=_seconds, default=1.0, metavar="S", help="seconds between two pictures; 1")
    parser = _verb(verbs, "events", look.events, "what happened", "hubctl events shop-1 --since 1h")
    parser.add_argument("target", nargs="?", help="AGENT, AGENT/PROGRAM (globs), or LABEL=VALUE")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what happens next")
    _span(parser)
    inquest.declare(partial(_verb, verbs), _span)
    alerting.declare(partial(_verb, verbs))
    _audit(verbs)
    _verb(verbs, "about", look.about, "the hub itself", "hubctl about --json")
    hubs.declare(partial(_verb, verbs))
    _verb(verbs, "metrics", look.metrics, "the hub's own counters, as Prometheus reads them", "hubctl metrics")
    _past(verbs)


def _audit(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    words, example = "who asked for what, and what came of it", "hubctl audit -n 20  |  hubctl audit verify"
    parser = _verb(verbs, "audit", look.audit, words, example)
    parser.add_argument("action", nargs="?", choices=("verify",), help="check the hash chain: exit 0 whole, 1 broken")
    parser.add_argument("place", nargs="?", help="verify: a directory, redis://... or a JSON file instead of the hub")
    parser.set_defaults(alone=audited.alone)
    _span(parser)


def _past(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    words, example = "figures over time", "hubctl history shop-1/web --since 6h  |  hubctl history --container shop-1"
    parser = _verb(verbs, "history", history, words, example)
    parser.add_argument("target", help="one AGENT/PROGRAM; with --container one container")
    parser.add_argument("--container", action="store_true", help="the target is a container")
    parser.add_argument("--since", metavar="TIME", help="how far back: 90s, 10m, 2h, 3d; 1h")
    parser.add_argument("--step", metavar="TIME", help="one row each 10s, 5m, 1h, or raw; what gives 60 rows at most")


def _span(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--number", type=int, default=100, metavar="N", help="most rows; 100")
    parser.add_argument("--since", metavar="TIME", help="only newer ones: 90s, 10m, 2h, 3d")


def _steers(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    both = {"start": "start programs", "stop": "stop programs", "restart": "restart programs"}
    for name, words in both.items():
        parser = _verb(
            verbs, name, steer.command, words, f"hubctl {name} shop-1/web  |  hubctl {name} --container shop-1"
        )
        _steered(parser)
        parser.add_argument("--grace", type=_seconds, metavar="S", help="containers: seconds until the engine kills")
        rolls.declare_options(parser)
    signal = _verb(verbs, "signal", steer.command, "send a signal", "hubctl signal HUP shop-1/nginx")
    signal.add_argument("signal", help="name or number")
    _steered(signal)
    rolls.declare_options(signal)
    rolls.declare(partial(_verb, verbs))
    for name in ("kill", "pause", "unpause"):
        parser = _verb(verbs, name, steer.command, f"{name} containers", f"hubctl {name} shop-1")
        _steered(parser, container=True)
    tail = _verb(verbs, "tail", steer.tail, "the last output of programs", "hubctl tail shop-1/web --stderr")
    tail.add_argument("--stderr", action="store_true", help="standard error instead of standard output")
    tail.add_argument("-c", "--bytes", type=int, metavar="N", help="at most so many bytes")
    _steered(tail, container=False)
    logs.declare(partial(_verb, verbs))
    shell.declare(partial(_verb, verbs))


def _steered(parser: argparse.ArgumentParser, container: bool | None = None) -> None:
    parser.add_argument("target", nargs="*", help="AGENT/PROGRAM, globs, or LABEL=VALUE[,program=GLOB]")
    parser.add_argument("--all", action="store_true", help="everything: needed where no target is given")
    parser.add_argument(
        "--wait", type=rolls.waiting, default=20.0, metavar="S", help="seconds, or ready (60 s); 20, 0 = do not"
    )
    parser.add_argument("--ttl", type=_seconds, metavar="S", help="not to be started later than this")
    parser.add_argument("--id", metavar="ID", help="id of the order: the same id is never carried out twice")
    if container is None:
        parser.add_argument("--container", action="store_true", help="targets are containers; their engine does it")
    else:
        parser.set_defaults(container=container)


def _admin(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    token = _verb(
        verbs, "token", keep.token, "join tokens", "hubctl token create --service --label team=blue > join", ["tokens"]
    )
    actions = token.add_subparsers(dest="action", required=True, metavar="create|list|revoke")
    create = _action(actions, "create", "make a token; prints its join string once")
    create.add_argument("--service", action="store_true", help="for deployments: valid until revoked, for many agents")
    create.add_argument("--relay", action="store_true", help="for hubd --relay on one host; --cap for more hosts")
    create.add_argument("--invite", action="store_true", help="for one agent within an hour (the default)")
    create.add_argument("--label", action="append", default=[], metavar="NAME=VALUE", help="label of its agents")
    create.add_argument("--cap", type=int, metavar="N", help="most agents alive at once; 1000, relays 1")
    create.add_argument("--seconds", type=int, metavar="S", help="valid for so long")
    create.add_argument("--uses", type=int, metavar="N", help="for so many enrolments; 1 for an invite, else any")
    _action(actions, "list", "all tokens")
    _action(actions, "revoke", "nobody enrols with it any more").add_argument("id")
    keys = _verb(
        verbs, "keys", keep.keys, "keys of clients", "hubctl keys create eve --role viewer --out eve.json", ["key"]
    )
    actions = keys.add_subparsers(dest="action", required=True, metavar="create|list|revoke|rotate|backup|restore")
    create = _action(actions, "create", "make a key file")
    create.add_argument("name")
    create.add_argument("--role", choices=("viewer", "operator", "admin"), default="viewer")
    create.add_argument("--scope", action="append", default=[], metavar="NAME=VALUE", help="reaches only such labels")
    create.add_argument("--out", metavar="FILE", help="the key file; NAME.json")
    _action(actions, "list", "live keys").add_argument("-a", "--all", action="store_true", help="agents' keys too")
    _action(actions, "revoke", "refuse a key from now on").add_argument("name")
    rotate = _action(
        actions, "rotate", "change the hub's key: a next one on other ports beside it, until the grace ends"
    )
    end = rotate.add_mutually_exclusive_group()
    end.add_argument("--grace", default="7d", metavar="TIME", help="how long both are good: 90s, 10m, 2h, 3d; 7d")
    end.add_argument("--now", action="store_true", help="five heartbeats, no longer; also ends a change under way")
    keys.set_defaults(alone=safekeeping.alone)
    _safekeeping(actions)
    stores.declare(partial(_verb, verbs), _action)


def _safekeeping(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, words in {
        "backup": "the hub's keys and whom it knows, as an encrypted file; on the hub's machine",
        "restore": "make the hub that was backed up out of an empty state_dir",
    }.items():
        parser = _action(actions, name, words)
        parser.add_argument("file")
        parser.add_argument("--state-dir", default=safekeeping.STATE_DIR, metavar="DIR", help="as in hubd.ini")
        parser.add_argument("--passphrase-file", metavar="FILE", help="its first line; else it is asked for")


def _engine(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    words, example = "prepare a Docker engine for the hub", "hubctl engine init 10.0.0.2 --out ./tls-web-1"
    parser = _verb(verbs, "engine", engine.engine, words, example)
    actions = parser.add_subparsers(dest="action", required=True, metavar="init")
    init = _action(actions, "init", "certificates, the daemon's configuration and the hub's section for one host")
    init.add_argument("host", help="name or address by which the hub reaches the engine")
    init.add_argument("--name", help="name of the engine at the hub; HOST")
    init.add_argument("--port", type=int, default=2376, metavar="N", help="port the engine will listen on; 2376")
    init.add_argument(
        "--also", action="append", default=[], metavar="HOST", help="another name of it, for its certificate"
    )
    init.add_argument("--out", metavar="DIR", help="where to write; ./engine-NAME, which must not exist yet")
    init.add_argument("--days", type=int, default=825, metavar="N", help="life of the certificates; 825")
    init.add_argument("--renew", action="store_true", help="new certificates from the authority in DIR; its key stays")
    parser.set_defaults(alone=engine.alone)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words, description=words)
    _common(parser)
    return parser

"""script/demo: the main job, live in the terminal or, with --check, unattended."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import time
from types import FrameType

from demo import bare, docker, view
from demo.fleet import Box, Fleet, StepFailed, until
from demo.steps import STEPS, agent_rows
from images.build import BuildError
from wire.errors import WireError

BOXES = (Box("shop-1", "shop"), Box("shop-2", "shop"), Box("jobs-1", "jobs"), Box("jobs-2", "jobs", read_only=True))
LEAK_SECONDS = {True: 8.0, False: 45.0}
"""With and without --check: how long the leaking worker takes."""

EXAMPLES = """examples:
  script/demo
  script/demo --check          seven steps, one line each, exit 0 if all hold
  script/demo --check --bare   the same without a Docker engine"""


class Interrupted(BaseException):
    """Somebody wants the demo to end; no step takes this for a failure of its own."""


def main() -> int:
    options = arguments().parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    fleet = choose(options)
    try:
        return check(fleet) if options.check else show(fleet)
    except Interrupted:
        return 0 if not options.check else 130
    except (StepFailed, BuildError) as error:
        print(f"script/demo: {error}", file=sys.stderr)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        say("taking everything down")
        fleet.down()


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="A hub and four containers of real programs under initd; live, until ctrl-C.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="run the seven steps unattended")
    parser.add_argument("--bare", action="store_true", help="use no Docker engine even if one answers")
    parser.add_argument("--prefix", help="of the names of containers (default: demo; with --check a random one)")
    return parser


def choose(options: argparse.Namespace) -> Fleet:
    """The place to run in: an engine if one answers, else this machine itself."""
    prefix = options.prefix or (f"check-{secrets.token_hex(2)}" if options.check else "demo")
    engine = "" if options.bare else docker.engine()
    fleet: Fleet = docker.DockerFleet(prefix, LEAK_SECONDS[options.check]) if engine else bare.BareFleet()
    say(f"on Docker {engine}: {fleet.what}" if engine else f"no Docker engine is used: {fleet.what}")
    for what, why in fleet.lacks.items():
        say(f"not shown here: {what}, because {why}")
    return fleet


def start(fleet: Fleet) -> None:
    """Build, start the hub, and add the boxes."""
    began = time.monotonic()
    if "containers" not in fleet.lacks:
        say("building images; the first time takes a minute or two")
    fleet.build()
    say(f"built in {time.monotonic() - began:.1f} s")
    fleet.start_hub()
    for box in BOXES:
        fleet.add(box)
    say(f"a hub and {len(BOXES)} boxes started")


def check(fleet: Fleet) -> int:
    """Run every step even after one has failed; returns the exit status."""
    start(fleet)
    results = [run(number, fleet) for number in range(1, len(STEPS) + 1)]
    say(f"{sum(results)} of {len(results)} steps hold")
    return 0 if all(results) else 1


def run(number: int, fleet: Fleet) -> bool:
    """One step; prints its line."""
    step, began = STEPS[number - 1], time.monotonic()
    try:
        saw, holds = step(fleet), True
    except Exception as error:  # whatever it is, the other steps are to be run and told
        saw, holds = f"{type(error).__name__}: {error}", False
    took = time.monotonic() - began
    print(f"{'ok  ' if holds else 'FAIL'} {number} {took:6.1f} s  {step.__doc__}: {saw}", flush=True)
    return holds


def show(fleet: Fleet) -> int:
    """The live picture, until somebody interrupts it."""
    start(fleet)
    until(lambda: agent_rows(fleet), "the first agent")
    advice, seen, terminal = fleet.advice(), view.Picture(), sys.stdout.isatty()
    while True:
        seen = look(fleet, seen)
        text = view.frame(seen, advice, *view.size())
        print(view.screen(text) if terminal else text, end="" if terminal else "\n\n", flush=True)
        time.sleep(1 if terminal else 10)


def look(fleet: Fleet, before: view.Picture) -> view.Picture:
    """What the hub says now; where it does not answer, what it said before and why not."""
    try:
        with fleet.client() as hub:
            return view.Picture(hub.agents(), hub.ps(), hub.exits(limit=view.ENDS_SHOWN))
    except (StepFailed, WireError, OSError) as error:
        return before._replace(fault=view.printable(error))


def say(text: str) -> None:
    print(f"demo: {text}", file=sys.stderr, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


if __name__ == "__main__":
    sys.exit(main())

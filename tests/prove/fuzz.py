"""No parser that a stranger reaches raises anything but its own error, hangs, or reads back something else.

Every target of tests.prove._fuzz_targets (codec, join strings, frames, hubd.ini, rules of alerts, and the hub's core
behind its ports, the relay's messages among them) is fed with mutations of good inputs: first without sight of the
coverage, then by atheris, which keeps what reaches new branches (`script/prepare fuzz` puts it into .venv/fuzz; where
it cannot be had, the figures say so and the first form has all the time).  The seed is printed: FUZZ_SEED repeats a run
of the first form.  FUZZ_SECONDS is the long form's budget for each target, 100 by default: 11 minutes in all.  What
broke a target is written to a file that is named.  The quick form (1 s each) is the first form alone.

With the fault switched on, a decoder that believes what a message says of its type takes the codec's place.
"""

from __future__ import annotations

import os
import random
import tempfile
import time

from tests.prove._fuzz_coverage import ABSENT, guided, there_is
from tests.prove._fuzz_targets import TARGETS, Feed, Target, careless

QUICK_SECONDS, LONG_SECONDS = 1.0, 100.0
"""For each target."""

GUIDED = 0.6
"""Share of the time that atheris has."""

SLOW_SECONDS = 2.0
"""An input that takes longer is a finding: inputs are bounded, and so must be the work; the machine may be busy."""

ODD = (b"\x00", b"\xff", b"\x80", b"\xc1", b"\xdf\xff\xff\xff\xff", b"\xdd\x00\x00\xff\xff", b"\xcb\x7f\xf8" + bytes(6),
       b"\xd3" + b"\xff" * 8, b"\n[", b"=", b"%", b"\xed\xa0\x80", b"9" * 30, b"-1", b"nan", b"1e999")  # fmt: skip


def mutated(data: bytes, draw: random.Random) -> bytes:
    """The input with one to four changes."""
    text = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at, size = draw.randrange(len(text) + 1), draw.randint(1, 8)
        kind = draw.randrange(5)
        if kind == 0 and text:
            text[min(at, len(text) - 1)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            text[at : at + size] = b""
        elif kind == 2:
            text[at:at] = draw.choice(ODD)
        elif kind == 3:
            text[at : at + size] = draw.randbytes(size)
        else:
            text[at:at] = text[draw.randrange(len(text) + 1) :][: size * 8]
    return bytes(text)


def broken(feed: Feed, data: bytes) -> str:
    """What is wrong with this input's treatment; empty where nothing is."""
    begun = time.monotonic()
    try:
        feed(data)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
    took = time.monotonic() - begun
    return f"took {took:.1f} s" if took > SLOW_SECONDS else ""


def plainly(target: Target, seconds: float, draw: random.Random) -> tuple[int, str]:
    """Inputs tried, and the first finding with its file."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(draw.choice(target.seeds), draw) if count >= len(target.seeds) else target.seeds[count]
        count += 1
        if found := broken(target.feed, data):
            return count, f"{found}; input in {_keep(data)}"
    return count, ""


def _keep(data: bytes) -> str:
    fd, path = tempfile.mkstemp(prefix="pidone-fuzz-")
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    return path


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """See the module's docstring."""
    seed = int(os.environ.get("FUZZ_SEED") or random.randrange(2**32))
    seconds = QUICK_SECONDS if quick else float(os.environ.get("FUZZ_SECONDS") or LONG_SECONDS)
    figures: dict[str, object] = {"seed": seed}
    atheris = not quick and there_is(install=True)
    figures |= {} if quick or atheris else {"guided": ABSENT}
    holds = True
    for name, target in TARGETS.items():
        fault = mutate and name == "codec"
        used = target._replace(feed=careless) if fault else target
        draw = random.Random(f"{seed} {name}")
        count, found = plainly(used, seconds * (1 - GUIDED if atheris else 1), draw)
        figures[name] = f"{count} inputs" + (f", BROKEN: {found}" if found else "")
        holds = holds and not found and count > 0
        if atheris:
            count, branches, found = guided(name + "!" * fault, target.seeds, seconds * GUIDED, seed % 2**31)
            figures[f"{name}, guided"] = f"{count} inputs, {branches} branches" + (
                f", BROKEN: {found}" if found else ""
            )
            holds = holds and not found and count > 0
    return figures, holds

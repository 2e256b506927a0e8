"""A channel with everything on: whatever comes, whenever, each line that goes out is whole and nothing is lost."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from initd.config.topics.logs import Logs
from initd.logs.channel import Channel
from initd.logs.mask import Mask
from initd.logs.shape import shape_of
from initd.logs.sink import Origin
from tests.initd.logs.test_shape import said

WORDS = [b"\n", "é😀".encode(), b'"\\', b"\xc3", b"x" * 40_000, b"a\nb\n"]
TEXT = st.binary(min_size=1, max_size=40) | st.sampled_from(WORDS)
STEPS = st.lists(TEXT | st.sampled_from(["wait", "end"]), max_size=12)


class Ear:
    """A sink that keeps what it gets."""

    flow = "flowing"

    def __init__(self) -> None:
        self.heard = b""

    def write(self, chunk: bytes, origin: Origin) -> None:
        self.heard += chunk


def through(steps: list[object], **options: object) -> tuple[bytes, bytes, Channel]:
    """What the container's stream and a log file get of these steps."""
    channel, stream, file = Channel("web stdout"), Ear(), Ear()
    channel.shared, channel.files = [stream], [file]  # type: ignore[list-item]
    logs = Logs(**options)  # type: ignore[arg-type]
    channel.shape = shape_of(logs, "web", "stdout")
    channel.mask = Mask(logs.log_mask) if logs.log_mask else None
    for serial, step in enumerate(steps):
        if isinstance(step, bytes):
            channel.take(step, serial)
        else:
            channel.release(all=step == "end")
    channel.release(all=True)
    return stream.heard, file.heard, channel


def by_runs(steps: list[object]) -> bytes:
    """What was written, where the end of a run ends its line."""
    text = b""
    for step in [*steps, "end"]:
        if isinstance(step, bytes):
            text += step
        elif step == "end" and text and not text.endswith(b"\n"):
            text += b"\n"
    return text


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_json_lines_are_whole_and_bring_back_what_was_written(steps):
    heard, kept, channel = through(steps, log_format="json")
    rows = [json.loads(line) for line in heard.splitlines()]
    written = b"".join(step for step in steps if isinstance(step, bytes))
    assert kept == written and channel.ring.total == len(written)
    if b"\r" not in written:
        assert said(rows) == by_runs(steps)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_every_line_has_its_prefix_and_its_end(steps):
    heard, _, _ = through(steps, log_prefix="{name}:")
    assert heard == b"" or heard.endswith(b"\n")
    assert all(line.startswith(b"web: ") for line in heard.split(b"\n")[:-1])


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_a_mask_that_finds_nothing_changes_nothing(steps):
    heard, kept, channel = through(steps, log_mask=("never said=*",))
    written = b"".join(step for step in steps if isinstance(step, bytes))
    assert heard == kept == written and channel.ring.total == len(written)

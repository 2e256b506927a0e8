from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from initd.logs.ring import Ring


def test_nothing_is_allocated_before_the_first_byte():
    ring = Ring()
    ring.write(b"")
    assert ring._buffer is None and ring.tail() == b""


@given(st.lists(st.binary(max_size=40)), st.integers(1, 32), st.one_of(st.none(), st.integers(-2, 50)))
def test_tail_is_the_end_of_everything_written(chunks, capacity, count):
    ring, everything = Ring(capacity), b"".join(chunks)
    for chunk in chunks:
        ring.write(chunk)
    kept = everything[-capacity:]
    wanted = kept if count is None else kept[len(kept) - max(0, min(count, len(kept))) :]
    assert (ring.tail(count), ring.total) == (wanted, len(everything))


@given(st.lists(st.binary(max_size=20)), st.binary(max_size=20))
def test_a_place_stays_valid_while_the_ring_moves(before, after):
    ring = Ring(64)
    for chunk in before:
        ring.write(chunk)
    place = ring.total
    ring.write(after)
    assert ring.since(place) == after


def test_a_place_that_is_gone_gives_what_is_left():
    ring = Ring(4)
    ring.write(b"abcdef")
    assert ring.since(0) == b"cdef"


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_a_cleared_ring_shows_only_what_came_after(before, after):
    ring = Ring(32)
    ring.write(before)
    place = ring.total
    ring.clear()
    assert (ring.tail(), ring.size) == (b"", 0)
    ring.write(after)
    assert (ring.tail(), ring.size) == (after[-32:], len(after))
    assert ring.since(place) == ring.since(0) == after[-32:]


STEPS = st.lists(st.tuples(st.sampled_from(["write", "view", "skip", "clear"]), st.binary(max_size=40)), max_size=12)


@given(STEPS, st.integers(1, 32))
def test_what_passed_unseen_and_what_was_before_it_is_never_shown(steps, capacity):
    """The model: all that was written, a gap where something was skipped or cleared."""
    ring, shown, total = Ring(capacity), b"", 0
    for kind, text in steps:
        if kind == "skip":
            ring.skip(len(text))
            shown = b"" if text else shown
        elif kind == "clear":
            ring.clear()
            shown = b""
        else:
            ring.write(text if kind == "write" else memoryview(bytearray(text)))
            shown += text
        total += len(text) if kind != "clear" else 0
        assert (ring.tail(), ring.total) == (shown[-capacity:], total)
    assert ring.since(total - 3) == shown[-min(3, capacity) :]

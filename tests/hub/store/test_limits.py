"""Budget, retention, memory, and a disk that is full."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from math import nan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.store.embedded import Embedded
from hub.store.errors import StoreError, Unwritable
from hub.store.rings import Key, Rosters
from hub.store.rows import Retention
from hub.store.shelf import TIERS
from tests.contract.samples_contract import feed, settle
from tests.support import rows
from tests.support.rows import T0
from tests.support.services import need_root
from wire.model import FactKind


def on_disk(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def windows(store: Embedded) -> dict[str, int]:
    return {tier.name: len(store._samples.shelf.windows(tier)) for tier in TIERS}


def live(store: Embedded, start: float, seconds: float, width: int = 2, period: float = 10.0) -> list[str]:
    """Samples of `width` processes with upkeep beside them; returns what was said."""
    store.put_roster("a", "b", 9, [rows.process(n, f"p{n}") for n in range(width)])
    notes: list[str] = []
    for n in range(int(seconds / period)):
        at = start + n * period
        sizes = [{"rss": (n * 7919 + i) % 100003, "cpu_seconds": n / (i + 1)} for i in range(width)]
        assert store.put_samples("a", "b", 9, at, rows.columns(sizes))
        notes += settle(store, at)
    return notes


def test_the_budget_holds_all_the_time(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path), sample_budget=100_000)
    notes: list[str] = []
    for hour in range(4):
        notes += live(store, T0 + 3600 * hour, 3600, width=20)
        assert store.stats().used <= 100_000
        assert on_disk(tmp_path / "samples") == store.stats().used
    assert notes and all("sample_budget of 100000 bytes is used up: dropped raw samples" in note for note in notes)
    assert len(notes) <= 4, "once an hour"
    store.close(T0)


def test_the_oldest_of_the_finest_goes_first(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path), sample_budget=200_000)
    live(store, T0, 4 * 3600, width=20)
    raw, minute = store.stats().tiers[:2]
    assert raw.oldest is not None and minute.oldest is not None
    assert minute.oldest == T0 < raw.oldest
    history = store.process_history("a", T0, T0 + 4 * 3600, program="p3")
    assert history.times[0] == T0 and history.times[1] - history.times[0] == 60.0
    assert history.times[-1] - history.times[-2] == 10.0
    store.close(T0)


def test_a_budget_too_small_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="below 65536"):
        Embedded(str(tmp_path), sample_budget=1000)


def test_retention_takes_tier_by_tier(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path))
    live(store, T0, 26 * 3600, period=60.0)
    found = windows(store)
    assert 6 <= found["raw"] <= 7 and 144 <= found["60"] <= 145
    assert 4 <= found["600"] <= 5 and found["3600"] == 2
    settle(store, T0 + 40 * 86400)
    assert {name for name, count in windows(store).items() if count} == {"3600"}
    settle(store, T0 + 400 * 86400)
    assert not any(windows(store).values()) and store.stats().used == 0
    store.close(T0)


def test_every_moment_is_answered_once_whatever_the_step(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path))
    live(store, T0, 26 * 3600, period=60.0)
    for step in (None, 60.0, 300.0, 600.0, 3600.0):
        history = store.process_history("a", T0, T0 + 26 * 3600, step, program="p0")
        assert list(history.times) == sorted(set(history.times)) and not history.gaps
        distances = {b - a for a, b in pairwise(history.times)}
        assert distances <= {max(step or 0.0, 60.0), max(step or 0.0, 600.0)}
    store.close(T0)


def test_tiers_tell_the_truth_about_extremes(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path))
    live(store, T0, 7 * 3600, period=60.0)
    history = store.process_history("a", T0, T0 + 7 * 3600, 600.0, program="p1")
    for at, least, most in zip(history.times, history.columns["rss.min"], history.columns["rss.max"], strict=True):
        first = round((at - T0) / 60)
        sizes = [(n * 7919 + 1) % 100003 for n in range(max(0, first), min(first + 10, 420))]
        assert (least, most) == (min(sizes), max(sizes))
    store.close(T0)


def test_facts_and_audit_are_kept_for_their_time(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path), retention=Retention(facts=1000.0, audit=2000.0))
    store.append_facts("a", "b", [rows.fact(n, at=T0 + n) for n in range(1, 5001)])
    store.claim_command(rows.command("c"))
    store.append_audit(rows.audit())
    settle(store, T0 + 1500)
    assert [len(store.facts(limit=9999)), len(store.commands()), len(store.audit())] == [4501, 0, 1]
    assert store.append_facts("a", "b", rows.facts(1, 10)) == 5000, "what is forgotten stays durable"
    settle(store, T0 + 90000)
    assert (store.facts(), store.audit(), store.durable("a", "b")) == ((), (), 0)
    store.close(T0)


def test_memory_is_bounded_by_sealing_early(tmp_path: Path) -> None:
    store = Embedded(str(tmp_path), ring_bytes=50_000)
    live(store, T0, 600, width=50)
    assert store.stats().memory < 60_000 and store._samples.shelf.use()[0].segments > 1
    assert len(store.process_history("a", T0, T0 + 600, program="p7").times) == 60
    settle(store, T0 + 700)
    assert store.process_history("a", T0, T0 + 600, 60.0, program="p7").columns["threads"][0] != 0
    assert len(store.process_history("a", T0, T0 + 600, 60.0, program="p7").times) == 10
    store.close(T0)


def test_rosters_are_bounded() -> None:
    rosters = Rosters(kept=3)
    for number in range(5):
        rosters.put(Key("process", "a", "b", number), (rows.process(number),))
    assert [rosters.get(Key("process", "a", "b", n)) is not None for n in range(5)] == [False, False, True, True, True]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0, 1000, width=32) | st.just(nan)), min_size=1, max_size=80))
def test_what_went_in_comes_out(tmp_path_factory: pytest.TempPathFactory, found: list[tuple[int, float]]) -> None:
    store, at, expected = Embedded(str(tmp_path_factory.mktemp("store"))), T0, []
    store.put_roster("a", "b", 1, [rows.process(1)])
    for distance, rss in found:
        at += distance
        store.put_samples("a", "b", 1, at, rows.columns([{"rss": rss}]))
        expected.append((at, rss if rss == rss else None))
        store.tend(at)
    since = at - 3500  # raw samples are kept for an hour
    history = store.process_history("a", max(T0, since), at + 1, program="web")
    values = [value if value == value else None for value in history.columns["rss"]]
    assert list(zip(history.times, values, strict=True)) == [pair for pair in expected if pair[0] >= since]
    store.close(at)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    need_root()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def fill(path: Path) -> Path:
    """Use up what is free."""
    filler = path / "filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return filler


def test_a_full_disk_refuses_facts_and_loses_none(small_disk: Path) -> None:
    store = Embedded(str(small_disk / "store"), sample_budget=100_000)
    store.append_facts("a", "b", rows.facts(1, 10))
    filler = fill(small_disk)
    with pytest.raises(Unwritable, match="agents keep their facts"):
        store.append_facts("a", "b", [rows.fact(n, {"text": "x" * 2000}) for n in range(11, 200)])
    assert store.durable("a", "b") == 10
    os.unlink(filler)
    assert store.append_facts("a", "b", rows.facts(11, 20)) == 20
    store.close(T0)


def test_a_full_disk_spoils_the_whole_batch(small_disk: Path) -> None:
    store = Embedded(str(small_disk / "store"), sample_budget=100_000)
    filler = fill(small_disk)
    with pytest.raises(Unwritable), store.batch():
        for number in range(300):
            try:
                store.record_fact("a", T0, FactKind.NOTE, {"text": "x" * 20000})
            except Unwritable:
                assert number > 0
    os.unlink(filler)
    assert store.facts() == () and store.record_fact("a", T0, FactKind.NOTE, {}) == 1
    store.close(T0)


def test_samples_wait_in_memory_for_a_full_disk(small_disk: Path) -> None:
    store = Embedded(str(small_disk / "store"), sample_budget=100_000)
    settle(store, T0)
    filler = fill(small_disk)
    feed(store, T0, 100)
    notes = settle(store, T0 + 500) + settle(store, T0 + 700) + settle(store, T0 + 720)
    assert len(notes) == 1 and "No space left" in notes[0] and "stay in memory" in notes[0]
    assert len(store.process_history("a", T0, T0 + 600, program="web").times) == 100
    os.unlink(filler)
    assert settle(store, T0 + 740) == []
    store.close(T0 + 740)
    again = Embedded(str(small_disk / "store"), sample_budget=100_000)
    assert len(again.process_history("a", T0, T0 + 600, program="web").times) == 100
    again.close(T0 + 740)


def test_a_disk_that_stays_full_costs_the_oldest_window(small_disk: Path) -> None:
    store = Embedded(str(small_disk / "store"), sample_budget=100_000, ring_bytes=20_000)
    fill(small_disk)
    notes: list[str] = []
    for hour in range(10):
        feed(store, T0 + 600 * hour, 100)
        notes += settle(store, T0 + 600 * hour + 599)
    assert any("neither disk nor memory has room" in note for note in notes)
    assert store.stats().memory < 80_000
    assert len(store.process_history("a", T0 + 5400, T0 + 6000, program="web").times) == 100
    store._samples.rings.windows.clear()  # the disk is still full: closing must not try to write
    store.close(T0 + 6000)

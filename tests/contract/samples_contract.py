"""What every store must do with samples; a back end subclasses it and gives `opening`, as in store_contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isnan, nan
from typing import Any

import pytest

from hub.monitor.history import History
from hub.store.base import Store
from hub.store.errors import BadRow
from tests.support import rows
from tests.support.rows import T0


def settle(store: Store, now: float) -> list[str]:
    """Upkeep until nothing is due; returns what it said."""
    notes: list[str] = []
    more = True
    while more:
        tended = store.tend(now)
        notes, more = notes + list(tended.notes), tended.more
    return notes


def feed(store: Store, start: float, count: int, period: float = 5.0, agent: str = "a") -> None:
    """`count` samples of two programs: web uses half a core, db reads 1,000 bytes a second."""
    store.put_roster(agent, "b", 1, [rows.process(10, "web"), rows.process(20, "db")])
    for n in range(count):
        at = start + n * period
        web = {"cpu_seconds": 0.5 * (at - T0), "cpu": 0.5, "rss": 1000.0 + n}
        db = {"read_bytes": 1000.0 * (at - T0), "cpu": 0.25, "threads": 4.0}
        assert store.put_samples(agent, "b", 1, at, rows.columns([web, db]))


def known(history: History, column: str) -> list[float | None]:
    """A column with None for NaN, so that it can be compared."""
    return [value if value == value else None for value in history.columns[column]]


def answers(store: Store) -> list[object]:
    """What two queries over the time of `feed` return, as plain values."""
    found = [store.process_history("a", T0, T0 + 1500, step, program="db") for step in (None, 60.0)]
    return [(list(h.times), known(h, "cpu"), known(h, "read_bytes"), known(h, "read_bytes/s")) for h in found]


class SamplesContract:
    """Samples of processes and containers."""

    @pytest.fixture
    def opening(self) -> Callable[[], Store]:
        raise NotImplementedError

    @pytest.fixture
    def store(self, opening: Callable[[], Store]) -> Iterator[Store]:
        store = opening()
        yield store
        store.close(T0)

    def test_a_sample_without_its_roster_is_asked_for(self, store: Store) -> None:
        assert not store.put_samples("a", "b", 1, T0, rows.columns([{}]))
        store.put_roster("a", "b", 1, [rows.process(10)])
        assert store.put_samples("a", "b", 1, T0, rows.columns([{}]))

    def test_by_program(self, store: Store) -> None:
        feed(store, T0, 3)
        history = store.process_history("a", T0, T0 + 60, program="web")
        assert list(history.times) == [T0, T0 + 5, T0 + 10]
        assert list(history.columns["rss"]) == [1000, 1001, 1002]
        assert isnan(history.columns["cpu_seconds/s"][0])
        assert list(history.columns["cpu_seconds/s"])[1:] == [0.5, 0.5]
        assert all(isnan(value) for value in history.columns["threads"])

    def test_by_pid_and_start(self, store: Store) -> None:
        feed(store, T0, 3)
        found = store.process_history("a", T0, T0 + 60, pid=20, start_ticks=100)
        assert list(found.columns["read_bytes/s"])[1:] == [1000, 1000]
        assert not store.process_history("a", T0, T0 + 60, pid=20, start_ticks=101).times

    def test_the_end_is_not_included(self, store: Store) -> None:
        feed(store, T0, 3)
        assert list(store.process_history("a", T0 + 5, T0 + 10, program="db").times) == [T0 + 5]

    def test_nothing_known_is_an_empty_history(self, store: Store) -> None:
        history = store.process_history("nobody", T0, T0 + 60, program="web")
        assert (len(history.times), history.gaps, history.restarts) == (0, (), ())
        assert not store.container_history("c" * 64, T0, T0 + 60).times

    def test_a_restarted_program_is_one_history_with_a_restart(self, store: Store) -> None:
        store.put_roster("a", "b", 1, [rows.process(10)])
        store.put_roster("a", "b", 2, [rows.process(11, ticks=200)])
        for n, (roster, seconds) in enumerate([(1, 7.0), (1, 8.0), (2, 0.5), (2, 1.0)]):
            store.put_samples("a", "b", roster, T0 + 5 * n, rows.columns([{"cpu_seconds": seconds}]))
        history = store.process_history("a", T0, T0 + 60, program="web")
        assert history.restarts == (T0 + 10,)
        assert known(history, "cpu_seconds/s") == pytest.approx([None, 0.2, None, 0.1])

    def test_a_program_is_its_leader_not_its_children(self, store: Store) -> None:
        store.put_roster("a", "b", 1, [rows.process(10), rows.process(11, kind="child")])
        store.put_samples("a", "b", 1, T0, rows.columns([{"rss": 1.0}, {"rss": 2.0}]))
        assert list(store.process_history("a", T0, T0 + 1, program="web").columns["rss"]) == [1.0]

    def test_a_gap_is_named(self, store: Store) -> None:
        feed(store, T0, 4)
        feed(store, T0 + 120, 4)
        assert store.process_history("a", T0, T0 + 600, program="web").gaps == ((T0 + 15, T0 + 120),)

    def test_steps_have_least_average_and_most(self, store: Store) -> None:
        store.put_roster("a", "b", 1, [rows.process(10)])
        for n, rss in enumerate([1.0, 2.0, 6.0, nan]):
            store.put_samples("a", "b", 1, T0 + 15 * n, rows.columns([{"rss": rss}]))
        columns = store.process_history("a", T0, T0 + 60, 60.0, program="web").columns
        assert [columns[name][0] for name in ("rss", "rss.min", "rss.max")] == [3.0, 1.0, 6.0]

    def test_a_repeated_or_older_sample_changes_nothing(self, store: Store) -> None:
        feed(store, T0, 3)
        assert store.put_samples("a", "b", 1, T0 + 5, rows.columns([{"rss": 9.0}, {}]))
        assert list(store.process_history("a", T0, T0 + 60, program="web").columns["rss"]) == [1000, 1001, 1002]

    def test_unknown_columns_are_ignored_and_missing_ones_unknown(self, store: Store) -> None:
        store.put_roster("a", "b", 1, [rows.process(10)])
        columns = rows.columns([{"rss": 5.0, "cpu": 1.0}]) | {"later_invention": b"1234"}
        del columns["cpu"]
        store.put_samples("a", "b", 1, T0, columns)
        found = store.process_history("a", T0, T0 + 1, program="web").columns
        assert found["rss"][0] == 5.0 and isnan(found["cpu"][0]) and "later_invention" not in found

    @pytest.mark.parametrize("name, data", [("rss", b"123"), ("cpu_seconds", b""), ("cpu", bytes(8))])
    def test_a_column_that_does_not_fit_is_refused(self, store: Store, name: str, data: bytes) -> None:
        store.put_roster("a", "b", 1, [rows.process(10)])
        with pytest.raises(BadRow):
            store.put_samples("a", "b", 1, T0, rows.columns([{}]) | {name: data})
        assert not store.process_history("a", T0, T0 + 1, program="web").times

    def test_many_at_once_are_as_one_by_one(self, store: Store) -> None:
        fits = rows.columns([{"rss": 5.0}])
        store.put_roster("a", "b", 1, [rows.process(10)])
        taken = [("a", "b", 1, T0 + 5 * n, fits) for n in (0, 1, 1, 2)]
        some = [*taken, ("x", "b", 1, T0, fits), ("a", "b", 1, T0 + 15, {"rss": b"1"}), ("a", "b", 1, nan, fits)]
        boxes = [("c", T0 + 5 * n, rows.container(cpu=float(n))) for n in range(3)]
        assert store.take_samples(some, [*boxes, ("c", T0 + 15, [1.0])]) == (("x",), 3)
        assert list(store.process_history("a", T0, T0 + 60, program="web").times) == [T0, T0 + 5, T0 + 10]
        assert list(store.container_history("c", T0, T0 + 60).columns["cpu"]) == [0.0, 1.0, 2.0]
        assert store.stats().late == 1

    def test_many_find_their_window_whatever_came_before(self, store: Store) -> None:
        store.put_roster("a", "b", 1, [rows.process(10)])
        store.put_roster("a", "b", 2, [rows.process(10)])
        times = [(1, T0), (2, T0 + 5), (1, T0 + 10), (1, T0 + 600), (1, T0 + 15), (1, T0 + 605)]
        for number, (roster, at) in enumerate(times):
            figures = rows.columns([{"rss": float(number)}])
            store.take_samples([("a", "b", roster, at, figures)], [("c", at, [1.0] * 14)])
            if number == 3:
                settle(store, T0 + 611)
        assert list(store.process_history("a", T0, T0 + 900, program="web").times) == [
            T0, T0 + 5, T0 + 10, T0 + 15, T0 + 600, T0 + 605
        ]  # fmt: skip

    @pytest.mark.parametrize("at", [nan, float("inf"), -1.0, T0 + 1e6])
    def test_a_time_that_cannot_be_is_refused(self, store: Store, at: float) -> None:
        store.tend(T0)
        with pytest.raises(BadRow):
            store.put_container("c", at, rows.container(cpu=1.0))

    def test_a_history_needs_a_program_or_a_pid(self, store: Store) -> None:
        with pytest.raises(BadRow):
            store.process_history("a", T0, T0 + 1)
        with pytest.raises(BadRow):
            store.process_history("a", T0, T0 + 1, 0.0, program="web")
        for start, end in ((nan, T0), (T0, float("inf")), (T0 + 1, T0)):
            with pytest.raises(BadRow):
                store.container_history("c", start, end)

    def test_a_clock_that_was_wrong_does_no_harm_later(self, store: Store) -> None:
        settle(store, T0 + 40_000_000)
        settle(store, T0)
        feed(store, T0, 3)
        assert len(store.process_history("a", T0, T0 + 60, program="web").times) == 3

    def test_containers(self, store: Store) -> None:
        for n, received in enumerate([0.0, 500.0, 1500.0, 100.0]):
            store.put_container("c", T0 + 5 * n, rows.container(net_rx_bytes=received, cpu_seconds=received))
        history = store.container_history("c", T0, T0 + 60)
        assert known(history, "net_rx_bytes/s") == [None, 100.0, 200.0, None]
        assert history.restarts == (T0 + 15,)

    @pytest.mark.parametrize("values", [[], [1.0], [1.0] * 13, [1.0] * 15, [1.0] * 13 + ["x"], [1.0] * 13 + [1e300]])
    def test_a_container_sample_of_another_shape_is_refused(self, store: Store, values: Any) -> None:
        with pytest.raises(BadRow):
            store.put_container("c", T0, values)

    def test_an_unknown_value_of_a_container_stays_unknown(self, store: Store) -> None:
        store.put_container("c", T0, [None, nan, *[3.0] * 12])
        history = store.container_history("c", T0, T0 + 1)
        assert (known(history, "cpu_seconds"), known(history, "pids")) == ([None], [3.0])

    def test_latest(self, store: Store) -> None:
        feed(store, T0, 3)
        latest = store.latest("a")
        assert latest is not None and (latest.at, latest.boot) == (T0 + 10, "b")
        assert [row.program for row in latest.rows] == ["web", "db"]
        assert list(latest.columns["cpu"]) == [0.5, 0.25]
        assert store.latest("x") is None

    def test_the_same_answers_from_memory_file_and_tier(self, opening: Callable[[], Store]) -> None:
        store = opening()
        feed(store, T0, 300)
        fresh = answers(store)
        settle(store, T0 + 1500)
        assert answers(store) == fresh
        store.close(T0 + 1500)
        again = opening()
        assert answers(again) == fresh
        again.close(T0 + 1500)

    def test_a_late_sample_is_counted_not_kept(self, store: Store) -> None:
        settle(store, T0 + 5000)
        feed(store, T0, 1)
        assert (store.stats().late, len(store.process_history("a", T0, T0 + 9, program="web").times)) == (1, 0)

    def test_samples_that_come_behind_younger_ones_stand_in_their_place(self, store: Store) -> None:
        feed(store, T0, 3)
        feed(store, T0 + 60, 1)
        feed(store, T0 + 15, 9)
        assert list(store.process_history("a", T0, T0 + 90, program="web").times) == [T0 + 5 * n for n in range(13)]
        latest = store.latest("a")
        assert latest is not None and latest.at == T0 + 60

    def test_a_sample_that_is_there_is_not_taken_twice(self, store: Store) -> None:
        feed(store, T0, 3)
        feed(store, T0 + 0.01, 2)
        feed(store, T0, 2)
        assert list(store.process_history("a", T0, T0 + 90, program="web").times) == [T0, T0 + 5, T0 + 10]
        assert store.stats().late == 4

    def test_a_window_that_was_sealed_takes_what_was_kept_elsewhere(self, opening: Callable[[], Store]) -> None:
        store = opening()
        feed(store, T0, 60)
        feed(store, T0 + 600, 60)
        settle(store, T0 + 1300)
        before = list(store.process_history("a", T0, T0 + 1200, 60.0, program="db").times)
        feed(store, T0 + 300, 60)
        whole = [T0 + 5 * n for n in range(180)]
        assert list(store.process_history("a", T0, T0 + 1200, program="web").times) == whole
        settle(store, T0 + 1310)
        store.close(T0 + 1320)
        store = opening()
        settle(store, T0 + 1800)
        assert list(store.process_history("a", T0, T0 + 1200, program="web").times) == whole
        minutes = store.process_history("a", T0, T0 + 1200, 60.0, program="db")
        assert [len(before), *[at - T0 for at in minutes.times]] == [10, *[60 * n for n in range(15)]]
        assert known(minutes, "read_bytes/s")[1:] == pytest.approx([1000.0] * 14)
        store.close(T0 + 1800)

"""The audit's hash chain: whatever is changed, taken out or put in is found, at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store.base import Store
from hub.store.chained import chained
from hub.store.embedded import Embedded
from hub.store.errors import BadRow
from hub.store.rows import AuditRow, Retention
from hub.trust import chain
from tests.support import rows
from tests.support.rows import T0

KEEP = 86400.0


def made(count: int) -> list[AuditRow]:
    """A chain of a root and `count` rows."""
    found = [chain.root(T0, "seed")]
    for number in range(1, count + 1):
        found.append(chain.linked(rows.audit(number), found[-1].digest))
    return [row._replace(position=number) for number, row in enumerate(found, 1)]


def verdict(found: list[AuditRow] | tuple[AuditRow, ...]) -> chain.Verdict:
    check = chain.Check()
    for row in found:
        check.take(row)
    return check.verdict()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return opened(tmp_path)


def opened(path: Path) -> Store:
    return chained(Embedded(str(path), retention=Retention(audit=KEEP)), KEEP)


def whole(store: Store) -> chain.Verdict:
    return verdict(store.audit(after=0, limit=100_000))


def test_a_chain_is_whole_and_has_a_head() -> None:
    found = made(5)
    assert verdict(found) == chain.Verdict(6, 0, found[-1].digest, None, "")


@given(st.integers(1, 8), st.sampled_from(["at", "actor", "action", "target", "outcome", "detail", "command", "peer"]))
def test_a_changed_row_is_named(index: int, field: str) -> None:
    found = made(8)
    value = 1.5 if field == "at" else "forged"
    found[index] = found[index]._replace(**{field: value})
    assert verdict(found).broken == found[index].position


@given(st.integers(1, 7))
def test_a_row_taken_out_is_noticed_at_the_next(index: int) -> None:
    found = made(8)
    assert verdict(found[:index] + found[index + 1 :]).broken == index + 2


@given(st.integers(1, 7))
def test_a_row_put_in_is_noticed(index: int) -> None:
    found = made(8)
    forged = chain.linked(rows.audit(99), found[index].digest)._replace(position=50)
    assert verdict([*found[: index + 1], forged, *found[index + 1 :]]).broken == index + 2


@given(st.integers(1, 8))
def test_a_missing_beginning_is_noticed(count: int) -> None:
    assert verdict(made(8)[count:]).broken == count + 1


def test_a_row_without_digest_behind_the_chain_is_noticed() -> None:
    assert verdict([*made(2), rows.audit(9, position=9)]).broken == 9


def test_rows_from_before_the_chain_are_counted_apart(tmp_path: Path) -> None:
    old = Embedded(str(tmp_path))
    old.append_audit(rows.audit())
    old.close(T0)
    store = opened(tmp_path)
    store.append_audit(rows.audit(2))
    assert whole(store) == chain.Verdict(2, 1, store.audit()[-1].digest, None, "")


def test_the_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    for number in range(3):
        store = opened(tmp_path)
        store.append_audit(rows.audit(number))
        store.close(T0)
    assert whole(opened(tmp_path)).rows == 4


def test_two_hubs_on_one_store_make_one_chain(tmp_path: Path) -> None:
    inner = Embedded(str(tmp_path))
    hubs = [chained(inner, KEEP), chained(inner, KEEP)]
    for number in range(20):
        assert hubs[number % 2].append_audit(rows.audit(number)) > 0
    assert whole(hubs[0])._replace(head="") == chain.Verdict(21, 0, "", None, "")


def test_a_batch_that_was_lost_leaves_no_gap(store: Store) -> None:
    store.append_audit(rows.audit(1))
    with pytest.raises(RuntimeError), store.batch():
        store.append_audit(rows.audit(2))
        raise RuntimeError
    store.append_audit(rows.audit(3))
    assert [row.detail for row in store.audit()][1:] == ["number 1", "number 3"] and whole(store).broken is None


def test_text_that_is_no_text_leaves_the_chain_whole(store: Store) -> None:
    with pytest.raises(BadRow):
        store.append_audit(rows.audit(detail="\udcff"))
    store.append_audit(rows.audit())
    assert whole(store).rows == 2


def test_retention_leaves_an_anchor(store: Store) -> None:
    for hour in range(30):
        store.append_audit(rows.audit(hour, at=T0 + 3600 * hour))
    for hour in range(30, 60):
        store.tend(T0 + 3600 * hour)
    left = store.audit(after=0, limit=1000)
    assert left[0].action != chain.ROOT and any(row.action == chain.ANCHOR for row in left)
    assert len(left) < 40 and whole(store).broken is None


def test_more_than_retention_took_is_noticed(store: Store) -> None:
    for hour in range(30):
        store.append_audit(rows.audit(hour, at=T0 + 3600 * hour))
    store.tend(T0 + 3600 * 26)
    left = store.audit(after=0, limit=1000)
    assert verdict(left).broken is None and verdict(left[1:]).broken == left[1].position

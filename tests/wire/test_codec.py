"""Bytes and messages: what is sent comes back, and hostile bytes raise DecodeError and nothing else."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.facts import fat_exit
from tests.support.values import messages
from wire import limits
from wire.codec import BY_TYPE, DecodeError, EncodeError, decode, encode
from wire.messages import Ack, Facts, Heartbeat, Query, Roster, Sample
from wire.model import PROCESS_COLUMNS, RosterRow, State, Status, Want

BEAT = Heartbeat("boot1", 3, 1, 1.5, 2.5, 1, 0, 0.01)


@given(messages())
def test_what_is_sent_comes_back(message: Any) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xc1")
@example(b"\xdf\xff\xff\xff\xff")
@example(b"\x91" * 100_000)
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data)


@given(messages(), st.data())
def test_changed_bytes_decode_or_are_refused(message: Any, data: st.DataObject) -> None:
    raw = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        changed = decode(bytes(raw))
    except DecodeError:
        return
    assert decode(encode(changed)) == changed


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(BY_TYPE)), st.data())
def test_wrong_values_in_right_fields_are_refused_or_fit(kind: str, data: st.DataObject) -> None:
    fields = {name: data.draw(ODD) for name, _, _ in BY_TYPE[kind].fields}
    raw = msgpack.packb({"v": 1, "t": kind, **fields})
    try:
        message = decode(raw)
    except DecodeError as error:
        assert str(error).startswith(kind)
        return
    encode(message)


def test_the_error_names_the_field() -> None:
    raw = encode(Query("q1", "ps", {"target": "web"}))
    with pytest.raises(DecodeError, match=r"query: args: not a map"):
        decode(msgpack.packb({**msgpack.unpackb(raw), "args": 1}))
    with pytest.raises(DecodeError, match=r"query: op: missing"):
        decode(msgpack.packb({"v": 1, "t": "query", "id": "q1", "args": {}}))


def test_unknown_keys_are_ignored() -> None:
    later = {**msgpack.unpackb(encode(BEAT)), "colour": ["blue"]}
    assert decode(msgpack.packb(later)) == BEAT


def test_a_missing_optional_field_takes_its_default() -> None:
    row = Roster("b", 1, 0, 0.0, 0.0, (), (), (), ())
    plain = msgpack.unpackb(encode(row))
    del plain["left_out"], plain["notes"]
    assert decode(msgpack.packb(plain)) == row


@pytest.mark.parametrize("head", [{"t": "ack"}, {"v": 2, "t": "ack"}, {"v": "1", "t": "ack"}])
def test_another_version_is_refused(head: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="protocol version"):
        decode(msgpack.packb({**head, "durable": 1}))


@pytest.mark.parametrize("kind", ["nonsense", 7, None, ["ack"]])
def test_an_unknown_type_is_refused(kind: Any) -> None:
    with pytest.raises(DecodeError, match="unknown message type"):
        decode(msgpack.packb({"v": 1, "t": kind}))


@pytest.mark.parametrize("raw", [msgpack.packb([1]), msgpack.packb({1: 2}), msgpack.packb(msgpack.ExtType(5, b"x"))])
def test_what_is_no_map_of_text_is_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(raw)


def test_the_size_is_bounded_on_both_sides() -> None:
    with pytest.raises(DecodeError, match="more than"):
        decode(bytes(limits.MESSAGE_BYTES + 1))
    with pytest.raises(EncodeError, match="more than 20"):
        encode(BEAT, 20)


def test_a_bug_of_ours_is_found_before_it_is_sent() -> None:
    with pytest.raises(EncodeError, match="heartbeat: boot: not an identifier"):
        encode(BEAT._replace(boot="../etc"))
    with pytest.raises(EncodeError, match="no message"):
        encode({"t": "ack"})  # type: ignore[arg-type]


def test_not_a_number_is_refused_where_a_finite_one_is_due() -> None:
    with pytest.raises(EncodeError, match="wall: not finite"):
        encode(BEAT._replace(wall=float("nan")))


def test_data_nested_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(limits.DEPTH + 2):
        deep = [deep]
    with pytest.raises(EncodeError, match="nested deeper"):
        encode(Query("q", "op", {"a": deep}))


def test_a_whole_batch_of_the_largest_exit_records_fits_one_message() -> None:
    facts = tuple(fat_exit(seq) for seq in range(1, limits.FACTS_PER_MESSAGE + 1))
    assert len(encode(Facts("boot1", 1, facts))) <= limits.MESSAGE_BYTES


def test_a_full_roster_fits_one_message() -> None:
    row = RosterRow(1, 10**9, 1, "unmanaged", "", "postgres: worke", 65534)
    rows = tuple(row._replace(pid=2**22 - n) for n in range(limits.PROCESSES))
    status = Status("workers", "worker_000", "worker", 0, State.RUNNING, Want.UP, 4_000_000, 10**9, 1.7e9, 1e6, 12, "")
    columns = tuple(column.name for column in PROCESS_COLUMNS)
    roster = Roster("boot1", 1, 5, 1.0, 1.0, columns, rows, (status,) * 100, ())
    assert len(encode(roster)) <= limits.MESSAGE_BYTES


def test_a_full_sample_fits_one_message() -> None:
    width = {"d": 8, "f": 4}
    columns = {column.name: bytes(width[column.code] * limits.PROCESSES) for column in PROCESS_COLUMNS}
    assert len(encode(Sample("boot1", 1, 0.0, 0.0, 5.0, columns, bytes(112)))) <= limits.MESSAGE_BYTES


def test_durable_may_not_be_a_boolean() -> None:
    with pytest.raises(DecodeError, match="ack: durable: not an integer"):
        decode(msgpack.packb({"v": 1, "t": "ack", "durable": True}))
    assert decode(encode(Ack(0))) == Ack(0)

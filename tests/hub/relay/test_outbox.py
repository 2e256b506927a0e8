"""What a relay keeps for a hub that does not listen, and in which order it tells it."""

from __future__ import annotations

from typing import Any

from hub.engines.relayed import Clock, heard_row, told_list
from hub.engines.reports import ContainerEvent, ContainerList, ContainerRow, ContainerSample, EngineState
from hub.relay.outbox import Outbox
from tests.support.corehub import container
from wire.codec import encode
from wire.limits import ENGINE_LABELS, LABEL_CHARS, LABEL_KEY_CHARS, RELAY_EVENTS, RELAY_PARTS, RELAY_RESULTS
from wire.model import CONTAINER_COLUMNS
from wire.relay import RelayContainer, RelayEvent, RelayList, RelayResult, RelaySamples, RelayState

STATE = EngineState("e", 5.0, True, version="26", seen_at=5.0)
VALUES = (1.0,) * len(CONTAINER_COLUMNS)


def drained(outbox: Outbox) -> list[Any]:
    """Everything it has to tell, in order."""
    told = []
    while (message := outbox.first()) is not None:
        encode(message)
        outbox.sent(message)
        told.append(message)
    return told


def listing(*rows: ContainerRow) -> ContainerList:
    return ContainerList("e", 5.0, rows)


def test_rows_travel_field_by_field() -> None:
    assert RelayContainer._fields == ContainerRow._fields
    row = container(3, labels={"a": "b"}, addresses=("10.0.0.1",), pid=7, exit_code=1)
    (part,) = told_list(1, 5.0, [row])
    assert heard_row(part.containers[0], Clock(9e9, 0.0)) == row


def test_a_newer_state_and_list_replace_what_waits() -> None:
    outbox = Outbox()
    for version in ("1", "2"):
        outbox.put_state(STATE._replace(version=version))
        outbox.put_list(listing(container(int(version))))
    state, rows = drained(outbox)
    assert (state.version, rows.number, rows.containers[0].id) == ("2", 2, container(2).id)
    assert outbox.listed == {container(2).id}


def test_a_long_list_goes_in_parts_that_fit() -> None:
    wordy = {f"{n:0{LABEL_KEY_CHARS}}": "\U0001f600" * LABEL_CHARS for n in range(ENGINE_LABELS)}
    parts = told_list(1, 5.0, [container(n, labels=wordy) for n in range(12)])
    assert [len(part.containers) for part in parts] == [2] * 6 and all(part.parts == 6 for part in parts)
    assert max(len(encode(part)) for part in parts) < 256 * 1024
    assert len(told_list(1, 5.0, [container(n, labels=wordy) for n in range(200)])) == RELAY_PARTS


def test_events_are_bounded_and_the_loss_is_counted() -> None:
    outbox = Outbox()
    for number in range(RELAY_EVENTS + 7):
        outbox.put_event(ContainerEvent("e", float(number), container(1).id, "start", {}))
    told = drained(outbox)
    assert (len(told), told[0].at, outbox.dropped) == (RELAY_EVENTS, 7.0, 7)


def test_the_last_sample_of_each_container_is_kept() -> None:
    outbox = Outbox()
    for at in (1.0, 2.0):
        for number in (1, 2):
            outbox.put_sample(ContainerSample("e", container(number).id, at, VALUES))
    (told,) = drained(outbox)
    assert isinstance(told, RelaySamples) and [one.at for one in told.samples] == [2.0, 2.0]
    assert outbox.dropped == 2


def test_results_are_told_until_the_hub_names_them() -> None:
    outbox = Outbox()
    outbox.put_result(RelayResult("c1", True, "", ""))
    assert [one.id for one in drained(outbox)] == ["c1"]
    assert drained(outbox) == []
    outbox.remind()
    assert [one.id for one in drained(outbox)] == ["c1"]
    outbox.named(("c1",))
    outbox.remind()
    assert drained(outbox) == []


def test_results_are_bounded() -> None:
    outbox = Outbox()
    for number in range(RELAY_RESULTS + 3):
        outbox.put_result(RelayResult(f"c{number}", True, "", ""))
    assert len(drained(outbox)) == RELAY_RESULTS


def test_state_and_list_can_be_told_again() -> None:
    outbox = Outbox()
    outbox.repeat()
    outbox.put_state(STATE)
    outbox.put_list(listing())
    drained(outbox)
    outbox.repeat()
    assert [type(one) for one in drained(outbox)] == [RelayState, RelayList]


def test_what_happened_is_told_before_what_it_came_to() -> None:
    outbox = Outbox()
    outbox.put_list(listing())
    outbox.put_event(ContainerEvent("e", 1.0, container(1).id, "die", {"exitCode": "0"}))
    assert [type(one) for one in drained(outbox)] == [RelayEvent, RelayList]

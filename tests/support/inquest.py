"""What is wrong with initd's account of its programs' deaths, beside what the programs and their killer wrote; pure.

Three witnesses who know nothing of each other's words: the ledger (tests.support.mortals), whoever sent signals from
outside (`aimed`: the index of a birth to the signal), and initd: its start lines on stderr and its facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from initd.backoff import HASTY_BURST, HASTY_SECONDS
from tests.support.mortals import Birth, Mortal

Row = dict[str, Any]
End = tuple[int | None, int | None]
"""Exit code, or None and a signal."""

STOPS: tuple[End, ...] = ((None, 15), (None, 9))
"""How a program may end that initd was asked to stop."""


def fate_of(birth: Birth, aimed: int | None) -> End | None:
    """How it must end if nobody asks initd to stop it; None: only by that."""
    word, _, number = birth.fate.partition("-")
    by_itself: dict[str, End] = {"exit": (int(number or 0), None), "die": (None, int(number or 0)), "brood": (3, None)}
    return by_itself.get(word) or ((None, aimed) if aimed is not None else None)


def records(facts: Iterable[Row], name: str) -> list[Row]:
    """Exit records of one program, in order."""
    return [fact["body"] for fact in facts if fact["kind"] == "exit" and fact["body"]["name"] == name]


def uncounted(name: str, spawned: list[int], told: list[Row]) -> list[str]:
    """Lives without exactly one record, in order."""
    pids = [record["pid"] for record in told]
    if pids == spawned:
        return []
    place = next((i for i, pair in enumerate(zip(pids, spawned, strict=False)) if pair[0] != pair[1]), None)
    return [f"{name}: {len(spawned)} lives, {len(pids)} exit records; the first difference is at {place}"]


def misjudged(births: list[tuple[int, Birth]], told: list[Row], aimed: Mapping[int, int]) -> Iterator[str]:
    """Records whose end is not what the ledger and the killer say; `births` are of one program, with their index."""
    waiting = iter([*births, (-1, Birth("", 0, ""))])
    index, birth = next(waiting)
    for record in told:
        end = (record["code"], record["signal"])
        written = record["pid"] == birth.pid
        allowed = {fate_of(birth, aimed.get(index)) if written else None}
        if record["cause"] == "stopped":
            allowed |= set(STOPS)
        if end not in allowed:
            who = birth.fate if written else "died before it could write"
            yield f"{record['name']} ({who}, aimed at with {aimed.get(index)}): recorded as {end}, {record['cause']}"
        if written:
            index, birth = next(waiting)
    if birth.pid:
        yield f"{birth.name} (pid {birth.pid}, {birth.fate}) has no record"


def chapters(facts: Iterable[Row], name: str) -> Iterator[tuple[Row, list[Row]]]:
    """Each exit record of a program with the state changes that followed it."""
    record: Row | None = None
    changes: list[Row] = []
    for fact in facts:
        if fact["body"].get("name") != name:
            continue
        if fact["kind"] == "exit":
            if record is not None:
                yield record, changes
            record, changes = fact["body"], []
        else:
            changes.append({**fact["body"], "mono": fact["mono"]})
    if record is not None:
        yield record, changes


def unlawful(mortal: Mortal, facts: list[Row]) -> Iterator[str]:
    """Where what followed a death is not what the policy says."""
    tries = hasty = 0
    for record, changes in chapters(facts, mortal.name):
        states = [change["state"] for change in changes]
        alone = [change for change in changes if change["state"] == "STARTING" and not change["by"]]
        if record["cause"] == "stopped":
            lawful, tries, hasty = states[:1] == ["STOPPED"] and not alone, 0, 0
        elif mortal.startsecs:
            tries += 1
            lawful = _backed_off(mortal, tries, changes)
            tries = 0 if "FATAL" in states else tries
        elif mortal.restarts(record["code"]):
            hasty = hasty + 1 if record["run_time"] < HASTY_SECONDS else 0
            at_once = states[:2] == ["EXITED", "STARTING"] and changes[1] in alone
            lawful = _paused(record, changes) if hasty > HASTY_BURST else at_once
            hasty = hasty if len(alone) == states.count("STARTING") else 0
        else:
            lawful, hasty = states[:1] == ["EXITED"] and not alone, 0
        if not lawful:
            yield f"{mortal.name}: {record['cause']} {record['code']} {record['signal']} was followed by {states}"


def _paused(record: Row, changes: list[Row]) -> bool:
    """Whether the next life after too many short ones began a while later by itself, or by somebody's command."""
    if changes[0]["state"] != "EXITED" or len(changes) == 1:
        return changes[0]["state"] == "EXITED"
    waited = record["run_time"] + changes[1]["mono"] - changes[0]["mono"]
    return changes[1]["state"] == "STARTING" and (changes[1]["by"] != "" or waited >= HASTY_SECONDS - 0.01)


def _backed_off(mortal: Mortal, tries: int, changes: list[Row]) -> bool:
    """Whether the `tries`-th failed start in a row was followed by that many seconds and a start, or by giving up."""
    states = [change["state"] for change in changes]
    if tries > mortal.startretries:
        return states[:2] == ["BACKOFF", "FATAL"]
    return states[:2] == ["BACKOFF", "STARTING"] and changes[1]["mono"] - changes[0]["mono"] >= tries - 0.001

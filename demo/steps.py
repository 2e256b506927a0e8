"""The main job in seven steps; each proves something against the running fleet and returns what it saw in a few words.

A step raises StepFailed where its claim does not hold, and returns early, saying why, for what the place lacks.  They
run in order: later ones stop and kill what earlier ones looked at.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

from demo.fleet import PERIOD, Box, Fleet, Row, expect, until

FRESH = 15.0
"""A figure is fresh if it is not older than this, seconds; samples come every two."""
STOP_BUDGET = 10.0
"""What `docker stop` grants, seconds."""
BACK_PERIODS = 2

Step = Callable[[Fleet], str]


# What the hub shows.


def agent_rows(fleet: Fleet, everyone: bool = False) -> dict[str, Row]:
    """The hub's agents by box; with `everyone`, those that left too (of one box, the newest)."""
    with fleet.client() as hub:
        rows = hub.query("agents", all=everyone or None)
    named = {fleet.agent(box): box for box in fleet.boxes}
    ordered = sorted(rows, key=lambda row: row["started_at"])
    return {named[row["name"]]: row for row in ordered if row["name"] in named}


def presence(fleet: Fleet, box: str) -> str:
    """live, late, lost, gone, or "" where the hub does not know it."""
    return str(agent_rows(fleet, everyone=True).get(box, {}).get("presence", ""))


def process(fleet: Fleet, box: str, name: str) -> Row:
    """The row of one program; empty where there is none."""
    with fleet.client() as hub:
        rows = hub.query("ps")
    return next((row for row in rows if row["agent_name"] == fleet.agent(box) and row["process"] == name), {})


def exits(fleet: Fleet, box: str) -> list[Row]:
    """Exit records of a box, newest last."""
    with fleet.client() as hub:
        rows = hub.exits(limit=2000)
    return [row for row in rows if row["agent_name"] == fleet.agent(box)]


def exit_of(fleet: Fleet, box: str, pid: int) -> Row | None:
    """The exit record of one process."""
    return next((row for row in exits(fleet, box) if row["pid"] == pid), None)


def all_live(fleet: Fleet) -> bool:
    """Whether every box is a live agent."""
    rows = agent_rows(fleet)
    return all(rows.get(box, {}).get("presence") == "live" for box in fleet.boxes)


def settled(fleet: Fleet, box: str) -> bool:
    """Whether the hub shows every lasting program of a box as running, with fresh figures."""
    with fleet.client() as hub:
        rows = {row["process"]: row for row in hub.query("ps") if row["agent_name"] == fleet.agent(box)}
    return all(_measured(rows.get(name, {}), name == "leaker") for name in fleet.programs[fleet.boxes[box].kind])


def _measured(row: Row, restless: bool) -> bool:
    """The leaking worker is dead now and then, so its figures may be away for a moment; until() asks again."""
    shown = row.get("state") == "RUNNING" and not row.get("stale") and row["age"] < FRESH
    return bool(shown and (row.get("rss") or 0) > 0 and (row.get("cpu") is not None or restless))


# The steps.


def pid1(fleet: Fleet) -> str:
    """in each container initd is PID 1 and no zombie is left"""
    for box in fleet.boxes:
        _settle(fleet, box)
        _check_pid1(fleet, box)
        fleet.spawn_orphan(box)
        _await_no_zombie(fleet, box)
    return f"{len(fleet.boxes)} boxes; {fleet.lacks.get('pid1', 'initd is PID 1 of each')}"


def _settle(fleet: Fleet, box: str) -> None:
    until(lambda: settled(fleet, box), f"every program of {box} running, with fresh CPU and memory")


def _check_pid1(fleet: Fleet, box: str) -> None:
    if "pid1" not in fleet.lacks:
        first = next(task for task in fleet.tasks(box) if task.pid == 1)
        expect("initd" in first.name or "initd" in first.arguments, f"PID 1 of {box} is {first.arguments}")


def _await_no_zombie(fleet: Fleet, box: str) -> None:
    """A dead child is a zombie for the moment until it is reaped; one that stays is not reaped."""
    until(lambda: not [task for task in fleet.tasks(box) if task.state == "Z"], f"no zombie in {box}")


def listed(fleet: Fleet) -> str:
    """the hub lists every agent and every program, with fresh CPU and memory"""
    until(lambda: all_live(fleet), "every agent live")
    for box in fleet.boxes:
        _settle(fleet, box)
    with fleet.client() as hub:
        rows = [row for row in hub.query("ps") if row["agent_name"] in map(fleet.agent, fleet.boxes)]
    memory = sum(row["rss"] or 0 for row in rows)
    return f"{len(agent_rows(fleet))} agents, {len(rows)} processes, {memory / 1e6:.0f} MB resident"


def killed(fleet: Fleet) -> str:
    """a program killed with -9 is back, its exit record says SIGKILL and not OOM; the leaking worker's says OOM"""
    box, name = "shop-1", fleet.victim
    leaked = fleet.lacks.get("oom") or _leaked(fleet, box)  # first, so that no kill falls together with it
    pid = _kill(fleet, box, name)
    row = until(lambda: exit_of(fleet, box, pid), f"the exit record of {name}, pid {pid}")
    expect(row["signal"] == signal.SIGKILL and row["cause"] == "signal", f"exit record says {_told(row)}")
    until(lambda: _new_pid(fleet, box, name, pid), f"{name} running again")
    if "oom" in fleet.lacks:
        return f"{name} restarted; no OOM: {leaked}"
    return f"{name}: {row['cause']} {row['signal']}, restarted; leaker: {leaked}"


def _leaked(fleet: Fleet, box: str) -> str:
    """The cause of the leaking worker's death, once it is over and the worker runs again."""
    leak = until(
        lambda: next((r for r in exits(fleet, box) if r["name"] == "leaker"), None), "the leaking worker's death"
    )
    expect(leak["cause"] == "oom", f"the leaking worker's exit record says {_told(leak)}")
    until(lambda: process(fleet, box, "leaker").get("state") == "RUNNING", "the leaking worker running again")
    return str(leak["cause"])


def _kill(fleet: Fleet, box: str, name: str) -> int:
    """kill -9 of a program's own process inside the box; returns its pid."""
    pid = int(until(lambda: process(fleet, box, name).get("pid"), f"{name} of {box} running"))
    fleet.kill(box, pid, signal.SIGKILL)
    return pid


def _new_pid(fleet: Fleet, box: str, name: str, old: int) -> bool:
    row = process(fleet, box, name)
    return row.get("state") == "RUNNING" and row.get("pid") not in (None, old)


def _told(row: Row) -> str:
    return json.dumps({key: row.get(key) for key in ("name", "cause", "signal", "code", "expected", "by", "command")})


def commanded(fleet: Fleet) -> str:
    """hubctl restart of a program and hubctl stop and start of a container take effect and are in the audit"""
    box, name = "shop-1", fleet.victim
    target = f"{fleet.agent(box)}/{name}"
    pid = int(process(fleet, box, name)["pid"])
    fleet.hubctl("restart", target)
    until(lambda: _new_pid(fleet, box, name, pid), f"{target} restarted")
    expected = [("restart", target)]
    if "containers" not in fleet.lacks:
        container = fleet.agent("jobs-1")
        fleet.hubctl("stop", "--container", container)
        until(lambda: presence(fleet, "jobs-1") == "gone", f"{container} stopped")
        fleet.hubctl("start", "--container", container)
        until(lambda: presence(fleet, "jobs-1") == "live", f"{container} back")
        expected += [("stop", container), ("start", container)]
    until(lambda: all(_audited(fleet, *one) for one in expected), f"{expected} in the audit")
    return ", ".join(f"{verb} {what}" for verb, what in expected)


def _audited(fleet: Fleet, verb: str, target: str) -> bool:
    with fleet.client() as hub:
        rows = hub.query("audit", limit=500)
    return any(row["action"] == verb and target in row["target"] and row["outcome"] == "done" for row in rows)


def coming_and_going(fleet: Fleet) -> str:
    """boxes come, leave, restart, pause and lose their link, and the hub tells each at once and by itself"""
    took = {what: _timed(fleet, step) for what, step in COMINGS.items()}
    return ", ".join(f"{what} {seconds:.1f} s" for what, seconds in took.items())


def _timed(fleet: Fleet, step: Callable[[Fleet], None]) -> float:
    begun = time.monotonic()
    step(fleet)
    return time.monotonic() - begun


def _new(fleet: Fleet) -> None:
    fleet.add(Box("shop-3", "shop"))
    until(lambda: presence(fleet, "shop-3") == "live", "the new box live")


def _left(fleet: Fleet) -> None:
    fleet.stop("shop-3")
    row = until(lambda: agent_rows(fleet, everyone=True)["shop-3"], "the stopped box's row")
    until(lambda: presence(fleet, "shop-3") == "gone", "the stopped box gone", 3 * PERIOD)
    row = agent_rows(fleet, everyone=True)["shop-3"]
    expect(row["reason"], f"the stopped box left without a reason: {row}")
    del fleet.boxes["shop-3"]


def _restarted(fleet: Fleet) -> None:
    for box in ("shop-2", next(name for name, one in fleet.boxes.items() if one.read_only)):
        _restart(fleet, box)


def _restart(fleet: Fleet, box: str) -> None:
    boot = agent_rows(fleet)[box]["boot"]
    fleet.restart(box)
    until(lambda: _rebooted(fleet, box, boot), f"{box} back after a restart")


def _rebooted(fleet: Fleet, box: str, boot: str) -> bool:
    row = agent_rows(fleet).get(box, {})
    return row.get("presence") == "live" and row.get("boot") != boot


def _relinked(fleet: Fleet) -> None:
    old = _link(fleet, "jobs-1")
    fleet.kill("jobs-1", old, signal.SIGKILL)
    until(lambda: _link(fleet, "jobs-1") not in (0, old), "a new link process")
    until(lambda: presence(fleet, "jobs-1") == "live", "its agent live")
    until(lambda: settled(fleet, "jobs-1"), "its figures again")


def _link(fleet: Fleet, box: str) -> int:
    """The pid of a box's link process, 0 where there is none."""
    return next((task.pid for task in fleet.tasks(box) if "initd.link" in task.arguments), 0)


def _paused(fleet: Fleet) -> None:
    box, paused = "jobs-1", time.time()
    fleet.freeze(box, True)
    try:
        until(lambda: presence(fleet, box) == "lost", "the paused box lost")
    finally:
        fleet.freeze(box, False)
    until(lambda: presence(fleet, box) == "live", "the paused box back")
    told = until(lambda: _ended(_presences(fleet, box, paused), "live"), "the notice that it is back")
    expect(told == ["late", "lost", "live"], f"the paused box was {told}, not late, then lost, then live")


def _presences(fleet: Fleet, box: str, since: float) -> list[str]:
    """What the hub said of a box since then, oldest first."""
    with fleet.client() as hub:
        rows = hub.events(since=since, limit=2000)
    return [str(row["presence"]) for row in rows if "presence" in row and row["agent_name"] == fleet.agent(box)]


def _ended(words: list[str], last: str) -> list[str]:
    return words if words and words[-1] == last else []


COMINGS: dict[str, Callable[[Fleet], None]] = {
    "new": _new,
    "stopped": _left,
    "restarted": _restarted,
    "link killed": _relinked,
    "paused": _paused,
}


def hub_killed(fleet: Fleet) -> str:
    """after kill -9 of the hub every agent is back within two periods, none reported lost, no exit record missing"""
    until(lambda: all_live(fleet), "every agent live")
    name = fleet.victim
    old = int(until(lambda: process(fleet, "shop-2", name).get("pid"), f"{name} running"))
    fleet.kill_hub()
    fleet.kill("shop-2", old, signal.SIGKILL)
    asked = time.time()
    fleet.start_hub()
    until(lambda: agent_rows(fleet) is not None, "the hub answering again")
    begun = time.monotonic()
    until(lambda: _registered_since(fleet, asked), "every agent back")
    took = time.monotonic() - begun
    expect(took <= BACK_PERIODS * PERIOD, f"agents were back after {took:.1f} s, more than {BACK_PERIODS} periods")
    until(lambda: exit_of(fleet, "shop-2", old), f"the exit record of {name}, which died while there was no hub")
    lost = _lost_since(fleet, asked)
    expect(not lost, f"reported lost after the restart: {lost}")
    return f"{len(fleet.boxes)} agents back {took:.1f} s after the hub answered, none lost, no record missing"


def _registered_since(fleet: Fleet, asked: float) -> bool:
    rows = agent_rows(fleet)
    live = [box for box in fleet.boxes if rows.get(box, {}).get("presence") == "live" and rows[box]["at"] > asked]
    return len(live) == len(fleet.boxes)


def _lost_since(fleet: Fleet, asked: float) -> list[str]:
    return [box for box in fleet.boxes if "lost" in _presences(fleet, box, asked)]


def stopped(fleet: Fleet) -> str:
    """a busy box ends inside its 10 s, every program stopped by its own signal"""
    took = {box: _stop_busy(fleet, box) for box in ("shop-2", "jobs-1")}
    return ", ".join(f"{box} {seconds:.1f} s" for box, seconds in took.items())


def _stop_busy(fleet: Fleet, box: str) -> float:
    _settle(fleet, box)
    fleet.make_busy(box)
    stopping = time.time()
    took = fleet.stop(box)
    expect(took < STOP_BUDGET, f"{box} took {took:.1f} s of {STOP_BUDGET:.0f}")
    said = fleet.logs(box)
    missing = [text for text in fleet.last_words[fleet.boxes[box].kind] if text not in said]
    expect(not missing, f"{box} ended without {missing}; its last lines: {said[-1500:]}")
    ended = [row for row in exits(fleet, box) if row["at"] >= stopping and row["cause"] == "stopped"]
    expect(ended, f"no exit record of {box} says that it was stopped")
    forced = [_told(row) for row in ended if row["signal"] == signal.SIGKILL]
    expect(not forced, f"had to be killed: {forced}")
    return took


STEPS: tuple[Step, ...] = (pid1, listed, killed, commanded, coming_and_going, hub_killed, stopped)

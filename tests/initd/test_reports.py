"""The rows of `status`: what is kept of them from one answer to the next is never out of date."""

from __future__ import annotations

import json

import pytest

from initd.connection import encode
from initd.output import Dropped
from initd.replies import Reply, Rows
from initd.reports import Reports
from tests.sim.machine import ME, Simulated
from tests.support.programs import program
from wire.model import State


class Outputs:
    """Tells of losses."""

    lost = 0

    def dropped(self, name: str) -> Dropped:
        return Dropped(self.lost, 1)


@pytest.fixture
def sim() -> Simulated:
    made = Simulated(program("web"), program("db", autostart=False))
    made.supervisor.start_all()
    return made


def told(reports: Reports, sim: Simulated) -> list[dict[str, object]]:
    """The rows as a client reads them."""
    rows = reports.status((), sim.loop.now())
    message = json.loads(encode(Reply("id", rows).message()))
    assert message == {"id": "id", "ok": True, "result": list(rows)}
    return rows


def test_the_text_says_what_the_rows_say_whatever_changes(sim: Simulated) -> None:
    outputs = Outputs()
    reports = Reports(sim.supervisor, sim.journal, outputs)  # type: ignore[arg-type]
    web, db = told(reports, sim)
    assert (web["state"], web["uptime"], db["uptime"], web["dropped"]) == ("STARTING", 0.0, None, 1)
    sim.loop.advance(5)
    assert [row["uptime"] for row in told(reports, sim)] == [5.0, None]
    assert told(reports, sim)[0]["state"] == "RUNNING"
    outputs.lost = 7
    assert told(reports, sim)[0]["dropped"] == 8
    sim.supervisor.stop(sim["web"], ME)
    sim.loop.advance(1)
    assert told(reports, sim)[0]["state"] == "STOPPED"


def test_a_program_that_backs_off_tells_when_it_tries_again(sim: Simulated) -> None:
    reports = Reports(sim.supervisor, sim.journal, Outputs())  # type: ignore[arg-type]
    assert told(reports, sim)[0]["next_try"] is None
    sim.kernel.die(sim["web"].pid, code=1)
    assert sim["web"].program.state is State.BACKOFF
    assert told(reports, sim)[0]["next_try"] == sim.kernel.wall() + 1
    sim.loop.advance(5)
    assert told(reports, sim)[0]["next_try"] is None


def test_words_of_a_program_cannot_forge_a_row(sim: Simulated) -> None:
    sim["web"].why = '","uptime":null,"x":"\n\u2028'
    rows = told(Reports(sim.supervisor, sim.journal, Outputs()), sim)  # type: ignore[arg-type]
    assert rows[0]["why"] == sim["web"].why


def test_no_rows(sim: Simulated) -> None:
    sim.supervisor.processes.clear()
    assert told(Reports(sim.supervisor, sim.journal, Outputs()), sim) == []  # type: ignore[arg-type]
    assert encode(Reply(1, Rows()).message()) == b'{"id":1,"ok":true,"result":[]}\n'

"""Sinks that hang, fail, refuse and recover: real servers, real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.alerts import couriers
from hub.alerts.couriers import QUEUE, Courier, Couriers
from hub.alerts.notices import Item, Notice
from hub.alerts.rules import Sink
from tests.support.sinkserver import CLOSE, DRIP, HANG, SinkServer
from tests.support.waiting import until

ITEM = Item("shop/web", "shop/web is <!channel> & *bold*", {"agent": "shop", "com.x/y": "z"}, 1_800_000_000.0)


def notice(epoch: int = 1, group: str = "g", state: str = "firing", **changes: Any) -> Notice:
    ended = (ITEM._replace(ended=1_800_000_060.0),) if state == "resolved" else ()
    firing = () if state == "resolved" else (ITEM,)
    head = (group, epoch, state, "oom-kill", "h1", "critical", ITEM.summary)
    return Notice(*head, firing, ended, len(firing), 1_800_000_060.0, "hub-1")._replace(**changes)


class Lab:
    """Servers and couriers that end with the test."""

    def __init__(self) -> None:
        self.servers: list[SinkServer] = []
        self.couriers: list[Courier] = []
        self.said: list[str] = []

    def server(self, *answers: int | str) -> SinkServer:
        self.servers.append(SinkServer(*answers))
        return self.servers[-1]

    def sink(self, url: str, kind: str = "webhook", **changes: Any) -> Sink:
        return Sink("s", kind, url, "", "", "", "info", True, 1.0)._replace(**changes)

    def courier(self, url: str, kind: str = "webhook", **changes: Any) -> Courier:
        self.couriers.append(Courier(self.sink(url, kind, **changes), self.said.append))
        self.couriers[-1].start()
        return self.couriers[-1]


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr(couriers, "FIRST_SECONDS", 0.05)
    lab = Lab()
    yield lab
    for courier in lab.couriers:
        courier.stop()
    for server in lab.servers:
        server.stop()


def test_a_notice_arrives_once(lab: Lab) -> None:
    server = lab.server(200)
    courier = lab.courier(server.url + "/hook?x=1")
    for epoch in (1, 1, 1, 2):
        courier.post(notice(epoch))
        until(lambda: not courier.waiting)
    assert [path for path, _, _ in server.got] == ["/hook?x=1"] * 2 and server.epochs == [1, 2]
    assert server.got[0][1]["Idempotency-Key"] == "g#1" and courier.counts["delivered"] == 2


def test_an_error_is_tried_again_with_patience(lab: Lab) -> None:
    server = lab.server(500, 503, 429, 200)
    courier = lab.courier(server.url)
    courier.post(notice())
    until(lambda: courier.counts["delivered"] == 1)
    assert len(server.got) == 4
    assert lab.said == ["sink s: HTTP 500: that is what I say; trying on", "sink s: takes notices again"]


def test_a_refusal_for_good_is_not_tried_again(lab: Lab) -> None:
    server = lab.server(403)
    courier = lab.courier(server.url)
    courier.post(notice())
    until(lambda: courier.counts["refused"] == 1)
    assert len(server.got) == 1 and lab.said[-1].endswith("the notice is given up")


@pytest.mark.parametrize("fault", [HANG, DRIP, CLOSE])
def test_who_hangs_drips_or_hangs_up_is_left_in_time_and_tried_again(lab: Lab, fault: str) -> None:
    server = lab.server(fault, 200)
    courier = lab.courier(server.url)
    courier.post(notice())
    until(lambda: courier.counts["delivered"] == 1)
    assert len(server.got) == 2


def test_posting_to_a_sink_that_hangs_never_waits_and_delays_no_other(lab: Lab) -> None:
    hanging, sound = lab.server(HANG), lab.server(200)
    both = [lab.courier(hanging.url, timeout=60.0), lab.courier(sound.url)]
    began = time.monotonic()
    for number in range(1000):
        for courier in both:
            courier.post(notice(group=f"g{number % 100}", epoch=number))
    posted = time.monotonic() - began
    until(lambda: not both[1].waiting)
    assert posted < 5.0 and both[0].waiting <= QUEUE and len(hanging.got) == 1


def test_a_full_queue_says_what_it_lost(lab: Lab) -> None:
    server = lab.server(500)
    courier = lab.courier(server.url)
    for number in range(QUEUE + 30):
        courier.post(notice(group=f"g{number}", epoch=number + 1))
    assert courier.waiting == QUEUE and courier.counts["dropped"] == 30
    server.answers = [200]
    until(lambda: not courier.waiting)
    summaries = [body["summary"] for _, _, body in server.got]
    assert summaries[-1] == ITEM.summary and any("(30 earlier notices were lost)" in one for one in summaries)


def test_what_goes_on_takes_the_place_of_what_still_waits(lab: Lab) -> None:
    server = lab.server(500)
    courier = lab.courier(server.url)
    courier.post(notice(1))
    until(lambda: server.got)
    courier.post(notice(2, state="resolved"))
    server.answers = [200]
    until(lambda: not courier.waiting)
    assert server.got[-1][2]["state"] == "resolved" and courier.counts["delivered"] == 1


def test_severity_and_resolved_are_chosen_by_the_sink(lab: Lab) -> None:
    courier = Courier(lab.sink("http://x", severity="critical", resolved=False), lab.said.append)
    for one in (notice(severity="warning"), notice(state="resolved"), notice(state="refresh")):
        courier.post(one)
    assert courier.waiting == 0
    courier.post(notice())
    assert courier.waiting == 1


def test_secrets_come_from_files_and_are_never_said(lab: Lab, tmp_path: Path) -> None:
    server, (url, token) = lab.server(200), (tmp_path / "url", tmp_path / "token")
    url.write_text(f"{server.url}/secret\n")
    token.write_text("s3cret\n")
    courier = lab.courier("", url_file=str(url), token_file=str(token))
    courier.post(notice())
    until(lambda: server.got)
    assert server.got[0][0] == "/secret" and server.got[0][1]["Authorization"] == "Bearer s3cret"
    url.write_text("not an address s3cret")
    courier.post(notice(2))
    until(lambda: lab.said)
    assert "s3cret" not in lab.said[0] and "url_file" in lab.said[0]


def test_alertmanager_is_told_labels_and_times(lab: Lab) -> None:
    server = lab.server(200)
    courier = lab.courier(server.url + "/", "alertmanager")
    for one in (notice(1), notice(1, state="refresh"), notice(2, state="resolved")):
        courier.post(one)
        until(lambda: not courier.waiting)
    assert [path for path, _, _ in server.got] == ["/api/v2/alerts"] * 3
    alert = server.got[0][2][0]
    named = {"alertname": "oom-kill", "severity": "critical", "hub": "hub-1", "id": "shop/web"}
    assert alert["labels"] == {"agent": "shop", "com_x_y": "z", **named}
    assert [body[0]["endsAt"][11:19] for _, _, body in server.got] == ["08:06:00", "08:06:00", "08:01:00"]


def test_slack_is_told_text_that_mentions_nobody(lab: Lab) -> None:
    server = lab.server(200)
    courier = lab.courier(server.url, "slack")
    courier.post(notice())
    until(lambda: server.got)
    text = server.got[0][2]["text"]
    assert text.startswith(":red_circle: *oom-kill* ") and "<!channel>" not in text
    assert "&lt;!channel&gt; &amp;" in text and "*bold*" not in text


def outcomes(lab: Lab, *sinks: Sink) -> list[dict[str, Any]]:
    """The outcome of a test of these sinks."""
    found: list[Any] = []
    done = threading.Event()

    def finish(then: Callable[..., Any], outcomes: Any) -> None:
        found.extend(outcomes)
        done.set()

    all = Couriers(sinks, lab.said.append, finish)
    all.start()
    lab.couriers += all.couriers
    all.post(notice(state="test"), lambda value, error, now: [])
    assert done.wait(60)
    return found


def test_a_test_tells_of_every_sink_what_became_of_it(lab: Lab) -> None:
    sinks = [
        lab.sink(lab.server(200).url, name="good"),
        lab.sink(lab.server(404).url, name="wrong"),
        lab.sink("http://127.0.0.1:1/", name="nobody"),
        lab.sink(lab.server(HANG).url, name="hangs"),
    ]
    found = outcomes(lab, *sinks)
    assert [(one["sink"], one["ok"]) for one in found] == [
        ("good", True), ("hangs", False), ("nobody", False), ("wrong", False),
    ]  # fmt: skip
    assert [one["detail"] for one in found] == [
        "HTTP 200", "no answer in time", "Connection refused", "HTTP 404: that is what I say",
    ]  # fmt: skip
    assert outcomes(lab) == []

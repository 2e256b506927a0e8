"""A notice as each kind of sink wants it: path, headers and body.  Pure.

- webhook: our own JSON, which docs/alerts.md describes.
- alertmanager: API v2, POST /api/v2/alerts (its OpenAPI file: labels, annotations, startsAt, endsAt); what goes on is
  repeated each minute with an end a few minutes ahead, so that it is over there too if the hub is.
- slack: the incoming webhook of Slack, which Mattermost, Rocket.Chat and Discord (/slack) take as well.

Text of strangers stays text: JSON escapes it, and `&<>` are written as Slack asks, so no name is a mention or link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.alerts.notices import Item, Notice
from hub.alerts.rules import Sink
from wire._record import Record

__all__ = ["Request", "request"]

AHEAD_SECONDS = 300.0
"""An alert ends at Alertmanager so long after it was last repeated."""
EMOJI = {"critical": ":red_circle:", "warning": ":large_orange_circle:", "info": ":large_blue_circle:"}
SLACK_LINES = 10
_BAD_LABEL = re.compile(r"[^A-Za-z0-9_]")


class Request(Record):
    """One POST."""

    path: str
    """Added to the sink's address."""
    headers: Mapping[str, str]
    body: bytes


def request(sink: Sink, notice: Notice) -> Request:
    """What is sent to this sink for this notice."""
    path, body = {"webhook": _webhook, "alertmanager": _alertmanager, "slack": _slack}[sink.kind](notice)
    data = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
    same = f"{notice.group}#{notice.epoch}".encode("ascii", "backslashreplace").decode()
    headers = {"Content-Type": "application/json", "User-Agent": "pidone-hub", "Idempotency-Key": same}
    return Request(path, headers, data)


def _webhook(notice: Notice) -> tuple[str, Any]:
    items = {
        name: [_plain(item) for item in found] for name, found in (("firing", notice.firing), ("ended", notice.ended))
    }
    head = ("group", "epoch", "state", "rule", "severity", "summary", "going", "hub")
    body = {**{name: getattr(notice, name) for name in head}, "host": notice.place, "at": _time(notice.at)}
    return "", {"version": 1, **body, **items}


def _plain(item: Item) -> dict[str, Any]:
    times = {"since": _time(item.since), "ended": None if item.ended is None else _time(item.ended)}
    return {"subject": item.subject, "summary": item.summary, "names": dict(item.names), **times}


def _alertmanager(notice: Notice) -> tuple[str, Any]:
    over = notice.at + AHEAD_SECONDS if notice.state != "test" else notice.at + 1.0
    found = [(item, over) for item in notice.firing] + [(item, item.ended or notice.at) for item in notice.ended]
    return "/api/v2/alerts", [_alert(notice, item, end) for item, end in found]


def _alert(notice: Notice, item: Item, end: float) -> dict[str, Any]:
    names = {_BAD_LABEL.sub("_", name): text for name, text in item.names.items() if text}
    labels = {**names, "alertname": notice.rule, "severity": notice.severity, "hub": notice.hub, "id": item.subject}
    labels = {name if not name[:1].isdigit() else f"_{name}": text for name, text in labels.items()}
    annotations = {"summary": item.summary, "group": notice.summary}
    return {"labels": labels, "annotations": annotations, "startsAt": _time(item.since), "endsAt": _time(end)}


def _slack(notice: Notice) -> tuple[str, Any]:
    sign = ":white_check_mark:" if notice.state == "resolved" else EMOJI[notice.severity]
    word = {"resolved": "over: ", "test": "test: "}.get(notice.state, "")
    lines = [f"{sign} *{_slack_text(notice.rule)}* {word}{_slack_text(notice.summary)}"]
    if notice.going > 1:
        lines += [f"• {_slack_text(item.summary)}" for item in notice.firing[:SLACK_LINES]]
        left = notice.going - min(len(notice.firing), SLACK_LINES)
        lines += [f"• and {left} more"] if left else []
    if notice.state != "resolved":
        lines += [f"• over: {_slack_text(item.summary)}" for item in notice.ended[:SLACK_LINES]]
    return "", {"text": "\n".join(lines)}


def _slack_text(text: str) -> str:
    """Plain for mrkdwn: entities as Slack wants them, and nothing that formats."""
    for char, told in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, told)
    return text.translate({ord(char): f"\u200b{char}" for char in "*_~`"})


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

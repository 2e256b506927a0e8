"""Agents and hubs of earlier releases: what they send is still understood, and they understand what they need."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import msgpack
import pytest

from docs.protocol_examples import EXAMPLES
from wire.codec import decode, encode, message_type
from wire.messages import Beat, HubAddress, Registered

REGISTERED = {
    "v": 1, "t": "registered", "agent": "a1", "hub": "hub-1", "epoch": 3, "period": 2.0, "sample_period": 5.0,
    "durable": 7, "wall": 1.5, "want_roster": True, "server_keys": ["k" * 40],
}  # fmt: skip
BEAT = {
    "v": 1, "t": "beat", "durable": 7, "wall": 1.5, "watch": False, "want_roster": False, "register": False,
    "epoch": 3, "hubs": [],
}  # fmt: skip
HUB = HubAddress("h:7401", "h:7402", "h:7403", "k" * 40)


def test_a_hub_before_clusters_is_understood() -> None:
    registered = decode(msgpack.packb(REGISTERED))
    assert isinstance(registered, Registered) and registered.hubs == () and registered.durable == 7
    beat = decode(msgpack.packb(BEAT))
    assert isinstance(beat, Beat) and not beat.elsewhere and beat.period is None and beat.hubs == ()


def test_an_agent_before_clusters_finds_its_fields_where_they_were() -> None:
    new = decode(msgpack.packb(REGISTERED))
    assert isinstance(new, Registered)
    raw = msgpack.unpackb(encode(new._replace(hubs=(HUB,))))
    assert {name: raw[name] for name in REGISTERED} == REGISTERED
    beat = decode(msgpack.packb(BEAT))
    assert isinstance(beat, Beat)
    raw = msgpack.unpackb(encode(beat._replace(elsewhere=True, period=3.0)))
    assert {name: raw[name] for name in BEAT} == BEAT


RELEASES = Path(__file__).parents[1] / "releases"
FRAMES = [
    pytest.param(name, bytes.fromhex(frame), id=f"{path.stem}-{name}")
    for path in sorted(RELEASES.glob("*.json"))
    for name, frame in json.loads(path.read_text())["frames"]
]
ANSWERS = ("registered", "beat", "ack", "refused", "enrolled", "command")
"""What an agent that knows nothing of later messages is sent."""
READ = """
import json, sys
sys.path.insert(0, ".")
from wire.codec import decode, message_type
for line in sys.stdin:
    one = decode(bytes.fromhex(line))
    assert type(one).__module__.startswith("wire.")
    print(message_type(type(one)))
"""


def includes(new: object, old: object) -> bool:
    """Whether all that was said is still said; fields may have come since then, in maps and behind a row's end."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and includes(new[key], value) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(new) >= len(old) and all(map(includes, new, old))
    return new == old


@pytest.mark.parametrize(("name", "frame"), FRAMES)
def test_what_earlier_releases_send_is_understood_field_by_field(name: str, frame: bytes) -> None:
    old, message = msgpack.unpackb(frame), decode(frame)
    assert message_type(type(message)) == name
    assert includes(msgpack.unpackb(encode(message)), old)


def test_every_release_with_an_agent_has_all_that_agents_say() -> None:
    told = {"register", "heartbeat", "roster", "facts", "goodbye", "hello", "progress", "sample", "event", "enrol"}
    for path in RELEASES.glob("*.json"):
        assert told <= {name for name, _ in json.loads(path.read_text())["frames"]}, path
    assert len(list(RELEASES.glob("*.json"))) >= 5 and list(RELEASES.glob("*.tar.xz"))


@pytest.mark.parametrize("path", sorted(RELEASES.glob("*.tar.xz")), ids=lambda path: path.name)
def test_what_this_hub_answers_is_understood_by_the_code_of_then(path: Path, tmp_path: Path) -> None:
    with tarfile.open(path) as tar:
        tar.extractall(tmp_path)
    said = [one for one in EXAMPLES if message_type(type(one)) in ANSWERS]
    text = "".join(f"{encode(one).hex()}\n" for one in said)
    run = subprocess.run([sys.executable, "-c", READ], cwd=tmp_path, input=text, capture_output=True, text=True)
    assert run.stdout.split() == [message_type(type(one)) for one in said], run.stderr
    assert set(run.stdout.split()) == set(ANSWERS)

"""Agents and hubs of earlier releases: what they send is still understood, and they understand what they need."""

from __future__ import annotations

import msgpack

from wire.codec import decode, encode
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

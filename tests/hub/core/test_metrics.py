"""The hub's own counters and gauges on query."""

from __future__ import annotations

from tests.support.corehub import CoreHub, listing
from wire import messages as M


def lines(hub: CoreHub) -> dict[str, float]:
    text = hub.query("metrics")
    return {
        name: float(value) for name, _, value in (one.rpartition(" ") for one in text.splitlines()) if name[0] != "#"
    }


def test_agents_engines_samples_and_messages(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.sample(agent, 0.5)
    hub.report(*listing(hub.now.wall))
    said = lines(hub)
    assert said['pidone_agents{presence="live"}'] == 1 and said['pidone_agents{presence="lost"}'] == 0
    assert said['pidone_engine_up{engine="e1"}'] == 1
    assert said['pidone_messages_total{type="Sample"}'] == 1
    assert said["pidone_samples_total"] == 2 and said["pidone_store_budget_bytes"] == 1 << 30


def test_refusals_and_commands_by_their_end(hub: CoreHub) -> None:
    agent = hub.agent("shop", "web")
    hub.hello(agent)
    command = hub.query("command", target="shop/web", verb="stop")
    hub.ask("agents", agent, M.Progress(command["id"], M.CommandState.DONE, None, None, hub.now.wall))
    hub.query("command", target="shop/none", verb="stop")
    said = lines(hub)
    assert said['pidone_commands_total{state="done"}'] == 1
    assert said['pidone_refused_total{code="unknown-program"}'] == 1

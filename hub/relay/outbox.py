"""What the relay has to tell its hub, within bounds: the newest state and list, events, samples, results.  Pure.

Theory.  The hub may be away for a minute or a day.  States and lists replace each other; of each container the last
sample is kept; events are kept up to a bound, since the next list tells what became of everything; results of orders
are kept until the hub names them.  `first` is what to send next, `sent` says that it went.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from hub.engines.relayed import told_event, told_list, told_sample, told_state
from hub.engines.reports import ContainerEvent, ContainerList, ContainerSample, EngineState
from wire.limits import ENGINE_CONTAINERS, RELAY_EVENTS, RELAY_RESULTS, RELAY_SAMPLES
from wire.messages import Message
from wire.relay import RelayEvent, RelayList, RelayResult, RelaySample, RelaySamples, RelayState


class Outbox:
    """One relay's; used by one thread."""

    def __init__(self) -> None:
        self.state: RelayState | None = None
        self.listing: ContainerList | None = None
        """The last of each, for a hub that lacks them."""
        self.listed: frozenset[str] = frozenset()
        """Ids in that list."""
        self.dropped = 0
        """Events and samples that went without having been sent."""
        self._number = 0
        self._bulk: deque[RelayState | RelayList] = deque()
        self._events: deque[RelayEvent] = deque()
        self._samples: dict[str, RelaySample] = {}
        self._results: OrderedDict[str, RelayResult] = OrderedDict()
        """Those the hub has not named; they are told again with every beat."""
        self._untold: deque[str] = deque()

    # -- in --------------------------------------------------------------------------------------------------------

    def put_state(self, state: EngineState) -> None:
        """How the engine is."""
        self.state = told_state(state)
        self._bulk = deque(one for one in self._bulk if not isinstance(one, RelayState))
        self._bulk.appendleft(self.state)

    def put_list(self, listing: ContainerList) -> None:
        """All its containers."""
        self.listing, self.listed = listing, frozenset(row.id for row in listing.containers)
        self._number += 1
        parts = told_list(self._number, listing.at, listing.containers)
        self._bulk = deque(one for one in self._bulk if not isinstance(one, RelayList))
        self._bulk.extend(parts)

    def put_event(self, event: ContainerEvent) -> None:
        """Something happened."""
        self._events.append(told_event(event))
        if len(self._events) > RELAY_EVENTS:
            self._events.popleft()
            self.dropped += 1

    def put_sample(self, sample: ContainerSample) -> None:
        """A measurement; an older one of the same container that still waits gives way."""
        self.dropped += sample.container in self._samples
        if len(self._samples) < ENGINE_CONTAINERS:
            self._samples[sample.container] = told_sample(sample)

    def put_result(self, result: RelayResult) -> None:
        """The end of an order."""
        if result.id not in self._untold:
            self._untold.append(result.id)
        self._results[result.id] = result
        while len(self._results) > RELAY_RESULTS:
            self._results.popitem(last=False)

    def repeat(self) -> None:
        """The hub lacks state and list: tell them again."""
        if self.state is not None:
            self._bulk = deque([self.state])
        if self.listing is not None:
            self.put_list(self.listing)

    def remind(self) -> None:
        """Tell the results again that the hub has not named."""
        self._untold = deque(self._results)

    def named(self, results: tuple[str, ...]) -> None:
        """The hub has these results."""
        for key in results:
            self._results.pop(key, None)

    # -- out -------------------------------------------------------------------------------------------------------

    def first(self) -> Message | None:
        """What to send next; None where there is nothing."""
        while self._untold and self._untold[0] not in self._results:
            self._untold.popleft()
        if self._untold:
            return self._results[self._untold[0]]
        if self._events:
            return self._events[0]
        if self._bulk:
            return self._bulk[0]
        waiting = tuple(self._samples.values())[:RELAY_SAMPLES]
        return RelaySamples(waiting) if waiting else None

    def sent(self, message: Message) -> None:
        """What `first` gave went out."""
        if isinstance(message, RelayResult):
            self._untold.popleft()
        elif isinstance(message, RelayEvent):
            self._events.popleft()
        elif isinstance(message, RelaySamples):
            for sample in message.samples:
                del self._samples[sample.container]
        else:
            self._bulk.popleft()

"""Pictures of the fleet that are kept up to date while somebody looks: one for all who may see the same.

Theory.  What a page may show depends on its asker's role and scope alone, so all who have the same share one *view*:
one reading of the rows, one patch, encoded once.  A view reads anew a moment after the feed told of a change, and every
few seconds for the figures.  Its patches are numbered; a reader that fell behind gets a snapshot instead of what it
missed.  The last reader takes the view with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec

from console import bounds
from console.errors import Problem
from console.hub import Contact, Hub
from console.live.picture import TABLES, Picture, difference, picture
from console.who import Who
from wire.messages import Feed

__all__ = ["View", "Views"]

PAGE = 1000
"""Rows asked for at once."""
PAGED = {"agents": "agent", "programs": "agent", "containers": "id"}
"""Table -> the field by which the next page begins."""


class View:
    """One picture and its readers."""

    def __init__(self, hub: Hub, who: Who) -> None:
        self._hub, self._who = hub, who
        self.seq, self.picture, self.at = 0, Picture(), 0.0
        self.contact = hub.contact
        self.readers: set[asyncio.Queue[bytes]] = set()
        self._changed = asyncio.Event()
        self._read = asyncio.Event()
        self._task = asyncio.create_task(self._go_on())

    def change(self) -> None:
        """Something happened in the fleet."""
        self._changed.set()

    def tell(self, contact: Contact) -> None:
        """The hubs are there, or are not."""
        self.contact = contact
        self._send("contact", {"contact": contact._asdict()})
        self.change()

    def close(self) -> None:
        """Nobody looks any more."""
        self._task.cancel()

    async def snapshot(self) -> bytes:
        """The whole picture, as a page begins with it; waits for the first reading, but not for a hub that is away."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._read.wait(), bounds.HUB_SECONDS)
        whole = {"seq": self.seq, "at": self.at, "contact": self.contact._asdict(), **self.picture}
        return _event("snapshot", whole)

    async def _go_on(self) -> None:
        while True:
            self._changed.clear()
            with suppress(Problem):  # the hub is away: the contact says so
                await self._look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), bounds.FRESH_SECONDS)
            await asyncio.sleep(bounds.SOON_SECONDS)

    async def _look(self) -> None:
        found = {table: await self._rows(table) for table in TABLES}
        after, self.at = picture(found), time.time()
        patch, self.picture = difference(self.picture, after), after
        if self._read.is_set() and patch:
            self.seq += 1
            self._send("patch", {"seq": self.seq, "at": self.at, **patch})
        self._read.set()

    async def _rows(self, table: str) -> list[dict[str, object]]:
        op, args, _, _ = TABLES[table]
        rows: list[dict[str, object]] = []
        while table in PAGED:
            after = rows[-1][PAGED[table]] if rows else None
            page = await self._hub.ask(op, {**args, "limit": PAGE, "after": after}, self._who)
            rows += page
            if len(page) < PAGE:
                return rows
        return list(await self._hub.ask(op, args, self._who))

    def _send(self, kind: str, content: dict[str, object]) -> None:
        text = _event(kind, content)
        for queue in self.readers:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                text = b""  # it asks for a snapshot then
            queue.put_nowait(text)


class Views:
    """All views; `start` and `stop` belong to the event loop's life."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._views = hub, dict[tuple[str, tuple[tuple[str, str], ...]], View]()
        self._task: asyncio.Task[None] | None = None
        self.streams = 0

    def start(self) -> None:
        """Begin to listen to the feed."""
        self._task = asyncio.create_task(self._listen())

    def stop(self) -> None:
        """End."""
        for view in self._views.values():
            view.close()
        if self._task is not None:
            self._task.cancel()

    async def stream(self, who: Who) -> AsyncIterator[bytes]:
        """Events for one page: a snapshot, then numbered patches; b"" where nothing happened for a while."""
        key = who.role, tuple(sorted(who.scope.items()))
        if self.streams >= bounds.STREAMS or (key not in self._views and len(self._views) >= bounds.PICTURES):
            raise Problem(503, "busy", "too many pages are open", "close some, or add a console")
        view = self._views.get(key) or self._views.setdefault(
            key, View(self._hub, who._replace(user="(pages)", address="console"))
        )
        queue: asyncio.Queue[bytes] = asyncio.Queue(bounds.PATCHES)
        self.streams += 1
        try:
            yield await view.snapshot()
            view.readers.add(queue)
            while True:
                yield await _next(queue) or await view.snapshot()
        finally:
            self.streams -= 1
            view.readers.discard(queue)
            if not view.readers and self._views.get(key) is view:
                view.close()
                del self._views[key]

    async def _listen(self) -> None:
        async for item in self._hub.feed():
            for view in self._views.values():
                if isinstance(item, Feed):
                    view.change()
                else:
                    view.tell(item)


async def _next(queue: asyncio.Queue[bytes]) -> bytes:
    try:
        return await asyncio.wait_for(queue.get(), bounds.STREAM_SECONDS)
    except TimeoutError:
        return b": still here\n\n"


def _event(kind: str, content: object) -> bytes:
    """One server-sent event (HTML, "Server-sent events"); JSON has no line breaks."""
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(content) + b"\n\n"

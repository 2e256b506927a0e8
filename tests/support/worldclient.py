"""initd.ctl's client with a small world behind it instead of a socket; time passes while it waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from initd.ctl.client import Refused
from initd.replies import Answer, Later, Reply, Stream
from tests.support.smallworld import SmallWorld


class WorldClient:
    """The interface of initd.ctl.client.Client."""

    def __init__(self, world: SmallWorld) -> None:
        self.world = world

    def __call__(self, *_: object) -> WorldClient:
        return self

    def __enter__(self) -> WorldClient:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, verb: str, /, **args: object) -> Any:
        answer: Answer = self.world.ask(verb, **args)
        if isinstance(answer, Later):
            while answer.reply is None:
                self.world.pass_time(0.5)
            answer = answer.reply
        assert isinstance(answer, Reply)
        if answer.error is not None:
            raise Refused(answer.error.code, answer.error.message, answer.error.hint)
        return json.loads(json.dumps(answer.result))

    def stream(self, verb: str, /, **args: object) -> Iterator[dict[str, Any]]:
        answer = self.world.ask(verb, **args)
        assert isinstance(answer, Stream)
        for item in answer.items:
            yield {"item": json.loads(json.dumps(item))}
        yield {"gap": 5}

    def wait_for_end(self, seconds: float) -> bool:
        self.world.pass_time(seconds)
        return self.world.loop.code is not None

"""`initd logs` and `initd tail` of several processes: their lines as they come, each with its name in front."""

from __future__ import annotations

import json
import sys

from initd.ctl import render
from initd.errors import DONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable
    from typing import Any

    from initd.ctl.client import Client

HELD_CHARS = 64 * 1024
"""Longest line that waits for its end."""


class Lines:
    """Puts the lines of many streams together."""

    def __init__(self, width: int = 0) -> None:
        self._width = width
        self._held: dict[tuple[str, str], str] = {}

    def take(self, item: dict[str, Any]) -> list[str]:
        """The lines that an item ends, with the name in front."""
        key = (item["name"], item["stream"])
        *whole, rest = (self._held.pop(key, "") + item["text"]).split("\n")
        if len(rest) > HELD_CHARS:
            whole, rest = [*whole, rest], ""
        if rest:
            self._held[key] = rest
        return [self._line(item["name"], line) for line in whole]

    def rest(self) -> list[str]:
        """Lines without an end."""
        held, self._held = self._held, {}
        return [self._line(name, line) for (name, _), line in held.items()]

    def _line(self, name: str, line: str) -> str:
        self._width = max(self._width, min(len(name), 24))
        return f"{render.clean(name):<{self._width}} | {line.removesuffix(chr(13))}"


def show(client: Client, options: Namespace, names: list[str], stream: str | None) -> int:
    """Carry out `logs`."""
    args = {"names": names, "stream": stream, "bytes": options.bytes}
    if not options.follow:
        items = client.ask("logs", **args)
        if options.json:
            print(json.dumps(items, indent=2))
        else:
            _print_items(({"item": item} for item in items), options)
        return DONE
    _print_items(client.stream("logs", follow=True, **args), options)
    return DONE


def _print_items(messages: Iterable[dict[str, Any]], options: Namespace) -> None:
    lines, harmless = Lines(), options.raw or not sys.stdout.isatty()
    for message in messages:
        item = message.get("item")
        if options.json:
            print(json.dumps(item or {"gap": message.get("gap")}), flush=True)
        elif item is None:
            print(f"initd: {message.get('gap')} pieces were left out, this reader was too slow", file=sys.stderr)
        else:
            _print_lines(lines.take(item), harmless)
    _print_lines(lines.rest(), harmless)


def _print_lines(found: list[str], harmless: bool) -> None:
    if found:
        text = "".join(line + "\n" for line in found)
        sys.stdout.write(text if harmless else render.clean_lines(text))
        sys.stdout.flush()

"""`initd logs` and `initd tail` of several processes: their lines as they come, each with its name in front."""

from __future__ import annotations

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


def logs(client: Client, options: Namespace) -> int:
    """What several processes say; returns the exit status."""
    return _show(client, options, options.names, options.stream)


def tail(client: Client, options: Namespace) -> int:
    """The end of what one process said, or of several; returns the exit status."""
    names, stream = _streams(options)
    if len(names) > 1 or names[0] == "all" or names[0].endswith(":*"):
        return _show(client, options, names, stream)
    args = {"name": names[0], "stream": stream, "bytes": options.bytes}
    if not options.follow:
        result = client.ask("tail", **args)
        result["text"] = _last_lines(result["text"], options.lines)
        _show_text(result, options)
        return DONE
    for number, message in enumerate(client.stream("tail", follow=True, **args)):
        item = message.get("item") or {"gap": message.get("gap")}
        if number == 0:
            item["text"] = _last_lines(item["text"], options.lines)
        _show_text(item, options)
    return DONE


def _streams(options: Namespace) -> tuple[list[str], str]:
    """The names before the stream's, which may stand last."""
    names: list[str] = options.names
    if len(names) > 1 and names[-1] in ("stdout", "stderr"):
        return names[:-1], names[-1]
    return names, options.stream or "stdout"


def _last_lines(text: str, count: int | None) -> str:
    if count is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[len(lines) - min(count, len(lines)) :])


def _show_text(item: dict[str, Any], options: Namespace) -> None:
    if options.json:
        print(render.json_text(item), flush=True)
    elif "gap" in item:
        print(f"initd: {item['gap']} pieces were left out, this reader was too slow", file=sys.stderr)
    else:
        harmless = options.raw or not sys.stdout.isatty()
        sys.stdout.write(item["text"] if harmless else render.clean_lines(item["text"]))
        sys.stdout.flush()


def _show(client: Client, options: Namespace, names: list[str], stream: str | None) -> int:
    args = {"names": names, "stream": stream, "bytes": options.bytes}
    if not options.follow:
        items = client.ask("logs", **args)
        if options.json:
            render.print_json(items)
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
            print(render.json_text(item or {"gap": message.get("gap")}), flush=True)
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

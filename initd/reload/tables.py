"""A diff as plain values for JSON, each difference with the file and line to look at; pure."""

from __future__ import annotations

from initd.config.reading import place
from initd.reload.diff import ADDED, CHANGED, REMOVED, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from initd.config.ini import Document, Section
    from initd.config.records import Config, Loaded
    from initd.reload.diff import Diff, Option

KINDS = ("group:", "program:", "eventlistener:", "fcgi-program:")
"""Sections that may define a group."""


class Places:
    """Where things stand in the file that was read; where they stood in the configuration in force, if nowhere."""

    def __init__(self, old: Config, loaded: Loaded) -> None:
        self._document: Document = loaded.document  # type: ignore[assignment]
        self._sections = {(one.file, one.line): one for one in self._document.sections.values()}
        new = loaded.config.programs if loaded.config is not None else ()
        self._programs = {name_of(one): (one.file, one.line) for one in (*old.programs, *new)}

    def of_process(self, name: str) -> tuple[str, int]:
        """Of the section that defines a process."""
        return self._programs[name]

    def of_option(self, name: str, option: str) -> tuple[str, int]:
        """Of an option of a process: its own line, or the one in [initd] or [supervisord] that it inherits."""
        section = self._sections.get(self._programs[name])
        if section is None:
            return self._programs[name]
        return self._first([section, *self._common()], option)

    def of_group(self, name: str, option: str = "") -> tuple[str, int]:
        """Of a group's section or an option of it; ("", 0) where it is in the file no more."""
        found = [self._document.sections.get(kind + name) for kind in KINDS]
        sections = [section for section in found if section is not None]
        return self._first(sections, option) if sections else ("", 0)

    def of_daemon(self, option: str) -> tuple[str, int]:
        """Of an option of initd itself."""
        return self._first(self._common(), option)

    def _common(self) -> list[Section]:
        found = (self._document.sections.get(name) for name in ("initd", "supervisord"))
        return [section for section in found if section is not None]

    def _first(self, sections: list[Section], option: str) -> tuple[str, int]:
        having = [section for section in sections if option in section.options]
        return place((having or sections)[0], option)


def table(diff: Diff, places: Places) -> dict[str, object]:
    """The whole diff; keys and words are part of the control API."""
    return {
        "groups": {change: list(diff.of(change)) for change in (ADDED, CHANGED, REMOVED)},
        "group_options": [
            {"group": group.name, **_option(option, places.of_group(group.name, option.name))}
            for group in diff.groups
            for option in group.options
        ],
        "differences": [
            {
                "name": row.name,
                "group": row.group,
                "change": row.change,
                "need": row.need,
                **_place(places.of_process(row.name)),
                "options": _options(row.options, row.name, places),
            }
            for row in diff.rows
        ],
        "daemon": [_option(option, places.of_daemon(option.name)) for option in diff.daemon],
    }


def _options(options: Iterable[Option], name: str, places: Places) -> list[dict[str, object]]:
    return [_option(option, places.of_option(name, option.name)) for option in options]


def _option(option: Option, where: tuple[str, int]) -> dict[str, object]:
    told = {"option": option.name, "before": option.before, "after": option.after, "need": option.need}
    return {**told, **_place(where)}


def _place(where: tuple[str, int]) -> dict[str, object]:
    return {"file": where[0], "line": where[1]}

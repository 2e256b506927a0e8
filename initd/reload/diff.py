"""What differs between the configuration in force and the one in the file, and what each difference needs; pure.

Theory.  Processes are compared by the name people type, option by option.  NEEDS declares what a changed option asks
for: a new process (`restart`), nothing but to be known from now on (`live`), or nothing at all until the next start
(`next start`).  An option that is in no table needs a restart, so that forgetting one here costs a restart and not the
truth.  Comments, blank lines, the order of options, where a section stands, and names that initd chooses itself (AUTO
logs) are no differences.

Values of `environment` and of options that name secrets are not told, only which variables differ.
"""

from __future__ import annotations

from initd.config.topics import TOPICS
from initd.config.written import written
from wire._record import Record
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import Any

    from initd.config.records import Config, Group, Program

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
RESTART, LIVE, NEXT = "restart", "live", "next start"

NEEDS: dict[str, str] = {
    **dict.fromkeys(
        (
            "command", "kind", "user", "directory", "umask", "environment", "redirect_stderr", "serverurl",
            "limits", "surroundings", "socket", "socket_owner", "socket_mode", "socket_backlog",
        ),
        RESTART,
    ),
    **dict.fromkeys(
        (
            "priority", "group_priority", "autostart", "autorestart", "startsecs", "startretries", "exitcodes",
            "stopsignal", "stopwaitsecs", "stopasgroup", "killasgroup", "program",
            "stdout_logfile", "stdout_logfile_maxbytes", "stdout_logfile_backups", "stdout_capture_maxbytes",
            "stdout_events_enabled", "stdout_syslog",
            "stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups", "stderr_capture_maxbytes",
            "stderr_events_enabled", "stderr_syslog",
            "policy", "order", "liveness", "restarts", "stopping", "logs", "renewal", "jobs",
            "events", "buffer_size", "result_handler",
        ),
        LIVE,
    ),
    **dict.fromkeys(("readiness", "hooks"), NEXT),
}  # fmt: skip
"""What a changed option of a program, or of its topic, asks for."""

NEVER = (
    "group", "name", "number", "argv", "argv_error", "stopwaitsecs_given", "numprocs", "numprocs_start", "file", "line",
)  # fmt: skip
"""Fields that are identity, place, or derived from others."""

DAEMON_LIVE = (
    "logfile", "logfile_maxbytes", "logfile_backups", "loglevel", "shutdown_budget", "remote", "metrics",
)  # fmt: skip
"""Options of [supervisord] and [initd] that a running initd takes over; the others need a new start of initd."""

SHOWN_CHARS = 200
"""Longest value in a diff: two lines of a terminal."""


class Option(Record):
    """One option that differs; the values as text, "" where they are not told."""

    name: str
    before: str
    after: str
    need: str


class Row(Record):
    """One process that differs."""

    name: str
    """What people type."""
    group: str
    change: str
    need: str = ""
    """The most that its options need; "" where it is added or removed."""
    options: tuple[Option, ...] = ()


class GroupRow(Record):
    """One group that differs, or has processes that do."""

    name: str
    change: str
    options: tuple[Option, ...] = ()
    """Options of the group itself: its priority, the events of a listener, the socket of an fcgi-program."""


class Diff(Record):
    """All differences, in the order of the new configuration, what is removed at the end."""

    groups: tuple[GroupRow, ...]
    rows: tuple[Row, ...]
    daemon: tuple[Option, ...] = ()

    def of(self, change: str) -> tuple[str, ...]:
        """Names of the groups with that change."""
        return tuple(group.name for group in self.groups if group.change == change)


def compare(old: Config, new: Config, names: Collection[str] = ()) -> Diff:
    """From `old` to `new`; only the groups `names`, where some are given."""
    before, after = ({group.name: group for group in config.groups} for config in (old, new))
    was, now = ({name_of(one): one for one in config.programs} for config in (old, new))
    wanted = [name for name in dict.fromkeys([*after, *before]) if not names or name in names]
    rows = _rows(was, now, before, after)
    found = [(name, [row for row in rows if row.group == name]) for name in wanted]
    groups = [_group(before.get(name), after.get(name), name, mine) for name, mine in found]
    daemon = () if names else tuple(_options(old.daemon, new.daemon, _daemon_need))
    return Diff(tuple(filter(None, groups)), tuple(row for _, mine in found for row in mine), daemon)


def name_of(program: Program) -> str:
    """The name people type."""
    return full_name(program.group, program.name)


def merge(old: Config, new: Config, names: Collection[str]) -> Config:
    """`old` with these groups, and nothing else, as `new` has them."""
    groups = [group for group in old.groups if group.name not in names]
    groups += [group for group in new.groups if group.name in names]
    groups.sort(key=lambda group: (group.priority, group.name))
    place = {group.name: number for number, group in enumerate(groups)}
    programs = [one for one in old.programs if one.group not in names]
    programs += [one for one in new.programs if one.group in names]
    programs.sort(key=lambda program: place[program.group])
    return old._replace(programs=tuple(programs), groups=tuple(groups))


def without(old: Config, name: str) -> Config:
    """`old` without the group of that name."""
    return old._replace(
        programs=tuple(one for one in old.programs if one.group != name),
        groups=tuple(group for group in old.groups if group.name != name),
    )


# Inside


def _rows(
    before: Mapping[str, Program],
    after: Mapping[str, Program],
    groups_before: Mapping[str, Group],
    groups_after: Mapping[str, Group],
) -> list[Row]:
    rows = []
    for name in dict.fromkeys([*after, *before]):
        was, is_now = before.get(name), after.get(name)
        if was is None or is_now is None:
            one = is_now or was
            assert one is not None
            rows.append(Row(name, one.group, REMOVED if is_now is None else ADDED))
            continue
        options = [*_options(was, is_now, _program_need), *_settings(groups_before[was.group], groups_after[was.group])]
        if options:
            rows.append(Row(name, was.group, CHANGED, _most(options), tuple(options)))
    return rows


def _most(options: Collection[Option]) -> str:
    needs = {option.need for option in options}
    return next(need for need in (RESTART, NEXT, LIVE) if need in needs)


def _group(was: Group | None, now: Group | None, name: str, rows: list[Row]) -> GroupRow | None:
    if was is None or now is None:
        return GroupRow(name, ADDED if was is None else REMOVED)
    options = list(_settings(was, now))
    if was.priority != now.priority:
        options.append(Option("priority", str(was.priority), str(now.priority), LIVE))
    return GroupRow(name, CHANGED, tuple(options)) if options or rows else None


def _settings(was: Group, now: Group) -> Iterator[Option]:
    """Options of a pool or an fcgi-program as a whole."""
    before, after = dict(was.settings), dict(now.settings)
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield Option(name, _show(before.get(name)), _show(after.get(name)), NEEDS.get(name, RESTART))


def _program_need(name: str) -> str:
    return "" if name in NEVER else NEEDS.get(name, RESTART)


def _daemon_need(name: str) -> str:
    return "" if name == "given" else LIVE if name in DAEMON_LIVE else "new start of initd"


def _options(was: Any, now: Any, need_of: Callable[[str], str]) -> Iterator[Option]:
    for name, before, after in zip(was._fields, was, now, strict=True):
        if before == after or not (need := need_of(name)):
            continue
        if name == "environment":
            yield Option(name, "", _variables(before, after), need)
        elif name in TOPICS:
            yield from _topic(name, before, after, need)
        else:
            yield Option(name, _show(before), _show(after), need)


def _topic(topic: str, before: object, after: object, need: str) -> Iterator[Option]:
    """The options of a topic that differ, in the words of the file."""
    was, now = written(topic, before), written(topic, after)
    differing = [name for name in dict.fromkeys([*now, *was]) if was.get(name) != now.get(name)]
    if not differing:  # what another section says of its logs, or a default written out
        yield Option(topic, "", "changed", need)
    for name in differing:
        yield Option(name, was.get(name, "")[:SHOWN_CHARS], now.get(name, "")[:SHOWN_CHARS], need)


def _variables(before: object, after: object) -> str:
    """Which variables differ, never their values."""
    was, now = dict(before or ()), dict(after or ())  # type: ignore[call-overload]
    told = [f"{name} {'added' if name not in was else 'changed'}" for name in now if was.get(name) != now[name]]
    return ", ".join([*told, *(f"{name} removed" for name in was if name not in now)])[:SHOWN_CHARS]


def _show(value: object) -> str:
    """A value as a person would write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(map(_show, value))[:SHOWN_CHARS]
    return str(value)[:SHOWN_CHARS]

"""Settings of initd itself: [supervisord] overlaid with [initd], which alone says how to join a fleet."""

from __future__ import annotations

from initd.config.fields import DAEMON, INITD
from initd.config.records import Daemon, Link
from wire.model import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from initd.config.reading import Reading
    from initd.config.records import Program


def daemon(reading: Reading) -> tuple[Daemon, Link | None]:
    """Both records; the variables of environment= are shared with everything read later."""
    values = _supervisord(reading)
    ours = _initd(reading, values)
    reading.share(dict(values["environment"]))
    link = Link(ours.pop("join_file"), ours.pop("name"))
    return Daemon(**values, **ours, given=_given(reading)), link if any(link) else None


def _given(reading: Reading) -> tuple[str, ...]:
    """The daemon's options that the file sets, in either section."""
    sections = [reading.document.sections.get(name) for name in ("supervisord", "initd")]
    named = {option for section in sections if section for option in reading.document.options(section)}
    return tuple(sorted(named & DAEMON.keys()))


def _supervisord(reading: Reading) -> dict[str, Any]:
    section = reading.document.sections.get("supervisord")
    if section is None and "initd" not in reading.document.sections:
        reading.wrong(reading.document.files[0], 1, "there is no [supervisord] (or [initd]) section: add that line")
    options = reading.document.options(section) if section else {}
    values = reading.values(options, DAEMON, reading.names())
    if "environment" in options:
        values["environment"] = _twice(reading, options["environment"])
    return values


def _twice(reading: Reading, option: tuple[str, str, int]) -> tuple[tuple[str, str], ...]:
    """environment= of [supervisord] is expanded twice, and host_node_name is known only the second time (4.3.0)."""
    _, file, line = option
    once = reading.value("environment", "text", option, reading.names(), "")
    names = reading.names(host_node_name=reading.host)
    found: tuple[tuple[str, str], ...] = reading.value("environment", "environment", (once, file, line), names, ())
    return found


def _initd(reading: Reading, values: dict[str, Any]) -> dict[str, Any]:
    """The options only [initd] has; those of [supervisord] that it repeats replace what that section says."""
    section = reading.document.sections.get("initd")
    options = section.options if section else {}
    names = reading.names(host_node_name=reading.host)
    given = reading.values(options, DAEMON, names)
    values.update({name: given[name] for name in options if name in DAEMON})
    if "environment" in options:
        values["environment"] = reading.value("environment", "environment", options["environment"], names, ())
    return reading.values(options, INITD, names)


def judge_exit_code(reading: Reading, name: str, programs: Sequence[Program]) -> None:
    """exit_code_from names one process."""
    section = reading.document.sections["initd"]
    found = [one for one in programs if name in (full_name(one.group, one.name), one.program)]
    if not found:
        from initd.config.diagnose import nearest  # words for a bad file alone

        near = nearest(name, [one.program for one in programs])
        cure = f"did you mean {near}?" if near else "write the name of a [program:x]"
        reading.blame(section, "exit_code_from", f"exit_code_from: there is no program {name!r}: {cure}")
    elif len(found) > 1:
        first = full_name(found[0].group, found[0].name)
        fault = f"exit_code_from: {name!r} is {len(found)} processes: name one, as {first}"
        reading.blame(section, "exit_code_from", fault)

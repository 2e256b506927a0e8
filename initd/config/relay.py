"""Files that use the plugin supervisor_stdout work without it.

Theory.  The plugin (PyPI supervisor-stdout, last released in 2012) is an event listener that gets the output of all
programs with *_events_enabled=true and prints it on supervisord's stdout, as `NAME STREAM | LINE`; its result_handler
is imported into supervisord, so that a file which names it does not even load without it.  initd writes the container's
streams itself: these programs get that prefix there, beside whatever log they have, and the listener stays down.
"""

from __future__ import annotations

from initd.config.topics.logs import Logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.programs import Member
    from initd.config.reading import Reading
    from initd.config.records import Program

PLUGIN = "supervisor_stdout"
STREAMS = {"PROCESS_LOG_STDOUT": "stdout", "PROCESS_LOG_STDERR": "stderr"}
ALL = ("PROCESS_LOG", "EVENT")
"""Event types that mean both streams."""


def relay(reading: Reading, members: list[Member]) -> list[Member]:
    """The groups, with the programs that such a listener hears shown on the container's stdout."""
    pools = [member for member in members if _is_plugin(*member)]
    events = {event for group, _ in pools for event in dict(group.settings)["events"]}  # type: ignore[attr-defined]
    heard = {stream for event, stream in STREAMS.items() if event in events or events.intersection(ALL)}
    if not pools:
        return members
    names: list[str] = []
    found: list[Member] = []
    for group, programs in members:
        if any(group is pool for pool, _ in pools):
            found.append((group, [program._replace(autostart=False) for program in programs]))
        else:
            found.append((group, [_shown(program, heard, names) for program in programs]))
    for _, programs in pools:
        for program in programs[:1]:
            reading.document.notes.append((PLUGIN, program.file, program.line, (program.group, *names)))
    return found


def _is_plugin(group: object, programs: list[Program]) -> bool:
    """Whether it is this listener, by its handler or its command."""
    settings = dict(getattr(group, "settings", ()))
    handler = str(settings.get("result_handler", ""))
    words = programs[0].argv if programs else ()
    command = any(word.rpartition("/")[2] in (PLUGIN, f"{PLUGIN}.py") for word in words)
    return "events" in settings and (handler.startswith(f"{PLUGIN}:") or command)


def _shown(program: Program, heard: set[str], names: list[str]) -> Program:
    streams = tuple([stream for stream in sorted(heard) if getattr(program, f"{stream}_events_enabled")])
    if not streams:
        return program
    names.append(program.name)
    logs = program.logs or Logs()
    prefix = logs.log_prefix or program.name + " {stream} |"
    return program._replace(logs=logs._replace(relay=streams, log_prefix=prefix))

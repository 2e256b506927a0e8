"""Options that supervisord does not know, by topic.

Theory.  Each topic is a module here with the same four names, and is imported only where a file uses one of its options
(stage 2 of the daemon imports all, since a reload may use more):

    FIELDS   option -> (kind, default, stage), as in initd.config.fields; the stage is always PROCESS
    TYPES    kind -> parser of its text, for kinds that initd.config.values does not know; ValueError says the fix
    build    (values, program, given, blame) -> a frozen Record, the program's field of the topic's name.  `values` has
             every option of FIELDS, `program` the options of supervisord's that this program has (build may change
             defaults there, as type=oneshot does), `given` names what the file sets, `blame(option, message)` notes an
             error at the option's line.
    across   optional: (programs, blame) after all sections are read; `blame(program, option, message)`.  For what
             programs demand of each other.

A topical option in [initd] is the default of every program; a program's own comes first, and a default that does not
suit a program (build blames it) silently does not apply to it, unless it suits nobody.  The sentences of the manual
are in initd.config.topics.manual, one module a topic, which a running initd never imports.
"""

from __future__ import annotations

from initd.config.reading import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, Protocol

    from initd.config.expand import Names
    from initd.config.fields import Fields
    from initd.config.ini import Section, Value
    from initd.config.reading import Reading
    from initd.config.records import Program

    class Topic(Protocol):
        """What a topic's module offers; see above."""

        FIELDS: Fields
        TYPES: dict[str, Callable[[str], object]]

        def build(
            self,
            values: dict[str, Any],
            program: dict[str, Any],
            given: Collection[str],
            blame: Callable[[str, str], None],
        ) -> object: ...


TOPICS: dict[str, tuple[str, ...]] = {
    "policy": ("essential", "on_exit", "on_fatal"),
    "order": ("depends_on", "dependency_lost"),
    "readiness": (
        "readiness",
        "readiness_within",
        "readiness_delay",
        "readiness_interval",
        "readiness_timeout",
        "readiness_successes",
    ),
    "liveness": (
        "liveness",
        "liveness_delay",
        "liveness_interval",
        "liveness_timeout",
        "liveness_failures",
        "liveness_successes",
        "liveness_action",
    ),
    "jobs": ("type", "schedule", "timezone", "catch_up"),
    "hooks": ("pre_start", "pre_start_timeout", "post_stop", "post_stop_timeout"),
    "restarts": ("backoff", "backoff_factor", "backoff_cap", "backoff_jitter", "backoff_reset", "crash_loop"),
    "stopping": ("stop_signals", "stop_scope"),
    "logs": (
        "log_prefix",
        "log_timestamps",
        "log_format",
        "log_files",
        "log_mask",
        "logfile_rotate",
        "logfile_compress",
    ),
    "limits": (
        "group",
        "groups",
        "rlimit_as",
        "rlimit_core",
        "rlimit_cpu",
        "rlimit_data",
        "rlimit_fsize",
        "rlimit_memlock",
        "rlimit_msgqueue",
        "rlimit_nice",
        "rlimit_nofile",
        "rlimit_nproc",
        "rlimit_rss",
        "rlimit_rtprio",
        "rlimit_rttime",
        "rlimit_sigpending",
        "rlimit_stack",
        "nice",
        "oom_score_adj",
        "capabilities",
        "no_new_privs",
        "cgroup_memory_max",
        "cgroup_memory_high",
        "cgroup_cpu_max",
        "cgroup_pids_max",
        "strict_limits",
    ),
    "surroundings": ("env_file", "secrets", "env_allow", "set_home"),
    "renewal": (
        "restart_memory",
        "restart_memory_of",
        "restart_age",
        "restart_age_jitter",
        "restart_on_change",
        "restart_look",
    ),
}
"""Each topic's options; a test holds it equal to the modules' FIELDS."""

TOPIC_OF = {option: topic for topic, options in TOPICS.items() for option in options}


def load(topic: str) -> Topic:
    """A topic's module."""
    module: Topic = __import__(f"initd.config.topics.{topic}", fromlist=["build"])
    return module


def shared(reading: Reading) -> dict[str, Value]:
    """Topical options of [initd]: the defaults of every program."""
    section = reading.document.sections.get("initd")
    options = reading.document.options(section) if section else {}
    return {name: option for name, option in options.items() if name in TOPIC_OF}


def topical(options: Mapping[str, Value], common: Mapping[str, Value]) -> dict[str, Value]:
    """A program's topical options; empty for most files, which then pay nothing more."""
    own = {name: option for name, option in options.items() if name in TOPIC_OF}
    return {**common, **own} if common else own


def build_all(
    reading: Reading, section: Section, options: Mapping[str, Value], names: Names | None, program: dict[str, Any]
) -> None:
    """Give `program` the record of each topic that `options` touch."""
    own = reading.document.options(section)
    for topic in dict.fromkeys(TOPIC_OF[name] for name in options):
        reading.topics.add(topic)
        chosen, unfit = dict(options), _build(reading, section, topic, options, own, names, program)
        while unfit:
            reading.unfit.update(unfit)
            chosen = {name: option for name, option in chosen.items() if name not in unfit}
            unfit = _build(reading, section, topic, chosen, own, names, program)
        reading.fit.update(name for name in chosen if TOPIC_OF[name] == topic and name not in own)


def _build(
    reading: Reading,
    section: Section,
    topic: str,
    options: Mapping[str, Value],
    own: Mapping[str, Value],
    names: Names | None,
    program: dict[str, Any],
) -> dict[str, str]:
    """One record, or the defaults of [initd] that do not suit this program, each with the objection to it."""
    module, trial, faults = load(topic), dict(program), list[tuple[str, str]]()
    values: dict[str, Any] = {name: default for name, (_, default, _) in module.FIELDS.items()}
    for name, (kind, default, _) in module.FIELDS.items():
        if name in options:
            values[name] = reading.value(name, kind, options[name], names, default, module.TYPES)
    record = module.build(values, trial, (*section.options, *options), lambda *fault: faults.append(fault))
    unfit = {option: message for option, message in faults if option in options and option not in own}
    if not unfit:
        program.update(trial, **{topic: record})
        for option, message in faults:
            reading.wrong(*(options[option][1:] if option in options else place(section, option)), message)
    return unfit


def judge_across(reading: Reading, programs: Collection[Program]) -> None:
    """Let each topic in use see all programs, and note defaults of [initd] that suit none of them."""
    for option, message in reading.unfit.items():
        if option not in reading.fit:
            reading.document.notes.append(("unfit", *reading.common[option][1:], (option, message)))

    def blame(program: Program, option: str, message: str) -> None:
        sections = [s for s in reading.document.sections.values() if (s.file, s.line) == (program.file, program.line)]
        reading.wrong(*(place(sections[0], option) if sections else (program.file, program.line)), message)

    for topic in sorted(reading.topics):
        across = getattr(load(topic), "across", None)
        if across is not None:
            across(programs, blame)

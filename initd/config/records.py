"""What a configuration means once it is read: frozen records, one field per option, under supervisord's own names.

Durations are seconds, sizes bytes; `None` is "not set".  Options are documented in initd.config.manual, their types
and defaults declared in initd.config.fields.
"""

from __future__ import annotations

from wire._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.config.topics.hooks import Hooks
    from initd.config.topics.jobs import Jobs
    from initd.config.topics.limits import Limits
    from initd.config.topics.liveness import Liveness
    from initd.config.topics.logs import Logs
    from initd.config.topics.order import Order
    from initd.config.topics.policy import Policy
    from initd.config.topics.readiness import Readiness
    from initd.config.topics.renewal import Renewal
    from initd.config.topics.restarts import Restarts
    from initd.config.topics.stopping import Stopping
    from initd.config.topics.surroundings import Surroundings

AUTO = "AUTO"
"""A log file name meaning "you choose": the container's streams and the ring, or a file where childlogdir is set."""


class Problem(Record):
    """One error or warning, with the place to mend."""

    file: str
    line: int
    """1 is the first; 0 where no line is to blame, as with a file that cannot be read."""
    message: str
    """What is wrong and what to write instead, one line."""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"
        return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


class Program(Record):
    """One process to supervise: instance `number` of [program:`program`], as a member of `group`."""

    group: str
    name: str
    """process_name, expanded; unique within the group."""
    program: str
    kind: str
    """`program`, `eventlistener` or `fcgi-program`."""
    number: int
    """process_num."""
    command: str
    """The text, expanded; never given to a shell."""
    argv: tuple[str, ...]
    """The words of the command; () where it cannot be split, see argv_error."""
    argv_error: str
    """Why the command cannot start: unclosed quotation, or empty; "" where it can be split."""
    priority: int
    group_priority: int
    autostart: bool
    autorestart: str
    """`true`, `false` or `unexpected`."""
    startsecs: int
    startretries: int
    exitcodes: tuple[int, ...]
    stopsignal: int
    stopwaitsecs: int
    stopwaitsecs_given: bool
    """False where it is the default, which the shutdown budget may squeeze."""
    stopasgroup: bool
    killasgroup: bool
    user: str | None
    """As written: a name or a number."""
    directory: str | None
    umask: int | None
    environment: tuple[tuple[str, str], ...]
    """[supervisord] environment overlaid with the program's own; the child has it on top of initd's environment."""
    redirect_stderr: bool
    stdout_logfile: str | None
    """AUTO, a path as written (a container stream too), or None."""
    stdout_logfile_maxbytes: int
    stdout_logfile_backups: int
    stdout_capture_maxbytes: int
    stdout_events_enabled: bool
    stdout_syslog: bool
    stderr_logfile: str | None
    stderr_logfile_maxbytes: int
    stderr_logfile_backups: int
    stderr_capture_maxbytes: int
    stderr_events_enabled: bool
    stderr_syslog: bool
    serverurl: str | None
    numprocs: int
    numprocs_start: int
    file: str
    line: int
    """Where the section begins."""
    policy: Policy | None = None
    """What its end means for the container.  This and the following: topics, None where the file says nothing."""
    order: Order | None = None
    readiness: Readiness | None = None
    liveness: Liveness | None = None
    jobs: Jobs | None = None
    hooks: Hooks | None = None
    restarts: Restarts | None = None
    stopping: Stopping | None = None
    logs: Logs | None = None
    limits: Limits | None = None
    surroundings: Surroundings | None = None
    """Environment files, secrets, the list of inherited variables."""
    renewal: Renewal | None = None
    """When a healthy process is replaced all the same."""


class Group(Record):
    """Processes that start and stop together; each program that no [group:x] lists is a group of its own."""

    name: str
    priority: int
    kind: str
    """`program`, `group`, `eventlistener` or `fcgi-program`."""
    processes: tuple[str, ...]
    """Names of its processes, in start order."""
    settings: tuple[tuple[str, object], ...] = ()
    """Options of an eventlistener or fcgi-program that belong to the group as a whole: events, socket..."""


class Server(Record):
    """A control socket that the file asks for, [unix_http_server] or [inet_http_server]."""

    section: str
    address: str
    """Path of the unix socket, or host:port (host empty: every address)."""
    username: str | None
    password: str | None
    chmod: int | None
    chown: str | None


class Daemon(Record):
    """Settings of initd itself: [supervisord] overlaid with [initd]."""

    logfile: str
    logfile_maxbytes: int
    logfile_backups: int
    loglevel: str
    pidfile: str
    umask: int
    nodaemon: bool
    silent: bool
    minfds: int
    minprocs: int
    nocleanup: bool
    childlogdir: str | None
    """None: AUTO means the container's streams and the ring."""
    user: str | None
    directory: str | None
    strip_ansi: bool
    environment: tuple[tuple[str, str], ...]
    identifier: str
    shutdown_budget: float | None
    """Seconds for the whole shutdown; None: PIDONE_STOP_BUDGET, or what initd.plan computes."""
    socket: str | None
    socket_group: str | None
    state_dir: str | None
    remote: str
    """What the hub may do here: `observe` or `operate`."""
    metrics: str | None = None
    """host:port where metrics are served, None: nowhere."""
    given: tuple[str, ...] = ()
    """Options that the file sets itself: a default path is nobody's wish."""
    exit_code_from: str | None = None
    """The process whose status the container leaves with, as written."""
    exit_when_done: str = "auto"
    """Leave when nothing runs or will run any more: `true`, `false`, or `auto`, which is true for one-shots alone."""


class Link(Record):
    """How this container joins a fleet, as far as the file says; the environment may say it too."""

    join_file: str | None
    name: str | None


class Config(Record):
    """A whole configuration without errors."""

    programs: tuple[Program, ...]
    """One per process, in start order: by group priority, group name, then as inside the group."""
    groups: tuple[Group, ...]
    """Every group in start order."""
    daemon: Daemon
    link: Link | None
    files: tuple[str, ...]
    """Every file read, the main one first."""
    servers: tuple[Server, ...] = ()


class Loaded(Record):
    """What reading gave: `config` is None if and only if there are errors."""

    config: Config | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    document: object = None
    """The text by sections and lines (initd.config.ini.Document), for advice that is given later."""

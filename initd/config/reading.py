"""One reading of a document: the names known to expansions, the problems met, and the step from text to value."""

from __future__ import annotations

from initd.config.expand import environment_names, expand, host_name
from initd.config.fields import SECTION
from initd.config.records import Problem
from initd.config.values import TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from initd.config.expand import Names
    from initd.config.fields import Fields
    from initd.config.ini import Document, Section, Value


class Reading:
    """What all sections share while one file is read."""

    def __init__(
        self,
        document: Document,
        environ: Mapping[str, str],
        here: str,
        host: str | None = None,
        users: Callable[[str], int | None] | None = None,
        directories: Callable[[str], bool] | None = None,
        groups: Callable[[str], int | None] | None = None,
    ) -> None:
        self.document = document
        self.environ = environment_names(environ)
        self.here = here
        self.host = host or host_name()
        self.users = users
        self.directories = directories
        self.groups = groups
        self.environment: dict[str, str] = {}
        """Variables of [supervisord] environment=, which every program gets."""
        self.known: dict[tuple[str, str], bool] = {}
        self.problems: dict[Problem, None] = {}
        self.common: dict[str, Value] = {}
        """Options of [initd] that are defaults of every program; see initd.config.topics."""
        self.unfit: dict[str, str] = {}
        """Of these, those that did not suit some program, each with an objection."""
        self.fit: set[str] = set()
        """Of these, those that suited some program."""
        self.topics: set[str] = set()
        """Topics that some program has."""

    def wrong(self, file: str, line: int, message: str) -> None:
        """Note a problem; the same one is noted once, however many processes have it."""
        self.problems[Problem(file, line, message)] = None

    def blame(self, section: Section, option: str, message: str) -> None:
        """Note a problem of one option, or of its section where the option is missing."""
        self.wrong(*place(section, option), message)

    def lacks(self, section: Section, option: str, cure: str) -> None:
        """Note that a section must have an option and has not."""
        self.blame(section, option, f"[{section.name}] has no {option}: {cure}")

    def share(self, environment: Mapping[str, str]) -> None:
        """Give these variables to all programs, and as ENV_ names to all options read from now on."""
        self.environment = dict(environment)
        self.environ.update(environment_names(environment))

    def names(self, **more: object) -> Names:
        """The names known to an option: the environment's, `here`, and those given."""
        return {**self.environ, "here": self.here, **more}

    def values(
        self,
        options: Mapping[str, Value],
        fields: Fields,
        names: Names | None = None,
        defaults: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """The values of all options that are read once for a section; `defaults` spares working those out anew."""
        found: dict[str, Any] = dict(defaults or {name: default for name, (_, default, _) in fields.items()})
        for name, option in options.items():
            if name in fields:
                kind, default, stage = fields[name]
                if stage is SECTION:
                    found[name] = self.value(name, kind, option, names, default)
        return found

    def one(
        self, options: Mapping[str, Value], name: str, kind: str, names: Names | None, default: object = None
    ) -> Any:
        """The value of one option that may be missing."""
        return self.value(name, kind, options[name], names, default) if name in options else default

    def value(
        self,
        name: str,
        kind: str,
        option: Value,
        names: Names | None,
        default: object = None,
        types: Mapping[str, Callable[[str], object]] | None = None,
    ) -> Any:
        """The value of one option; its default where the text is wrong, which is noted.  Plain text if no names.

        `types` has parsers for kinds that TYPES does not know.
        """
        text, file, line = option
        try:
            if names is not None and "%" in text:
                text = expand(text, names)
                if kind == "logfile":  # supervisord expands the names of a program's log files twice
                    text = expand(text, names)
            value = (TYPES.get(kind) or (types or {})[kind])(text)
        except ValueError as fault:
            self.wrong(file, line, f"{name}: {fault}")
            return default
        if kind == "environment":
            self.document.notes.append((kind, file, line, (text,)))
        if self.users or self.directories:
            self.check(name, kind, value, option)
        return value

    def check(self, name: str, kind: str, value: object, option: Value) -> None:
        """What supervisord asks of the machine: that users and directories exist, if the caller wants it asked."""
        if not isinstance(value, str):
            return
        if kind == "user" and not self.has("user", value):
            cure = "a group goes into group=" if ":" in value else "make it first"
            self.wrong(option[1], option[2], f"{name}: there is no user {value!r} here; {cure}")
        if kind in ("path", "logfile", "directory"):
            directory = value if kind == "directory" else value.rpartition("/")[0]
            if directory and not self.has("directory", directory):
                self.wrong(option[1], option[2], f"{name}: the directory {directory} does not exist; make it first")

    def check_owner(self, section: Section, option: str, owner: str | None) -> None:
        """A socket's owner: `user` or `user:group`, both of which must exist if anybody is to be asked."""
        if owner is None:
            return
        user, colon, group = owner.partition(":")
        if not user or not self.has("user", user):
            self.blame(section, option, f"{option}: there is no user {user!r} here; write user or user:group")
        if colon and (not group or not self.has("group", group)):
            self.blame(section, option, f"{option}: there is no group {group!r} here; write user or user:group")

    def has(self, what: str, name: str) -> bool:
        """Whether this machine has a user or directory; asked once, and taken for granted if nobody is to be asked."""
        if (what, name) not in self.known:
            if what == "user":
                self.known[what, name] = self.users is None or self.users(name) is not None
            elif what == "group":
                self.known[what, name] = self.groups is None or self.groups(name) is not None
            else:
                self.known[what, name] = self.directories is None or self.directories(name)
        return self.known[what, name]


def place(section: Section, name: str) -> tuple[str, int]:
    """File and line of an option, or of the section where it is missing."""
    _, file, line = section.options.get(name, ("", section.file, section.line))
    return file, line

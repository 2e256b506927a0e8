"""Hypothesis strategies for whole configurations in supervisord's dialect: mostly good ones, some with one fault.

A case is a set of files, the environment to read them in, and tags that say what was put in (`option program.user`,
`name process_num`, `fault bad size`), so that a proof can count what it has covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from initd.config import fields
from tests.support.config_faults import FAULTS
from tests.support.config_pools import ENVIRON, ODD, POOLS, RARE, TEXTS

MAIN = "supervisord.conf"


class Case(NamedTuple):
    """Files by name, the environment, and what was put in."""

    files: dict[str, str]
    environ: dict[str, str]
    tags: frozenset[str]

    def write(self, directory: Path) -> str:
        """Put the files into a directory; the path of the main one.  Bytes that are no UTF-8 come from surrogates."""
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return str(directory / MAIN)


class Part:
    """A section to be written: its header and its options in order."""

    def __init__(self, kind: str, title: str = "") -> None:
        self.kind = kind
        self.header = f"{kind}:{title}" if title else kind
        self.title = title
        self.before = ""
        self.options: list[tuple[str, str]] = []

    def put(self, option: str, text: str) -> None:
        self.options.append((option, text))

    def drop(self, option: str) -> None:
        self.options = [pair for pair in self.options if pair[0] != option]


TABLES: dict[str, dict[str, tuple[str, object, str]]] = {
    "program": fields.PROGRAM,
    "eventlistener": fields.PROGRAM | fields.LISTENER,
    "fcgi-program": fields.PROGRAM | fields.FCGI,
    "group": fields.GROUP,
    "supervisord": fields.DAEMON,
    "unix_http_server": fields.UNIX_SERVER,
    "inet_http_server": fields.INET_SERVER,
    "supervisorctl": fields.CTL,
    "rpcinterface": fields.RPC,
}
NEEDED = {
    "program": ("command",),
    "eventlistener": ("command", "events"),
    "fcgi-program": ("command", "socket"),
    "unix_http_server": ("file",),
    "inet_http_server": ("port",),
    "rpcinterface": ("supervisor.rpcinterface_factory",),
    "supervisord": (),
    "supervisorctl": (),
}


class Builder:
    """Makes one configuration out of bytes, two for each decision; where they end, every decision is the first choice.

    Bytes and not one draw for each decision: Hypothesis is ten times as quick so, and shrinks as well.
    """

    def __init__(self, entropy: bytes) -> None:
        self.entropy = iter(entropy)
        self.tags: set[str] = set()
        self.parts: list[Part] = []

    def number(self, below: int) -> int:
        return (next(self.entropy, 0) * 256 + next(self.entropy, 0)) % below

    def pick(self, choices: Sequence[str]) -> str:
        return choices[self.number(len(choices))]

    def some(self, choices: Sequence[str], most: int) -> list[str]:
        """A few different ones."""
        return list(dict.fromkeys(self.pick(choices) for _ in range(self.number(most + 1)))) if choices else []

    def chance(self, percent: int) -> bool:
        return self.number(100) >= 100 - percent

    def text(self, kind: str, option: str) -> str:
        """A good text for an option."""
        table = "program" if option in fields.PROGRAM and kind in ("eventlistener", "fcgi-program") else kind
        field_type = TABLES[kind][option][0]
        pool = TEXTS.get(f"{table}.{option}") or POOLS.get(field_type) or ("text", "a b", "%(ENV_WORD)s", "é")
        text = self.pick(pool)
        if any(rare in text for rare in RARE) and not self.chance(10):
            text = pool[0]
        return text

    def fill(self, part: Part, most: int) -> Part:
        """The options a section needs and some more."""
        others = [option for option in TABLES[part.kind] if option not in NEEDED[part.kind]]
        for option in (*NEEDED[part.kind], *self.some(others, most)):
            part.put(option, self.text(part.kind, option))
        self.reconcile(part)
        self.parts.append(part)
        return part

    def reconcile(self, part: Part) -> None:
        """Make options agree that must, so that most files are good."""
        given = dict(part.options)
        if given.get("numprocs", "0") not in ("0", "1", "-1") and "%(process_num)" not in given.get("process_name", ""):
            part.drop("process_name")
            part.put("process_name", "%(program_name)s_%(process_num)02d")
        if any("%(ENV_OWN)" in text or "%(ENV_K0)" in text for text in given.values()) and not self.chance(10):
            part.drop("environment")
            part.drop("numprocs_start")
            part.put("environment", 'K%(process_num)s="v",OWN=o')
        if any("%(ENV_GLOBAL)" in text for text in given.values()) and not self.chance(10):
            self.parts[0].drop("environment")
            self.parts[0].put("environment", 'GLOBAL="g"')
        if "stopasgroup" in given:
            part.drop("killasgroup")
        if ("username" in given) is not ("password" in given) and part.kind.endswith("server"):
            part.put("password" if "username" in given else "username", "secret")
        if part.kind == "eventlistener":
            part.drop("redirect_stderr")
        if "logfile" in dict(part.options) and self.chance(5):
            part.put("unheard_of", "1")

    def everything(self) -> None:
        """The sections of one file."""
        self.fill(Part("supervisord"), 6)
        names = ["web", "app", "w-1", "Db", "x.y"][: 1 + self.number(4)]
        for name in names:
            self.fill(Part(self.pick(("program",) * 8 + ("fcgi-program",)), name), 8)
        if self.chance(25):
            self.fill(Part("eventlistener", self.pick(("ears", "e2"))), 5)
        if self.chance(30):
            self.group(names)
        for kind in ("unix_http_server", "inet_http_server", "supervisorctl", "rpcinterface"):
            if self.chance(15):
                self.fill(Part(kind, "supervisor" if kind == "rpcinterface" else ""), 3)

    def group(self, names: list[str]) -> None:
        part = Part("group", self.pick(("g", "web", "all")))
        members = self.some(names, 3) * (2 if self.chance(4) else 1)
        part.put("programs", self.pick((",", ", ", " ,")).join(members))
        if self.chance(50):
            part.put("priority", self.text("group", "priority"))
        self.parts.append(part)

    def files(self) -> dict[str, str]:
        """The parts as text, some of them in files of their own."""
        if self.chance(10):
            default = Part("DEFAULT")
            for option in ("autostart", "priority", "user", "startsecs", "umask")[: 1 + self.number(5)]:
                default.put(option, self.text("program", option))
            self.parts.insert(self.number(len(self.parts)), default)
        if not self.chance(20):
            return {MAIN: self.render(self.parts)}
        cut = 1 + self.number(len(self.parts))
        main, rest = self.parts[:cut], self.parts[cut:]
        include = Part("include")
        include.put("files", self.pick(PATTERNS))
        files = {MAIN: self.render([*main, include])}
        for part in rest:
            name = self.pick(("conf.d/a.conf", "conf.d/b.conf", "conf.d/.c.conf", "extra.ini"))
            files[name] = files.get(name, "") + self.render([part])
        return files

    def render(self, parts: list[Part]) -> str:
        """Sections as lines, with the freedoms of the dialect."""
        lines: list[str] = []
        for part in parts:
            lines.append(part.before + f"[{part.header}]" + self.pick(("",) * 6 + (" ; note", " # note", " trailing")))
            for option, text in part.options:
                self.tags.add(f"option {part.kind}.{option}")
                lines += self.option(option, text)
            lines += self.pick(("", "\n", "\n; comment\n")).split("\n")
        return self.pick(("\n",) * 5 + ("\r\n",)).join(lines)

    def option(self, option: str, text: str) -> list[str]:
        """One option as lines."""
        if self.chance(4):
            option = option.upper()
        first, *more = text.split("\n")
        line = option + self.pick(("=",) * 6 + (" = ", ":", " : ", "\t=")) + first
        line += self.pick(("",) * 12 + (" ; note", "\t# it's", " ;", "   "))
        lines = [line, *(f"  {part}" for part in more)]
        if self.chance(6):
            lines.append(self.pick(("", "# full", "  ; indented", "\t")))
        if option == "command" and self.chance(8):
            lines.append(self.pick(("  more", " priority=3", "  a;b ;c #d", " [program:y]", "priority = 5")))
        return lines

    def damage(self, text: str) -> str:
        """A few characters put in, taken out or replaced anywhere."""
        for _ in range(1 + self.number(3)):
            place = self.number(len(text) + 1)
            keep = place + self.number(2)
            text = text[:place] + self.pick((*ODD, "")) + text[keep:]
        return text


PATTERNS = (
    "conf.d/*.conf",
    "%(here)s/conf.d/*.conf",
    "extra.ini conf.d/[a-m].conf",
    "conf.d/?.conf conf.d/.*.conf",
    "nothing/*.ini",
    "*.ini",
    "con[!a]*/[b]*",
    "conf.d/*.conf\n conf.d/b.conf",
)


def build(entropy: bytes) -> Case:
    """A configuration: two in three are as good as the builder makes them, the others have a fault or are damaged."""
    builder = Builder(entropy)
    kind = builder.number(100)
    builder.everything()
    if kind >= 67:
        name = builder.pick(sorted({fault.name for fault in FAULTS}))
        same = [fault for fault in FAULTS if fault.name == name]
        fault = same[builder.number(len(same))]
        fault.place(builder)
        builder.tags.add(f"fault {fault.name}")
    files = builder.files()
    if kind in range(60, 67):
        files[MAIN] = builder.damage(files[MAIN])
        builder.tags.add("damage")
    for text in files.values():
        builder.tags.update(f"name {name}" for name in NAMES if f"%({name}" in text)
    return Case(files, dict(ENVIRON), frozenset(builder.tags))


def configs() -> st.SearchStrategy[Case]:
    """Configurations; the simplest is one empty program."""
    return st.binary(min_size=900, max_size=900).map(build)


NAMES = ("here", "host_node_name", "program_name", "group_name", "process_num", "numprocs", "ENV_")

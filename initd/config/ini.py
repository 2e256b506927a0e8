"""Read the INI dialect of supervisord into sections of options that know their file and line.

Theory.  supervisord reads with configparser of Python 3.12 and older: comments of `;` and `#`, also inside a line after
white space and inside quotes; `=` or `:` as delimiter, whichever comes first; a line indented deeper than its option
continues the value; repeated options and sections merge, the last one wins; [DEFAULT] gives every section its options.
This reader gives the same values and keeps, as `notes`, what a person may not have meant (see initd.config.advice).

A value is a tuple `(text, file, line)`, the cheapest record there is: a start reads thousands of them.
"""

from __future__ import annotations

from initd.config.records import Problem
from wire.limits import CONFIG_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Value = tuple[str, str, int]
    Note = tuple[str, str, int, tuple[str, ...]]

DEFAULT = "DEFAULT"
HERE = "%(here)s"


class Section:
    """One section: its options in the order they came, and where it first began."""

    __slots__ = ("file", "line", "name", "options")

    def __init__(self, name: str, file: str, line: int) -> None:
        self.name = name
        self.file = file
        self.line = line
        self.options: dict[str, Value] = {}


class Document:
    """All sections of all files, in order of appearance."""

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}
        self.defaults = Section(DEFAULT, "", 0)
        self.files: list[str] = []
        self.errors: list[Problem] = []
        self.notes: list[Note] = []

    def options(self, section: Section) -> Mapping[str, Value]:
        """The section's options, those of [DEFAULT] below its own."""
        return {**self.defaults.options, **section.options} if self.defaults.options else section.options

    def starting_with(self, prefix: str) -> Iterator[Section]:
        """The sections whose name begins like this."""
        return (section for name, section in self.sections.items() if name.startswith(prefix))

    def place_here(self, here: str) -> None:
        """Replace %(here)s as text, as supervisord does in files with [include]; [DEFAULT] is copied into sections."""
        for section in self.sections.values():
            for name, (text, file, line) in self.options(section).items():
                if HERE in text:
                    section.options[name] = (text.replace(HERE, here), file, line)

    def open(self, name: str, file: str, line: int) -> Section:
        """The section of that name, new or met again."""
        if name == DEFAULT:
            return self.defaults
        section = self.sections.get(name)
        if section is None:
            section = self.sections[name] = Section(name, file, line)
        else:
            self.notes.append(("section again", file, line, (name, section.file, str(section.line))))
        return section

    def error(self, file: str, line: int, message: str) -> None:
        """Note a line that has no meaning; reading goes on, so that all of them are found."""
        self.errors.append(Problem(file, line, message))


def text_of(path: str) -> str:
    """The text of a file.  Raises OSError, and ValueError for what is no text or larger than CONFIG_BYTES."""
    with open(path, "rb") as file:
        data = file.read(CONFIG_BYTES + 1)
    if len(data) > CONFIG_BYTES:
        raise ValueError(f"larger than {CONFIG_BYTES} bytes: this is no configuration")
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ValueError(f"line {line}: byte 0x{data[fault.start]:02x} is not UTF-8; save the file as UTF-8") from None


def read(document: Document, text: str, file: str) -> None:
    """Add a file's text to the document."""
    document.files.append(file)
    if text.startswith("\ufeff"):
        document.error(file, 1, "the file begins with a byte order mark: save it as UTF-8 without BOM")
        text = text[1:]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    _Lines(document, file).take(text)


class _Lines:
    """The place in a file between two lines: section, option, its indentation, blank lines held back."""

    def __init__(self, document: Document, file: str) -> None:
        self.document = document
        self.file = file
        self.section: Section | None = None
        self.option = ""
        self.depth = 0
        self.blanks = 0

    def take(self, text: str) -> None:
        for number, line in enumerate(text.split("\n"), 1):
            content = line.strip()
            if not content:
                self.blanks += 1
                continue
            if content[0] in ";#":
                continue
            if ";" in content or "#" in content:
                content = self.without_comment(line, number)
            depth = len(line) - len(line.lstrip()) if line[0].isspace() else 0
            if depth > self.depth and self.option and self.section is not None:
                self.go_on(content, number)
            else:
                self.depth = depth
                self.begin(content, number)

    def without_comment(self, line: str, number: int) -> str:
        start = comment_start(line)
        if start is None:
            return line.strip()
        kept = line[:start].strip()
        if "'" in kept or '"' in kept or start != first_mark(line):
            self.document.notes.append(("comment", self.file, number, (line.strip(), kept)))
        return kept

    def go_on(self, content: str, number: int) -> None:
        """The line continues the option above."""
        assert self.section is not None
        if "=" in content or content[0] == "[":
            self.document.notes.append(("continuation", self.file, number, (self.section.name, self.option, content)))
        text, file, line = self.section.options[self.option]
        self.section.options[self.option] = (text + "\n" * (self.blanks + 1) + content, file, line)
        self.blanks = 0

    def begin(self, content: str, number: int) -> None:
        """The line is a header or an option."""
        self.blanks = 0
        if content[0] == "[" and content.rfind("]") > 1:
            self.section = self.document.open(content[1 : content.rfind("]")], self.file, number)
            self.option = ""
        elif self.section is None:
            self.document.error(self.file, number, f"{content!r} stands before any [section]: put a header above it")
        else:
            self.assign(self.section, content, number)

    def assign(self, section: Section, content: str, number: int) -> None:
        name, mark, text = content.partition("=")
        if ":" in name:
            name, mark, text = content.partition(":")
        name = name.rstrip().lower()
        if not mark or not name:
            what = "there is no = in it" if not mark else "the name is missing"
            self.document.error(self.file, number, f"{content!r} is no option ({what}): write `option = value`")
            return
        if name in section.options:
            _, file, line = section.options[name]
            self.document.notes.append(("option again", self.file, number, (section.name, name, file, str(line))))
        self.option = name
        section.options[name] = (text.strip(), self.file, number)


def comment_start(line: str) -> int | None:
    """Where the comment of a line begins, by the rule of Python 3.12 and older.

    The n-th `;` and the n-th `#` are looked at together; the first n where one of them follows white space decides, so
    that `a;b ;c #d` loses only `#d`.  Python 3.13 takes the first mark that follows white space (first_mark).
    """
    places = [-1, -1]
    while True:
        places = [line.find(mark, place + 1) for mark, place in zip(";#", places, strict=True)]
        starts = [place for place in places if place == 0 or (place > 0 and line[place - 1].isspace())]
        if starts:
            return min(starts)
        if max(places) < 0:
            return None
        places = [place if place >= 0 else len(line) for place in places]


def first_mark(line: str) -> int | None:
    """The first comment mark that follows white space or begins the line."""
    for place, char in enumerate(line):
        if char in ";#" and (place == 0 or line[place - 1].isspace()):
            return place
    return None

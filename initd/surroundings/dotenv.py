"""The text of an environment file: NAME=value a line, with quotes; pure.

Theory.  There is no standard; these are the rules that docker compose, systemd and the dotenv libraries share, and
where they differ the literal reading wins: nothing is expanded, no backslash means anything outside double quotes.  The
manual (initd.config.topics.manual.surroundings) states them for people.  A line that fits no rule is an error with its
number, and never repeats a value, because it may be a secret.
"""

from __future__ import annotations

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}
BLANKS = " \t"


def parse(text: str) -> dict[str, str]:
    """The variables in order; a later one of the same name wins.  Raises ValueError, `line N: what is wrong`."""
    found: dict[str, str] = {}
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    at, line = 0, 1
    while at < len(text):
        end = _end_of_line(text, at)
        bare = text[at:end].strip(BLANKS)
        if bare and not bare.startswith("#"):
            try:
                name, value, end = _assignment(text, at, end)
            except ValueError as fault:
                raise ValueError(f"line {line}: {fault}") from None
            found[name] = value
        line += text.count("\n", at, end) + 1
        at = end + 1
    return found


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _assignment(text: str, at: int, end: int) -> tuple[str, str, int]:
    """Name, value, and where the line (of a quoted value: the last one) ends."""
    name, equals, _ = text[at:end].partition("=")
    word = name.strip(BLANKS)
    if word.startswith(("export ", "export\t")):
        word = word[7:].strip(BLANKS)
    if not equals:
        raise ValueError("no = in it; write NAME=value, or # in front of a comment")
    if not word or any(character.isspace() or character in "\"'" for character in word) or "\0" in text[at:end]:
        raise ValueError("what stands before = is no name of a variable")
    start = at + len(name) + 1
    while start < end and text[start] in BLANKS:
        start += 1
    if text[start : start + 1] in ("'", '"'):
        value, close = _quoted(text, start)
        end = _end_of_line(text, close)
        rest = text[close:end].strip(BLANKS)
        if rest and not rest.startswith("#"):
            raise ValueError(f"something follows the closing quotation mark of {word}; put all of the value inside")
        return word, value, end
    return word, _plain(text[start:end]), end


def _plain(text: str) -> str:
    """Up to a comment, which begins with a # after a blank (or at once)."""
    for place, character in enumerate(text):
        if character == "#" and (place == 0 or text[place - 1] in BLANKS):
            return text[:place].strip(BLANKS)
    return text.strip(BLANKS)


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The value that begins with the quotation mark at `at`, and where what follows it begins."""
    mark, parts, at = text[at], [], at + 1
    while at < len(text) and text[at] != mark:
        if mark == '"' and text[at] == "\\" and text[at + 1 : at + 2] in ESCAPES:
            parts.append(ESCAPES[text[at + 1]])
            at += 2
        else:
            parts.append(text[at])
            at += 1
    if at >= len(text):
        raise ValueError("a quotation mark is not closed")
    return "".join(parts), at + 1

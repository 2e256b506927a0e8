"""Split a command and an environment= line into words, as supervisord 4.3.0 does with Python's shlex.

Two different languages: `command` is split by POSIX rules (quotes may stand inside words, backslash escapes), while
`environment` goes through the old, non-POSIX lexer, where a backslash is an ordinary character, a quotation is a word
of its own, and any character that is neither a word character nor a blank is a word too.
"""

from __future__ import annotations

BLANKS = " \t\r\n"
WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.+-():")
"""What a bare word of environment= consists of."""


def split(command: str) -> tuple[str, ...]:
    """The words of a command.  Raises ValueError for an open quotation or a backslash at the end."""
    if "'" not in command and '"' not in command and "\\" not in command:
        for blank in "\t\r\n":
            command = command.replace(blank, " ")
        return tuple([word for word in command.split(" ") if word])
    words: list[str] = []
    at = 0
    while at < len(command):
        if command[at] in BLANKS:
            at += 1
        else:
            word, at = _word(command, at)
            words.append(word)
    return tuple(words)


def _word(text: str, at: int) -> tuple[str, int]:
    """The word that begins at `at`, and the place behind it."""
    word = ""
    while at < len(text) and text[at] not in BLANKS:
        char = text[at]
        if char == "'":
            part, at = _single(text, at + 1)
        elif char == '"':
            part, at = _double(text, at + 1)
        elif char == "\\":
            if at + 1 == len(text):
                raise ValueError("a backslash at the end escapes nothing")
            part, at = text[at + 1], at + 2
        else:
            part, at = char, at + 1
        word += part
    return word, at


def _single(text: str, at: int) -> tuple[str, int]:
    end = text.find("'", at)
    if end < 0:
        raise ValueError("a ' is never closed")
    return text[at:end], end + 1


def _double(text: str, at: int) -> tuple[str, int]:
    r"""The inside of "...", where a backslash escapes only " and \ ."""
    part = ""
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\"):
            at += 1
        part += text[at]
        at += 1
    if at >= len(text):
        raise ValueError('a " is never closed')
    return part, at + 1


def pairs(text: str) -> dict[str, str]:
    """The variables of an environment= line, in order.  Raises ValueError where supervisord refuses the line.

    The words come in fours: name, `=`, value, and a separator that nobody looks at.  So `A=a b` gives "a": what stands
    in the fourth place is lost, and initd.config.advice says so.
    """
    words = tokens(text)
    found = {}
    for at in range(0, len(words), 4):
        if words[at + 1 : at + 2] != ["="] or at + 2 >= len(words):
            raise ValueError("".join(words[at : at + 3]))
        found[words[at]] = words[at + 2].strip("'\"")
    return found


def tokens(text: str) -> list[str]:
    """The words of the old lexer; a # comments out the rest of its line, even inside a word."""
    found: list[str] = []
    word = ""
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char in WORD or (word and char in "'\""):
            word += char
        elif char == "#":
            at = text.find("\n", at) + 1 or len(text)
        elif char in "'\"":
            end = text.find(char, at) + 1
            if not end:
                raise ValueError(f"a {char} is never closed")
            found.append(text[at - 1 : end])
            at = end
        else:
            found += [word] if word else []
            found += [char] if char not in BLANKS else []
            word = ""
    return [*found, word] if word else found

"""Words for what went wrong: loaded only when something did, so that a good file never pays for them."""

from __future__ import annotations

from initd.config.words import tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PER_PROCESS = ("process_num", "numprocs")
PER_PROGRAM = ("program_name", "group_name", "host_node_name", "here")


def expansion(text: str, names: Mapping[str, object], failure: Exception) -> str:
    """Why `text % names` failed, and what to write."""
    if not isinstance(failure, KeyError):
        return f"{text!r}: a percent sign stands for an expansion; write %% for a plain one"
    name = str(failure.args[0])
    if name.startswith("ENV_"):
        return (
            f"%({name})s: the variable {name[4:]} is not set; pass it to the container (docker run -e {name[4:]}=...) "
            f"or set it in [supervisord] environment=, or give a default: %({name}:-...)s"
        )
    if name in PER_PROCESS:
        return f"%({name}) is known only in command, process_name, environment, directory and the log file options"
    known = [known for known in names if not known.startswith("ENV_")]
    if name in PER_PROGRAM:
        return f"%({name})s is not known in this option; known here: {', '.join(known)} and ENV_*"
    close = nearest(name, known)
    hint = f"did you mean %({close})s?" if close else f"known: {', '.join(known)}, ENV_*"
    return f"%({name})s: no such name; {hint}"


def environment(text: str) -> str:
    """Why an environment= line cannot be read, and what to write."""
    try:
        words = tokens(text)
    except ValueError as open_quotation:
        return f"{open_quotation}; a comment (blank and ; or #) cuts a line even inside quotes"
    at = 0
    while words[at + 1 : at + 2] == ["="] and at + 2 < len(words):
        at += 4
    name = words[at]
    if at and words[at - 1] not in (",", ";"):
        return f'the value of {words[at - 4]} ends before {words[at - 1]!r}; put it in quotes: {words[at - 4]}="..."'
    if words[at + 1 : at + 2] != ["="]:
        return f'environment: {name!r} is not followed by "="; write NAME="value" with commas between'
    return f'{name} has no value; write {name}=""'


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a typing mistake made this of, if one is near enough."""
    best = None
    allowed = max(1, len(word) // 3)
    for candidate in known:
        if abs(len(candidate) - len(word)) <= allowed:
            distance = edits(word, candidate)
            if distance <= allowed:
                best, allowed = candidate, distance - 1
    return best


def edits(one: str, other: str) -> int:
    """Levenshtein distance: insertions, deletions and replacements between two words."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]

"""The %(name)s expansions: which names exist where, and why a text cannot be expanded.

supervisord expands with Python's % operator and a dictionary, so all of printf is there (%(process_num)02d) and its
traps too: a bare % is an error, and %s without a name becomes the whole dictionary.

One thing is ours: %(ENV_X:-text)s is `text` where the variable X is not set or empty, as in a shell.  supervisord
refuses such a file, since it knows no name of that kind, so no file that it takes means anything else here; and a
variable that really is called `X:-text` still comes first.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Names = dict[str, object]

DEFAULT = ":-"


def environment_names(environ: Mapping[str, str]) -> Names:
    """ENV_X for each variable X."""
    return {"ENV_" + name: value for name, value in environ.items()}


def host_name() -> str:
    """host_node_name, as uname(2) gives it."""
    return os.uname().nodename


def expand(text: str, names: Names) -> str:
    """The text with its names replaced.  Raises ValueError that says what to write."""
    if "%" not in text:
        return text
    try:
        return text % (names if DEFAULT not in text else Defaulting(names))
    except Exception as failure:  # as supervisord does: KeyError, TypeError, ValueError, OverflowError, MemoryError
        from initd.config.diagnose import expansion

        raise ValueError(expansion(text, names, failure)) from None


class Defaulting(dict[str, object]):
    """Names, and what stands behind `:-` for variables that are not set."""

    def __missing__(self, key: str) -> object:
        name, sign, default = key.partition(DEFAULT)
        if not sign or not name.startswith("ENV_"):
            raise KeyError(key)
        return self.get(name) or default

"""The manual's sentences for the topic `surroundings`."""

from __future__ import annotations

INTRO = """\
What a program finds in its environment, beside `environment`. Files are read at every start, so a changed one needs a
restart of the program and no reload; one that is missing or wrong is a failed start with step `environment`, unless its
path has a `-` in front. Relative paths count from the directory of the file that names the program. From weak to
strong: inherited variables, `env_file`, SUPERVISOR_* and `environment`, `secrets`.

An environment file has one `NAME=value` a line, `export ` in front if you like; empty lines and lines that begin with
`#` say nothing. Blanks around the value go, and so does a comment after a blank and `#`. In single quotes everything
stands for itself; in double quotes `\\n`, `\\t`, `\\r`, `\\"`, `\\\\` and `\\$` are what they are in C and shell.
Quoted values may hold line ends. `$NAME` is not expanded: a file that relies on it needs the values written out."""
"""What stands above the table of the options."""

KINDS: dict[str, str] = {
    "files": "paths with commas between",
    "secrets": "NAME=/path, with commas between",
    "patterns": "names with commas between; * and ? are wild",
}
"""What to write, by type that initd.config.manual does not know."""

TEXTS: dict[str, str] = {
    "env_file": "Files of variables; a later one wins over an earlier one",
    "secrets": "Variables whose values are read from files, such as /run/secrets/db_password; one line end at the end "
    "goes. The values appear in no API, log, event or record of initd, and not in initd's own environment; the "
    "program's own /proc/PID/environ has them, as any variable",
    "env_allow": "Which inherited variables it gets; all if not set, none if empty. SUPERVISOR_*, PIDONE_* and "
    "what the file sets itself always come along. Without PATH, commands are searched in /bin:/usr/bin:/usr/local/bin",
    "set_home": "Sets HOME, USER, LOGNAME and SHELL to those of `user`, which supervisord leaves as they are; "
    "`env_file` and `environment` win over them",
}
"""By option."""

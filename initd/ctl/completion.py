"""The completion of `initd` for bash, made from the verbs' own declarations: `python3 -m initd.ctl.completion`."""

from __future__ import annotations

import argparse
import sys

from initd.ctl.parser import make_parser

NAMED = ("status", "start", "stop", "restart", "signal", "tail", "logs", "events", "exits", "top")
"""Verbs that take names of processes."""

OFFLINE = {"check": "--json -c", "explain": "--json -c"}
"""Verbs declared elsewhere (initd.config.explain), with their options."""

SCRIPT = """\
# bash completion for initd; made by initd.ctl.completion, do not edit.
# Install it as /etc/bash_completion.d/initd or /usr/share/bash-completion/completions/initd, or source it.

_initd_names() {{
    initd status "$@" 2>/dev/null | while read -r name rest; do
        [ "$name" = NAME ] || printf '%s\\n' "$name"
        case $name in *:*) printf '%s:*\\n' "${{name%%:*}}" ;; esac
    done | sort -u
    echo all
}}

_initd() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} line=${{COMP_LINE:0:COMP_POINT}} verb=${{COMP_WORDS[1]}} words=
    local IFS=$' \\t\\n'
    # Names hold colons, which bash takes for ends of words: put the word together again.
    word=${{line##*[[:space:]]}}
    if [ "$COMP_CWORD" -le 1 ]; then
        words="{verbs} -c -e -v -h --"
    else
        case $verb in
{cases}        esac
    fi
    COMPREPLY=()
    local one
    set -f
    for one in $words; do
        case $one in "$word"*) COMPREPLY+=("$one") ;; esac
    done
    set +f
    case $word in *:*)
        local head=${{word%"${{word##*:}}"}} i
        for i in "${{!COMPREPLY[@]}}"; do COMPREPLY[i]=${{COMPREPLY[i]#"$head"}}; done ;;
    esac
}}

complete -o default -F _initd initd
"""


def options_of(parser: argparse.ArgumentParser) -> str:
    """The option strings of one verb."""
    return " ".join(text for action in parser._actions for text in action.option_strings)


def verbs_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Verb -> its parser."""
    [action] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(action.choices)


def script() -> str:
    """The whole file."""
    options = {verb: options_of(one) for verb, one in verbs_of(make_parser()).items()} | OFFLINE
    cases = ""
    for verb, words in options.items():
        names = " $(_initd_names)" if verb in NAMED else ""
        cases += f'            {verb}) case $word in -*) words="{words}" ;; *) words="{names.strip()}" ;; esac ;;\n'
    return SCRIPT.format(verbs=" ".join(options), cases=cases)


if __name__ == "__main__":
    sys.stdout.write(script())

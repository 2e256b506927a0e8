"""The completion of `hubctl` for bash, made from the verbs' own declarations: `python3 -m hub.ctl.completion`.

Names of agents, programs and containers come from strangers, and what bash completes ends up on a command line: only
names of harmless characters are offered.
"""

from __future__ import annotations

import argparse
import sys

from hub.ctl.verbs import make_parser

PROGRAMS = (
    "ps",
    "top",
    "exits",
    "why",
    "storms",
    "events",
    "history",
    "start",
    "stop",
    "restart",
    "signal",
    "tail",
    "logs",
)
"""Verbs that take AGENT/PROGRAM; with --container, containers."""
CONTAINERS = ("kill", "pause", "unpause")
SCRIPT = """\
# bash completion for hubctl; made by hub.ctl.completion, do not edit.
# Install it as /etc/bash_completion.d/hubctl or /usr/share/bash-completion/completions/hubctl, or source it.

_hubctl_names() {{
    hubctl --timeout 2 "$1" 2>/dev/null | tail -n +2 | while read -r name second rest; do
        [ "$1" != ps ] || name=$name/$second
        case $name in *[!A-Za-z0-9._:/-]*) ;; *) printf '%s\\n' "$name" ;; esac
    done | sort -u
}}

_hubctl() {{
    local line=${{COMP_LINE:0:COMP_POINT}} verb= words= names= one i
    local IFS=$' \\t\\n'
    # Names hold colons, which bash takes for ends of words: put the word together again.
    local word=${{line##*[[:space:]]}}
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
            --key | --timeout) i=$((i + 1)) ;;
            -*) ;;
            *) verb=${{COMP_WORDS[i]}}; break ;;
        esac
    done
    case $verb in
        "") words="{options}" names="{verbs}" ;;
{cases}    esac
    case $names in
        ps | containers)
            case " $line " in *" --container "*) names=containers ;; esac
            case $word in -*) ;; *) names=$(_hubctl_names "$names") ;; esac ;;
    esac
    case $word in -*) ;; *) words=$names ;; esac
    COMPREPLY=()
    set -f
    for one in $words; do
        case $one in "$word"*) COMPREPLY+=("$one") ;; esac
    done
    set +f
    case $word in *:*)
        local head=${{word%"${{word##*:}}"}}
        for i in "${{!COMPREPLY[@]}}"; do COMPREPLY[i]=${{COMPREPLY[i]#"$head"}}; done ;;
    esac
}}

complete -o default -F _hubctl hubctl
"""


def options_of(parser: argparse.ArgumentParser) -> str:
    """The option strings of one verb."""
    return " ".join(text for action in parser._actions for text in action.option_strings)


def choices_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Verb or action -> its parser, without the aliases."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, one in action.choices.items():
                if one not in found.values():
                    found[name] = one
    return found


def script() -> str:
    """The whole file."""
    parser = make_parser()
    verbs = choices_of(parser)
    cases = "".join(_case(verb, one) for verb, one in verbs.items())
    return SCRIPT.format(verbs=" ".join(verbs), options=options_of(parser), cases=cases)


def _case(verb: str, parser: argparse.ArgumentParser) -> str:
    """The line of one verb: its options, and what it takes; both words of `token` and `keys` at once."""
    actions = choices_of(parser)
    every = [*options_of(parser).split(), *(word for one in actions.values() for word in options_of(one).split())]
    names = "ps" if verb in PROGRAMS else "containers" if verb in CONTAINERS else " ".join(actions)
    return f'        {verb}) words="{" ".join(dict.fromkeys(every))}" names="{names}" ;;\n'


if __name__ == "__main__":
    sys.stdout.write(script())

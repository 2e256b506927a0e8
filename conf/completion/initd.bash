# bash completion for initd; made by initd.ctl.completion, do not edit.
# Install it as /etc/bash_completion.d/initd or /usr/share/bash-completion/completions/initd, or source it.

_initd_names() {
    initd status "$@" 2>/dev/null | while read -r name rest; do
        [ "$name" = NAME ] || printf '%s\n' "$name"
        case $name in *:*) printf '%s:*\n' "${name%%:*}" ;; esac
    done | sort -u
    echo all
}

_initd() {
    local word=${COMP_WORDS[COMP_CWORD]} line=${COMP_LINE:0:COMP_POINT} verb=${COMP_WORDS[1]} words=
    local IFS=$' \t\n'
    # Names hold colons, which bash takes for ends of words: put the word together again.
    word=${line##*[[:space:]]}
    if [ "$COMP_CWORD" -le 1 ]; then
        words="status start stop restart signal tail logs events exits healthy shutdown reload scale top metrics check explain -c -e -v -h --"
    else
        case $verb in
            status) case $word in -*) words="-h --help --json -s --socket" ;; *) words="$(_initd_names)" ;; esac ;;
            start) case $word in -*) words="-h --help --json -s --socket --wait" ;; *) words="$(_initd_names)" ;; esac ;;
            stop) case $word in -*) words="-h --help --json -s --socket --wait" ;; *) words="$(_initd_names)" ;; esac ;;
            restart) case $word in -*) words="-h --help --json -s --socket --wait" ;; *) words="$(_initd_names)" ;; esac ;;
            signal) case $word in -*) words="-h --help --json -s --socket" ;; *) words="$(_initd_names)" ;; esac ;;
            tail) case $word in -*) words="-h --help --json -s --socket --stderr -f --follow --bytes --raw -n --lines" ;; *) words="$(_initd_names)" ;; esac ;;
            logs) case $word in -*) words="-h --help --json -s --socket --stderr -f --follow --bytes --raw" ;; *) words="$(_initd_names)" ;; esac ;;
            events) case $word in -*) words="-h --help --json -s --socket --after -n --limit -f --follow" ;; *) words="$(_initd_names)" ;; esac ;;
            exits) case $word in -*) words="-h --help --json -s --socket --after -n --limit -o --output" ;; *) words="$(_initd_names)" ;; esac ;;
            healthy) case $word in -*) words="-h --help --json -s --socket --essential" ;; *) words="" ;; esac ;;
            shutdown) case $word in -*) words="-h --help --json -s --socket --wait" ;; *) words="" ;; esac ;;
            reload) case $word in -*) words="-h --help --json -s --socket --dry-run --all --wait" ;; *) words="" ;; esac ;;
            scale) case $word in -*) words="-h --help --json -s --socket --wait" ;; *) words="" ;; esac ;;
            top) case $word in -*) words="-h --help --json -s --socket --once --interval" ;; *) words="$(_initd_names)" ;; esac ;;
            metrics) case $word in -*) words="-h --help --json -s --socket" ;; *) words="" ;; esac ;;
            check) case $word in -*) words="--json -c" ;; *) words="" ;; esac ;;
            explain) case $word in -*) words="--json -c" ;; *) words="" ;; esac ;;
        esac
    fi
    COMPREPLY=()
    local one
    set -f
    for one in $words; do
        case $one in "$word"*) COMPREPLY+=("$one") ;; esac
    done
    set +f
    case $word in *:*)
        local head=${word%"${word##*:}"} i
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$head"}; done ;;
    esac
}

complete -o default -F _initd initd

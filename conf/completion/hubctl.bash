# bash completion for hubctl; made by hub.ctl.completion, do not edit.
# Install it as /etc/bash_completion.d/hubctl or /usr/share/bash-completion/completions/hubctl, or source it.

_hubctl_names() {
    hubctl --timeout 2 "$1" 2>/dev/null | tail -n +2 | while read -r name second rest; do
        [ "$1" != ps ] || name=$name/$second
        case $name in *[!A-Za-z0-9._:/-]*) ;; *) printf '%s\n' "$name" ;; esac
    done | sort -u
}

_hubctl() {
    local line=${COMP_LINE:0:COMP_POINT} verb= words= names= one i
    local IFS=$' \t\n'
    # Names hold colons, which bash takes for ends of words: put the word together again.
    local word=${line##*[[:space:]]}
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --key | --timeout) i=$((i + 1)) ;;
            -*) ;;
            *) verb=${COMP_WORDS[i]}; break ;;
        esac
    done
    case $verb in
        "") words="-h --help --key --json --timeout" names="agents hosts containers ps top events exits why storms alerts silence audit about hubs drain metrics history start stop restart signal rolls cancel resume kill pause unpause tail logs shell token keys store engine" ;;
        agents) words="-h --help --key --json --timeout -a --all --outdated" names="" ;;
        hosts) words="-h --help --key --json --timeout" names="" ;;
        containers) words="-h --help --key --json --timeout -a --all" names="" ;;
        ps) words="-h --help --key --json --timeout -a --all" names="ps" ;;
        top) words="-h --help --key --json --timeout -a --all --sort --once --interval" names="ps" ;;
        events) words="-h --help --key --json --timeout -f --follow -n --number --since" names="ps" ;;
        exits) words="-h --help --key --json --timeout -f --follow --program --cause --code --signal --text --who --unexpected --until --group-by -n --number --since" names="ps" ;;
        why) words="-h --help --key --json --timeout -n --number --since" names="ps" ;;
        storms) words="-h --help --key --json --timeout -a --all -f --follow --since" names="ps" ;;
        alerts) words="-h --help --key --json --timeout -n --dry-run -a --all" names="" ;;
        silence) words="-h --help --key --json --timeout --for --reason" names="" ;;
        audit) words="-h --help --key --json --timeout -n --number --since" names="" ;;
        about) words="-h --help --key --json --timeout" names="" ;;
        hubs) words="-h --help --key --json --timeout" names="" ;;
        drain) words="-h --help --key --json --timeout" names="" ;;
        metrics) words="-h --help --key --json --timeout" names="" ;;
        history) words="-h --help --key --json --timeout --container --since --step" names="ps" ;;
        start) words="-h --help --key --json --timeout --all --wait --ttl --id --container --grace --at-a-time --stop-on-failure --dry-run --detach" names="ps" ;;
        stop) words="-h --help --key --json --timeout --all --wait --ttl --id --container --grace --at-a-time --stop-on-failure --dry-run --detach" names="ps" ;;
        restart) words="-h --help --key --json --timeout --all --wait --ttl --id --container --grace --at-a-time --stop-on-failure --dry-run --detach" names="ps" ;;
        signal) words="-h --help --key --json --timeout --all --wait --ttl --id --container --at-a-time --stop-on-failure --dry-run --detach" names="ps" ;;
        rolls) words="-h --help --key --json --timeout -a --all" names="" ;;
        cancel) words="-h --help --key --json --timeout" names="" ;;
        resume) words="-h --help --key --json --timeout" names="" ;;
        kill) words="-h --help --key --json --timeout --all --wait --ttl --id" names="containers" ;;
        pause) words="-h --help --key --json --timeout --all --wait --ttl --id" names="containers" ;;
        unpause) words="-h --help --key --json --timeout --all --wait --ttl --id" names="containers" ;;
        tail) words="-h --help --key --json --timeout --stderr -c --bytes --all --wait --ttl --id" names="ps" ;;
        logs) words="-h --help --key --json --timeout -f --follow --stderr -n --number --interval" names="ps" ;;
        shell) words="-h --help --key --json --timeout" names="" ;;
        token) words="-h --help --key --json --timeout --service --relay --invite --label --cap --seconds --uses" names="create list revoke" ;;
        keys) words="-h --help --key --json --timeout --role --scope --out -a --all --grace --now --state-dir --passphrase-file" names="create list revoke rotate backup restore" ;;
        store) words="-h --help --key --json --timeout --store --from --to" names="check export import migrate downgrade" ;;
        engine) words="-h --help --key --json --timeout --name --port --also --out --days --renew" names="init" ;;
    esac
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
        local head=${word%"${word##*:}"}
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$head"}; done ;;
    esac
}

complete -o default -F _hubctl hubctl

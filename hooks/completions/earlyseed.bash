# SPDX-License-Identifier: MIT
# Completion of earlyseed's command line in bash. Sourced by bash-completion; needs nothing of it.

_earlyseed() {
    local word=$2 before=$3 at=$COMP_CWORD
    # bash takes `--format=text` for three words, and the '=' for one yet to be completed.
    if [[ ${COMP_WORDS[at]} == = ]]; then
        word='' before=${COMP_WORDS[at - 1]}
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[at - 2]}
    fi

    local options='' files=''
    case ${COMP_WORDS[1]} in
        load) options='--early --root --config' ;;
        save | forget) options='--config' ;;
        setup) options='--store --image --dry-run --config' ;;
        status) options='--json --config' ;;
        wait) options='--timeout' ;;
        add) options='--credit' files=yes ;;
        record) options='--samples --format --judge' files=yes ;;
        store) options='--no-command-line --config' ;;
    esac
    if ((at == 1)); then
        options='load save setup status wait add forget record store help --help --version -h' before=
    fi

    COMPREPLY=()
    case $before in
        --root)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return
            ;;
        --config) files=yes options= ;;
        --store) files=yes options=PARTLABEL=earlyseed ;;
        PARTLABEL) options=earlyseed ;;
        --format) files='' options='text bytes words' ;;
        --timeout | --credit | --samples) files='' options= ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    if [[ $files && $word != -* ]]; then
        compopt -o filenames
        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
    fi
}

complete -F _earlyseed earlyseed

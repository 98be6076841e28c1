# SPDX-License-Identifier: Apache-2.0
#
# bash completion for analyzer, enricher, privd, tiercel, tiercel-courier, tiercel-driver, tiercel-pull and tiercel-trace. The options are
# those that --help of the installed program prints.
# shellcheck shell=bash

_tiercel() {
    # bash-completion names the words: cur the present one, prev the one before.
    local cur prev words cword
    _init_completion || return
    local subcommand=()
    if [ "${words[0]##*/}" = tiercel ] && [ "$cword" -gt 1 ]; then
        subcommand=("${words[1]}")
    fi
    case ${words[0]##*/}:${prev##*/} in
        analyzer:--driver | tiercel:--driver) mapfile -t COMPREPLY < <(compgen -W 'auto modern_bpf classic_bpf module userspace' -- "$cur") ;;
        analyzer:--tracepoints | tiercel:--tracepoints) mapfile -t COMPREPLY < <(compgen -W 'signal switch page_fault' -- "$cur") ;;
        analyzer:--syscalls | analyzer:--base-syscalls) mapfile -t COMPREPLY < <(compgen -W "$("$1" --list-syscalls 2>/dev/null | awk 'NR > 1 { print $1 }')" -- "$cur") ;;
        analyzer:--paths | tiercel:--paths) mapfile -t COMPREPLY < <(compgen -W 'kernel as-given' -- "$cur") ;;
        enricher:--peer-user | tiercel-courier:--peer-user | privd:--user | tiercel-pull:--user | privd:--peer-user | tiercel-trace:--user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
        privd:--driver) mapfile -t COMPREPLY < <(compgen -W 'auto modern_bpf classic_bpf module' -- "$cur") ;;
        tiercel-driver:load) mapfile -t COMPREPLY < <(compgen -W 'auto modern_bpf classic_bpf module' -- "$cur") ;;
        tiercel-driver:module) mapfile -t COMPREPLY < <(compgen -W 'load unload' -- "$cur") ;;
        tiercel-driver:probe) mapfile -t COMPREPLY < <(compgen -W '--json' -- "$cur") ;;
        tiercel-driver:btf) mapfile -t COMPREPLY < <(compgen -W '--output' -- "$cur") ;;
        tiercel-driver:tiercel-driver) mapfile -t COMPREPLY < <(compgen -W "$("$1" --help | awk '/^  [-a-z]/ { print $1 }')" -- "$cur") ;;
        tiercel:rules) mapfile -t COMPREPLY < <(compgen -W 'pull rollback' -- "$cur") ;;
        tiercel:tiercel) mapfile -t COMPREPLY < <(compgen -W "$("$1" --help | awk '/^  [-a-z]/ { print $1 }')" -- "$cur") ;;
        analyzer:--report | tiercel:--report | *:--connect | tiercel-courier:--config | tiercel-pull:--config | tiercel-pull:--key | tiercel-pull:--analyzer | tiercel-courier:--falco-config | *:--socket | enricher:--docker | enricher:--podman | enricher:--containerd | enricher:--crio | *:--output | privd:--btf | *:-[rcew]) _filedir ;;
        *)
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$("$1" "${subcommand[@]}" --help | grep -oE -e '--[a-z][a-z-]+' | sort -u)" -- "$cur")
            else
                _filedir
            fi ;;
    esac
} && complete -F _tiercel analyzer enricher privd tiercel tiercel-courier tiercel-driver tiercel-pull tiercel-trace

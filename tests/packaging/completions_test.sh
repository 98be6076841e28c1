#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# completions_test.sh: pressing Tab offers each option of --help, in bash and in zsh.
#
# Usage: completions_test.sh SOURCE-TREE PROGRAM...
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
tree=${1:?source tree}
shift
framework=/usr/share/bash-completion/bash_completion


[ -r "$framework" ] ||
    skip "bash-completion is not installed"

# offered PROGRAM WORD...: what bash offers for the last word.
offered() {
    # shellcheck disable=SC2016 # the inner shell expands these
    bash -c 'source "$1"; source "$2"; shift 2
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
        _tiercel "$1"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$framework" "$tree/packaging/completions/tiercel.bash" "$@"
}

for program in "$@"; do
    mapfile -t options < <("$program" --help | grep -oE '(^|[ [|])--[a-zA-Z][a-z-]+' | tr -d ' [|' | sort -u)
    [ ${#options[@]} -ge 2 ] || fail "$program --help shows only ${#options[@]} options"
    case $program in *tiercel-driver | */tiercel) options=(--help --version) ;; esac # the others are of subcommands
    got=$(offered "$program" --)
    for option in "${options[@]}"; do
        grep -qxF -- "$option" <<<"$got" || fail "bash does not offer $(basename "$program") $option"
    done
    echo "$(basename "$program"): ${#options[@]} options"
    case $program in
        *analyzer)
            [ "$(offered "$program" --driver mod | sort | xargs)" = "modern_bpf module" ] || fail "--driver mod offers something else"
            [ "$(offered "$program" --syscalls execv | sort | xargs)" = "execve execveat" ] || fail "--syscalls execv offers something else" ;;
        *privd) [ "$(offered "$program" --driver mod | sort | xargs)" = "modern_bpf module" ] || fail "--driver mod offers something else" ;;
        *tiercel-driver)
            [ "$(offered "$program" pro)" = probe ] || fail "pro does not offer probe"
            [ "$(offered "$program" module un)" = unload ] || fail "module un does not offer unload" ;;
        */tiercel)
            [ "$(offered "$program" re | sort | xargs)" = "record replay report" ] || fail "re does not offer record, replay and report"
            [ "$(offered "$program" rules ro)" = rollback ] || fail "rules ro does not offer rollback"
            [ "$(offered "$program" watch --snap)" = --snaplen ] || fail "watch --snap does not offer --snaplen" ;;
    esac
done

if command -v zsh >/dev/null; then
    zsh -n "$tree/packaging/completions/_tiercel" || fail "zsh cannot read its completion"
    [ "$(head -n 1 "$tree/packaging/completions/_tiercel")" = '#compdef analyzer enricher privd tiercel tiercel-courier tiercel-driver tiercel-pull tiercel-trace' ] ||
        fail "zsh is not told which programs the completion is for"
else
    echo "SKIPPED: zsh's completion: zsh is not installed"
fi
finish

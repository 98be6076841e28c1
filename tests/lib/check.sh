# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# check: functions that the test scripts share. A script sources this file first and calls `finish` last.
#
# A test script exits with 0 if it passed, 1 if it failed, and 77 if it cannot run here; then its last line says why.

failures=0

# fail TEXT: counts a failure and prints it.
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# check DESCRIPTION COMMAND...: the command must succeed. Returns false if it failed.
check() {
    if "${@:2}"; then
        echo "ok: $1"
    else
        fail "$1"
        return 1
    fi
}

# skip REASON: ends the script, because the whole test cannot run here.
skip() {
    echo "SKIPPED: all: $1"
    exit 77
}

# need_root WHAT: ends the script unless it runs as root.
need_root() {
    [ "$(id -u)" -eq 0 ] || skip "$1 needs root"
}

# finish: ends the script with the exit code that its failures ask for.
finish() {
    [ "$failures" -eq 0 ] || exit 1
    exit 0
}

# Commands for `check`. Each prints what it found if it fails.

# is GOT WANTED
is() { [ "$1" = "$2" ] || { echo "  got '$1', want '$2'"; false; }; }

# has FILE TEXT: the file contains the text.
has() { grep -qF -- "$2" "$1" || { echo "  '$2' is not in:"; sed 's/^/  /' "$1"; false; }; }

# empty FILE
empty() { [ ! -s "$1" ] || { sed 's/^/  /' "$1"; false; }; }

# one_line FILE: the file has exactly one line.
one_line() { [ "$(wc -l <"$1")" -eq 1 ] || { sed 's/^/  /' "$1"; false; }; }

# within SECONDS COMMAND...: the command succeeds before that time is over. Prints only what its last run prints.
within() {
    local end=$((SECONDS + $1))
    until "${@:2}" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            "${@:2}"
            return
        fi
        sleep 0.05
    done
}

# status_field PID NAME: the first value of that field in /proc/PID/status.
status_field() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status" 2>/dev/null; }

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# trace_test.sh: the ptrace driver from the command line; a traced program does not notice it.
#
# Usage: trace_test.sh TIERCEL-TRACE ANALYZER TRACEE
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

trace=${1:?tiercel-trace} analyzer=${2:?analyzer} tracee=${3:?tracee}
work=$(mktemp -d)
chmod 777 "$work" # the analyzer of root's tracer is another user
trap 'rm -rf "$work"' EXIT

unlike_itself() { grep -vE '^(_=|OLDPWD=)' "$1"; } # what names the program that started it
shows() { grep -qE "$1" "$work/events" || { tail -n 3 "$work/events" | sed 's/^/  /'; false; }; }
is_gone() { ! kill -0 "$1" 2>/dev/null || [ "$(status_field "$1" State)" = Z ]; }
into() { echo "'$analyzer' --events ${1-} >'$work/events' 2>'$work/statistics'"; }
tracer_of() { status_field "$1" TracerPid; }
is_traced() { [ "$(tracer_of "$1")" -ne 0 ]; }
is_free() { [ "$(tracer_of "$1")" -eq 0 ]; }
has_jobs() { [ -n "$(jobs "$1")" ]; }
state_is() { [[ $(status_field "$1" State) == [$2] ]]; }

ptrace_scope=$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)
[ "$ptrace_scope" -lt 3 ] || skip "kernel.yama.ptrace_scope forbids ptrace"

# --- a traced command behaves as an untraced one ---------------------------------------------------
"$trace" --analyzer "$(into)" -- sh -c 'echo out; exit 7' >"$work/out" 2>"$work/err"
check "the exit code is the command's" is $? 7
check "its output is its own" is "$(cat "$work/out")" out
check "and so is its standard error" is "$(cat "$work/err")" ""
check "its exec is seen" shows 'execve res=0 exe=sh'
check "its calls are seen" shows ' sh .* write res=4 data=out'
check "its end is seen" shows 'procexit .*ret=7'
check "no event is lost" grep -q '; 0 dropped' "$work/statistics"
"$trace" --analyzer "$(into)" -- sh -c 'kill -TERM $$' 2>/dev/null
check "a signal ends the command as ever" is $? 143
check "and is seen" shows 'signaldeliver .*sig=15'
for aspect in $("$tracee"); do
    "$tracee" "$aspect"
    check "without a tracer: $aspect" is $? 0
    "$trace" --analyzer "$(into)" -- "$tracee" "$aspect"
    check "traced: $aspect" is $? 0
done
"$tracee" state >"$work/untraced"
"$trace" --analyzer "$(into)" -- "$tracee" state >"$work/traced"
check "it starts as it would by itself" diff <(unlike_itself "$work/untraced") <(unlike_itself "$work/traced")
for code in 0 1 126 255; do
    "$trace" --analyzer "$(into)" -- sh -c "exit $code"
    check "exit code $code" is $? $code
done
for signal in HUP INT KILL USR1 SEGV; do
    "$trace" --analyzer "$(into)" -- sh -c "ulimit -c 0; kill -$signal \$\$"
    check "an end by SIG$signal" is $? $((128 + $(kill -l $signal)))
done
"$trace" --analyzer "$(into '--syscalls execve')" -- "$tracee" unstopped
check "calls outside the interest set do not stop" is $? 0
"$trace" --analyzer "$(into '--syscalls getppid')" -- "$tracee" unstopped
check "calls of the interest set do" is $? 1
"$trace" --analyzer "$(into '--syscalls execve')" -- sh -c '/bin/true; /bin/true; exit 0'
check "children are followed" is "$(grep -c ' execve res=0' "$work/events")" 3
check "other calls do not stop" is "$(grep -vcE ' (execve|clone|vfork|fork|clone3|procexit|signaldeliver) ' "$work/events")" 0

# --- refusals -----------------------------------------------------------------------------------------
"$trace" --analyzer "$(into)" -- "$work/absent" 2>"$work/err"
check "no such command: 127" is $? 127
check "in one line" one_line "$work/err"
"$trace" --analyzer "$(into)" -- "$work" 2>"$work/err"
check "no program: 126" is $? 126
check "in one line" one_line "$work/err"
for wrong in "" "--nonsense true" "-p" "-p 0" "-p x" "-p 1 true" "--socket a --analyzer b true"; do
    # shellcheck disable=SC2086 # the words are meant to be split
    "$trace" $wrong >/dev/null 2>"$work/err"
    check "usage: '$wrong': 2" is $? 2
    check "in one line" one_line "$work/err"
done
"$trace" --analyzer 'exit 3' -- touch "$work/ran" 2>/dev/null
check "without an analyzer nothing is run" is "$? $(ls "$work/ran" 2>/dev/null)" "1 "
"$trace" --analyzer "$(into '--driver modern_bpf')" -- true
check "another driver is refused with 1" is $? 1
check "and the analyzer says so" grep -q 'does not serve the driver modern_bpf' "$work/statistics"
"$trace" --analyzer "$(into '--tracepoints switch')" -- true
check "context switches are refused with 1" is $? 1

# --- job control ----------------------------------------------------------------------------------------
set -m
"$trace" --analyzer "$(into)" -- sleep 60 &
job=$!
within 10 is_traced "$job" && within 10 shows 'sleep .*nanosleep|clock_nanosleep|execve res=0 exe=sleep'
kill -STOP "$job"
check "a stopped command is stopped for its shell" within 10 has_jobs -s
kill -CONT "$job"
check "and goes on" within 10 has_jobs -r
kill "$job"
wait "$job" 2>/dev/null
check "and ends by a signal" is $? 143

# --- a terminal of its own -----------------------------------------------------------------------------
on_terminal() { script -qec "$1" /dev/null; }
if command -v script >/dev/null; then
    on_terminal "'$trace' --analyzer \"$(into)\" -- '$tracee' foreground" </dev/null
    check "the command is its terminal's foreground job" is $? 0
    (within 10 shows 'execve res=0 exe=sleep' && printf '\003') |
        on_terminal "'$trace' --analyzer \"$(into)\" -- sleep 60" >/dev/null
    check "^C ends it" is $? 130
    check "and its end is seen" shows 'procexit .*sig=2'
else
    echo "SKIPPED: a terminal of its own: script(1) is not installed"
fi

# --- attaching ------------------------------------------------------------------------------------------
sh -c 'while :; do sleep 0.05; done' &
target=$!
"$trace" --analyzer "$(into)" -p "$target" 2>/dev/null &
tracer=$!
check "-p attaches" within 10 is_traced "$target"
check "and sees what the process does" within 10 shows ' sh .* (wait4|clone|fork|vfork)'
check "and what it starts" within 10 shows ' execve res=0 exe=sleep'
kill -INT "$tracer"
wait "$tracer"
check "SIGINT ends it with 0" is $? 0
check "the process has no tracer then" is_free "$target"
check "and runs on" within 10 state_is "$target" RSD
kill -STOP "$target"
within 10 state_is "$target" T
"$trace" --analyzer "$(into)" -p "$target" 2>/dev/null &
tracer=$!
within 10 is_traced "$target"
sleep 0.3
check "a stopped process stays stopped" state_is "$target" Tt
kill -INT "$tracer"
wait "$tracer"
check "and after detaching, too" state_is "$target" T
kill -CONT "$target"
check "until SIGCONT" within 10 state_is "$target" RS
"$trace" --analyzer "$(into)" -p "$target" 2>/dev/null &
tracer=$!
within 10 is_traced "$target"
kill -KILL "$tracer"
wait "$tracer" 2>/dev/null
check "a process survives its tracer" within 10 is_free "$target"
check "and runs on" within 10 state_is "$target" RSD
"$trace" --analyzer "$(into '-n 3')" -p "$target" 2>/dev/null
check "an analyzer that has enough ends it" is "$? $(status_field "$target" TracerPid)" "0 0"
kill -KILL "$target"
wait "$target" 2>/dev/null
"$trace" --analyzer "$(into)" -p "$target" 2>"$work/err"
check "a process that is gone: 1" is $? 1
"$tracee" busy &
target=$!
threads() { for task in /proc/"$target"/task/*; do status_field "${task#/proc/}" "$1"; done | sort -u; }
four_threads() { [ "$(find /proc/"$target"/task -mindepth 1 -maxdepth 1 | wc -l)" -eq 4 ]; }
within 10 four_threads
"$trace" --analyzer "$(into)" -p "$target" 2>/dev/null &
tracer=$!
within 10 is_traced "$target"
within 10 shows "tracee .*nanosleep"
check "all threads of a process are traced" is "$(threads TracerPid)" "$tracer"
kill -TERM "$tracer"
wait "$tracer"
check "SIGTERM ends it with 0" is $? 0
check "and no thread has a tracer then" is "$(threads TracerPid)" 0
"$trace" --analyzer "$(into)" -p "$target" 2>/dev/null &
tracer=$!
within 10 is_traced "$target"
"$trace" --analyzer "$(into)" -p "$target" 2>"$work/err"
check "what is traced cannot be traced by another: 1" is $? 1
check "in a line that says so" grep -q "another program traces it already" "$work/err"
kill -USR2 "$target"
wait "$target" 2>/dev/null
check "the parent of a traced process hears of its end as ever" is $? $((128 + $(kill -l USR2)))
wait "$tracer"
check "which ends the tracer with 0" is $? 0
check "and is seen" shows 'procexit .*sig=12'

# A started command does not outlive its tracer: its filter would fail what it calls.
"$trace" --analyzer "$(into)" -- sleep 60 &
job=$!
within 10 is_traced "$job"
kill -KILL "$(tracer_of "$job")"
check "a command ends with its tracer" within 10 is_gone "$job"
wait "$job" 2>/dev/null
check "by SIGKILL" is $? 137
"$trace" --analyzer "$(into)" -- sleep 60 &
job=$!
within 10 is_traced "$job"
kill -KILL "$job"
wait "$job" 2>/dev/null
check "a command that is killed is gone" is $? 137
check "and its end is seen" within 10 shows 'procexit .*sig=9'

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all \
        "$trace" --analyzer "$(into)" -- sh -c 'grep CapEff /proc/self/status; exit 5' >"$work/out"
    check "no capability is needed" is "$? $(tr -d '\t' <"$work/out")" "5 CapEff:0000000000000000"
    check "for all events" shows 'execve res=0 exe=grep'
    unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all)
    "${unprivileged[@]}" sh -c 'while :; do sleep 0.05; done' &
    target=$!
    within 10 state_is "$target" RSD
    "${unprivileged[@]}" "$trace" --analyzer "$(into '-n 20')" -p "$target" 2>"$work/err"
    if [ "$ptrace_scope" -eq 0 ]; then
        check "nor to attach to what is one's own" shows ' sh .* (wait4|clone|fork|vfork)'
    else
        check "to attach Yama asks for one, and the driver says so" grep -q "kernel.yama.ptrace_scope is" "$work/err"
    fi
    "${unprivileged[@]}" "$trace" --analyzer "$(into)" -p $$ 2>"$work/err"
    check "and not to what is another user's: 1" is $? 1
    check "in a line that says so" grep -q "belongs to another user" "$work/err"
    kill "$target"
else
    echo "SKIPPED: no capability is needed: only root can show it"
fi

finish

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# harness: rules against what they are about, live. Sourced by the scripts beside it, which say for each rule of a file
#
#     alerts  RULE [FIELD=VALUE]... -- COMMAND...   the command must make the rule alert, with these fields
#     silent  RULE -- COMMAND...                    the near miss: the command must not
#     cannot  RULE REASON                           it cannot be provoked on one machine, or not on this one
#     quiet   WHAT -- COMMAND...                    the command must succeed, and no rule may alert
#
# between watch_with and judge. Each command is a session of its own, and alerts say of which session they are: what
# else happens on the machine does not disturb. rules_need_rows fails if a rule of the file has no row.
#
# "${contained[@]}" COMMAND... runs in a cgroup that is named as a container's, which is what makes a container of it.
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../../lib/check.sh"

privd=${1:?privd} analyzer=${2:?analyzer} provoke=${3:?provoke}
skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/tiercel-rules-XXXXXX")
chmod 755 "$work"
cleanups=()
container=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
running='' cgroups=()

clean_up() {
    local action
    [ -z "$running" ] || kill "$running" 2>/dev/null
    for action in "${cleanups[@]+"${cleanups[@]}"}"; do
        eval "$action"
    done
    [ ${#cgroups[@]} -eq 0 ] || rmdir "${cgroups[@]}" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

make_container() {
    local hierarchy
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/{unified,memory,cpu,pids}; do
        [ -w "$hierarchy/cgroup.procs" ] || continue
        mkdir -p "$hierarchy/docker-$container.scope" && cgroups+=("$hierarchy/docker-$container.scope")
    done
    {
        echo '#!/bin/sh'
        printf 'echo $$ >%s/cgroup.procs\n' "${cgroups[@]+"${cgroups[@]}"}"
        # shellcheck disable=SC2016
        echo 'exec "$@"'
    } >"$work/in-container"
    # shellcheck disable=SC2034 # for the scripts that source this
    contained=(sh "$work/in-container")
}

# named NAME: a copy of provoke under that name, whose path is printed.
named() {
    [ -e "$work/bin/$1" ] || cp "$provoke" "$work/bin/$1"
    echo "$work/bin/$1"
}

# idle NAME: a program of that name that does nothing, whatever its arguments.
idle() {
    [ -e "$work/idle/$1" ] || cp /bin/true "$work/idle/$1"
    echo "$work/idle/$1"
}

# overlaid: $merged gets a file of the image below, from-image, and one on top, added-later. False: no overlay here.
overlaid() {
    merged=$work/merged
    mkdir "$work"/{lower,overlay} "$merged"
    cp "$provoke" "$work/lower/from-image"
    mount -t tmpfs tmpfs "$work/overlay" 2>/dev/null || return 1
    cleanups=("umount $work/overlay" "${cleanups[@]+"${cleanups[@]}"}")
    mkdir "$work"/overlay/{upper,work}
    mount -t overlay overlay "$merged" 2>/dev/null \
        -o "lowerdir=$work/lower,upperdir=$work/overlay/upper,workdir=$work/overlay/work" || return 1
    cleanups=("umount $merged" "${cleanups[@]}")
    cp "$provoke" "$merged/added-later"
}

# watch_with RULES...: starts the pair with these files, and returns once it sees events.
watch_with() {
    need_root "watching events"
    mkdir "$work"/{bin,idle,out}
    chmod 1777 "$work/out" # the analyzer is another user
    make_container
    cat >"$work/ready.yaml" <<'END'
- rule: Ready
  desc: The test says where it is.
  condition: evt.type in (execve, execveat) and proc.name=tiercel-ready
  output: ready %proc.args
  priority: DEBUG
END
    cat >"$work/config.yaml" <<END
json_output: true
rule_matching: all
stdout_output: { enabled: false }
file_output: { enabled: true, filename: $work/out/alerts }
append_output:
  - match: { source: syscall }
    extra_fields: [proc.sid, evt.is_uring]
END
    local file rules=()
    for file in "$@" "$work/ready.yaml"; do
        rules+=(-r "$file")
    done
    "$privd" --exec -- "$analyzer" "${rules[@]}" -c "$work/config.yaml" >"$work/said" 2>&1 &
    running=$!
    ready=$(idle tiercel-ready)
    until_seen first && return
    ! grep -q 'not permitted' "$work/said" || skip "no events here: $(head -n 1 "$work/said")"
    fail "the pair does not run: $(cat "$work/said")"
    finish
}

# until_seen WORD: everything that has happened so far has been evaluated.
until_seen() {
    local left=100
    while ((left-- > 0)); do
        "$ready" "$1"
        sleep 0.05
        ! grep -qsF "ready $1" "$work/out/alerts" || return 0
        kill -0 "$running" 2>/dev/null || return 1
    done
    return 1
}

rows=()
# run_session COMMAND...: runs it as a session of its own, whose id is then in $session.
run_session() {
    (cd "$work" && exec setsid "$@" </dev/null >"$work/output" 2>&1) &
    session=$!
    wait "$session"
}

alerts() {
    local rule=$1 fields=()
    shift
    while [ "$1" != -- ]; do
        fields+=("$1")
        shift
    done
    shift
    run_session "$@"
    rows+=("alerts|$session|$rule|$(printf '%s\037' "${fields[@]+"${fields[@]}"}")")
}

silent() {
    local rule=$1
    shift 2
    run_session "$@"
    rows+=("silent|$session|$rule|")
}

quiet() {
    local what=$1
    shift 2
    run_session "$@" || fail "$what failed: $(tail -n 3 "$work/output")"
    rows+=("quiet|$session|$what|")
}

cannot() {
    rows+=("cannot||$1|$2")
}

# The rule's alerts of one session.
alerts_of() {
    grep -F "\"rule\":\"$1\"" "$work/out/alerts" | grep -E "\"proc.sid\":$2[,}]"
}

check_alert() {
    local rule=$1 found=$2 wanted=$3 field line
    if [ -z "$found" ]; then
        fail "'$rule' did not alert"
        return
    fi
    while IFS= read -r -d $'\037' field; do
        [ -n "$field" ] || continue
        line=$(grep -F -e "\"${field%%=*}\":\"${field#*=}\"" -e "\"${field%%=*}\":${field#*=}," <<<"$found")
        [ -n "$line" ] || fail "'$rule' alerted without $field: $(head -n 1 <<<"$found")"
    done <<<"$wanted"
    echo "ok: $rule"
}

# Every rule of the file must have a row here.
rules_need_rows() {
    local rule
    while read -r rule; do
        grep -qE "^(alerts|cannot)\|[0-9]*\|$(sed 's/[][\\.*^$/|()+?{}]/\\&/g' <<<"$rule")\|" \
            <<<"$(printf '%s\n' "${rows[@]}")" ||
            fail "'$rule' has no row here"
    done < <(sed -n 's/^- rule: //p' "$1")
}

# Compares the alerts with the rows, counts, and ends the script.
judge() {
    local row kind session rule rest found
    until_seen last || fail "the analyzer did not see the end: $(tail -n 3 "$work/said")"
    kill -TERM "$running"
    wait "$running" || fail "the analyzer ended with $?: $(tail -n 3 "$work/said")"
    running=''
    for row in "${rows[@]}"; do
        IFS='|' read -r kind session rule rest <<<"$row"
        case $kind in
            cannot)
                echo "SKIPPED: $rule: $rest"
                skipped=$((skipped + 1)) ;;
            alerts) check_alert "$rule" "$(alerts_of "$rule" "$session")" "$rest" ;;
            silent)
                found=$(alerts_of "$rule" "$session")
                [ -z "$found" ] || fail "'$rule' alerted on a near miss: $(head -n 1 <<<"$found")" ;;
            quiet)
                found=$(grep -E "\"proc.sid\":${session}[,}]" "$work/out/alerts")
                [ -z "$found" ] || fail "there were alerts in $rule: $(head -n 3 <<<"$found")" ;;
        esac
    done
    echo "$((${#rows[@]} - skipped)) of ${#rows[@]} rows were looked at, $skipped cannot be provoked here, $failures faults"
    finish
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# detection_test.sh: rules on live events, from the command line. Alerts reach every output from inside the sandbox, and a
# blocked output delays neither events nor other outputs.
#
# Usage: detection_test.sh PRIVD ANALYZER
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

privd=${1:?privd} analyzer=${2:?analyzer}
work=$(mktemp -d)
started=()
made=("$work")
clean_up() {
    kill "${started[@]}" 2>/dev/null
    rm -rf "${made[@]}"
}
trap clean_up EXIT

lines() { grep -cF -- "$2" "$1"; }
at_least() { [ "$1" -ge "$2" ] || { echo "  got $1, want $2 or more"; false; }; }
touch_marker() { for _ in $(seq "$1"); do : <"$work/marker"; done; }
# watch NAME OPTION...: starts the pair; its process id in $pair. Ready when a marker gave an alert.
watch() {
    "$privd" --exec -- "$analyzer" -r "$work/rules.yaml" "${@:2}" >"$work/$1.out" 2>"$work/$1.err" &
    pair=$!
    started+=("$pair")
}
alerted() { touch_marker 1; [ -s "$1" ]; }
stop() { kill -INT "$pair"; wait "$pair"; }

need_root "watching events"
chmod 777 "$work" # the analyzer is another user
: >"$work/marker"
cat >"$work/rules.yaml" <<END
- rule: Marker opened
  desc: the test opens it
  condition: evt.type in (open, openat, openat2) and fd.name = $work/marker
  output: marker opened (file=%fd.name process=%proc.name user=%user.name)
  priority: WARNING
  tags: [test]
END
if ! timeout 60 "$privd" --exec -- "$analyzer" --events -n 1 >/dev/null 2>"$work/refusal" &&
    grep -q 'not permitted' "$work/refusal"; then
    skip "$(head -1 "$work/refusal")"
fi

# Every output at once. A small server takes what comes by the stream socket and as datagrams.
# shellcheck disable=SC2016 # Perl's variables, not the shell's
server='use IO::Socket::UNIX; use IO::Select; $| = 1;
my $stream = IO::Socket::UNIX->new(Local => "$ARGV[0]/stream", Listen => 1) or die;
chmod 0777, "$ARGV[0]/stream";
my $c = $stream->accept; open my $out, ">", "$ARGV[0]/socket"; $out->autoflush(1);
while (<$c>) { print $out $_ }'
perl -e "$server" "$work" &
started+=($!)
check "the socket's server is up" within 10 [ -S "$work/stream" ]
syslog=()
if [ ! -e /dev/log ]; then
    # shellcheck disable=SC2016
    perl -e 'use IO::Socket::UNIX; use Socket;
        my $s = IO::Socket::UNIX->new(Local => "/dev/log", Type => SOCK_DGRAM) or die; chmod 0777, "/dev/log";
        open my $out, ">", "$ARGV[0]/syslog"; $out->autoflush(1);
        while (defined $s->recv(my $m, 65536)) { print $out "$m\n" }' "$work" &
    started+=($!)
    made+=(/dev/log)
    within 10 [ -S /dev/log ]
    syslog=(-o syslog_output.enabled=true)
else
    echo "SKIPPED: alerts to syslog: /dev/log belongs to another program here"
fi
watch all -o file_output.enabled=true -o "file_output.filename=$work/file" -o program_output.enabled=true \
    -o "program_output.program=cat > $work/program" -o unix_socket_output.enabled=true \
    -o "unix_socket_output.path=$work/stream" "${syslog[@]}"
check "an opened file alerts" within 60 alerted "$work/all.out"
check "the analyzer is under a seccomp filter" is "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pair/status")" 2
for thread in /proc/"$pair"/task/*; do
    check "so is thread ${thread##*/}, without new privileges" is \
        "$(awk '/^Seccomp:|^NoNewPrivs:/ { print $2 }' "$thread/status" | tr '\n' ' ')" "1 2 "
done
touch_marker 5
for output in file program socket ${syslog:+syslog}; do
    check "alerts reach $output" within 10 grep -qs "Warning marker opened (file=$work/marker process=detection_test" \
        "$work/$output"
done
mv "$work/file" "$work/file.1"
kill -HUP "$pair"
check "after SIGHUP the file is made again" within 10 alerted "$work/file"
kill -USR1 "$pair"
check "SIGUSR1 counts the rule's alerts" within 10 grep -q "rule 'Marker opened' (Warning): [0-9]* alerts" "$work/all.err"
stop
check "SIGINT ends it with 0" is $? 0
check "no alert was lost" is "$(grep -c ' written, 0 discarded, 0 failed' "$work/all.err")" \
    "$(($(grep -c 'output .* written' "$work/all.err")))"

# A program that does not read delays neither the events nor the other output. With keep_alive, one program gets all alerts.
watch blocked -o outputs_queue.capacity=5 -o program_output.enabled=true -o program_output.keep_alive=true \
    -o "program_output.program=sleep 8; cat > $work/late" -o file_output.enabled=true \
    -o "file_output.filename=$work/beside" -o stdout_output.enabled=false
check "with a blocked output the other one gets alerts" within 60 alerted "$work/beside"
touch_marker 3000
kill -USR1 "$pair"
check "the alerts that the blocked output missed are counted" within 20 grep -Eq 'output program .* [1-9][0-9]* discarded' \
    "$work/blocked.err"
before=$(lines "$work/beside" 'marker opened')
more() { touch_marker 1; [ "$(lines "$work/beside" 'marker opened')" -gt "$before" ]; }
check "and events are still read" within 10 more
check "when it reads again, a line says how many alerts it missed" within 30 grep -qs \
    'Warning Tiercel internal: alerts discarded. [1-9][0-9]* alerts were discarded: output program' "$work/late"
stop
check "it ends with 0" is $? 0

# Event types that rules name are captured, without --tracepoints.
for type in switch page_fault; do
    printf -- '- {rule: Named, desc: d, condition: evt.type=%s, output: "%s of %%proc.name", priority: INFO}\n' $type $type \
        >"$work/$type.yaml"
    timeout 60 "$privd" --exec -- "$analyzer" -r "$work/$type.yaml" -n 1 >"$work/$type.out" 2>"$work/err"
    check "a rule on $type alerts" grep -q " $type of " "$work/$type.out"
done

set -o pipefail
(sleep 2; while :; do touch_marker 20; sleep 0.2; done) &
started+=($!)
timeout 60 "$privd" --exec -- "$analyzer" -r "$work/rules.yaml" 2>"$work/err" | head -1 >"$work/first"
check "| head -1 ends it with 0" is "${PIPESTATUS[0]}" 0
check "after one alert" is "$(wc -l <"$work/first")" 1
check "and complains of nothing" is "$(cat "$work/err")" ""

finish

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# cli_test.sh: the analyzer's command line where it needs no privilege: -V, and rules on captures.
#
# Usage: cli_test.sh ANALYZER SOURCE-FOLDER
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../../lib/check.sh"

analyzer=${1:?analyzer} sources=${2:?source folder}
peer=$sources/../shared/peer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT


cat >"$work/broken.yaml" <<'END'
- macro: opens
  condition: evt.type in (open, openat)

- rule: Misspelt field
  desc: d
  condition: opens and proc.nmae=cat
  output: o
  priority: NOTICE

- rule: Misspelt macro
  desc: d
  condition: openz and proc.name=cat
  output: o
  priority: NOTICE

- rule: Bad output
  desc: d
  condition: opens
  output: "%proc.nmae did it"
  priority: NOTICE

- rule: Unfinished
  desc: d
  condition: opens and (proc.name=cat
  output: o
  priority: NOTICE
END
"$analyzer" -V -r "$work/broken.yaml" >"$work/out" 2>"$work/err"
check "-V of a broken file ends with 1" is $? 1
check "and says all that is wrong" is "$(grep -c ': error: ' "$work/err")" 4
check "with file, line, column and rule" has "$work/err" "broken.yaml:6:24: error: rule 'Misspelt field'"
check "the offending text under a caret" has "$work/err" '                         ^~~~~~~~'
check "a hint" has "$work/err" "did you mean 'proc.name'?"
check "nothing on standard output" empty "$work/out"
"$analyzer" -V --json -r "$work/broken.yaml" >"$work/out" 2>"$work/err"
check "-V --json ends with 1 too" is $? 1
check "in one JSON object" has "$work/out" '{"valid":false,"errors":4,"warnings":0,"diagnostics":[{"severity":"error"'
check "with line and column" has "$work/out" '"line":6,"column":24'
"$analyzer" -r "$work/broken.yaml" --replay /dev/null >"$work/out" 2>"$work/err"
check "with broken rules nothing begins" is $? 1

"$analyzer" -V -r "$sources/policy/rules" >"$work/out" 2>"$work/err"
check "our rules are valid" is $? 0
check "without a warning" empty "$work/err"
printf 'rules_files: [%s]\njsn_output: true\n' "$sources/policy/rules" >"$work/config"
"$analyzer" -V -c "$work/config" >"$work/out" 2>"$work/err"
check "an unknown key of the configuration ends with 1" is $? 1
check "and is named with its line" has "$work/err" "config:2:1: error: unknown key 'jsn_output'"

"$analyzer" -V -r "$sources/policy/rules" -o 'base_syscalls.custom_set=[read, "!raed"]' >"$work/out" 2>"$work/err"
check "an unknown name in base_syscalls is no error" is $? 0
check "but named, with a hint" has "$work/err" "warning: there is no system call 'raed'; did you mean 'read'?; it is passed over"
"$analyzer" -V -o "rules_files=[$work/nowhere, $sources/policy/rules]" >"$work/out" 2>"$work/err"
check "a file of rules_files may be missing" is $? 0
check "which is said" has "$work/err" "rules_files: warning: $work/nowhere: there is no such file; it is passed over"
"$analyzer" -o "rules_files=[$work/nowhere]" --replay /dev/null >"$work/out" 2>"$work/err"
check "but not all of them" is $? 1
check "evt.around knows one comparison" \
    has <("$analyzer" --replay /dev/null --events --filter 'evt.around[5]>7' 2>&1) "is compared with '=' only"

# A pipe that stalls, in the middle of a block.
sample=$sources/tests/fuzz/capture/corpus/capture/plain.scap
"$analyzer" --replay "$sample" --events >"$work/whole" 2>/dev/null
mkfifo "$work/pipe"
exec 3<>"$work/pipe"
head -c $(($(stat -c %s "$sample") - 10)) "$sample" >&3
"$analyzer" --replay - --events <"$work/pipe" 3>&- >"$work/out" 2>"$work/err" &
running=$!
for _ in $(seq 100); do
    [ "$(wc -l <"$work/out")" -ge $(($(wc -l <"$work/whole") - 1)) ] && break
    sleep 0.1
done
check "a stalled pipe's events are shown, all but the last" is "$(wc -l <"$work/out")" $(($(wc -l <"$work/whole") - 1))
kill -0 "$running"
check "the analyzer waits for more" is $? 0
kill -INT "$running"
begin=$SECONDS
wait "$running"
check "SIGINT ends it with 0" is $? 0
check "at once" [ $((SECONDS - begin)) -lt 5 ]
exec 3>&-

head -c 100 /dev/zero >"$work/zeros"
"$analyzer" -r "$sources/policy/rules" --replay "$work/zeros" >"$work/out" 2>"$work/err"
check "what is no capture ends with 1" is $? 1
check "and one line says where" has "$work/err" "at byte 0"
"$analyzer" -r "$sources/policy/rules" --replay "$work/none" >"$work/out" 2>"$work/err"
check "a capture that is not there ends with 1" is $? 1
check "in one line" is "$(wc -l <"$work/err")" 1

if [ ! -e "$peer/falco_rules.yaml" ]; then
    echo "SKIPPED: rules on captures: $peer is not there"
    finish
fi

"$analyzer" -V -r "$peer/falco_rules.yaml" >"$work/out" 2>"$work/err"
check "the stock rules are valid" is $? 0
check "without a warning" empty "$work/err"
cat >"$work/rules.yaml" <<'END'
- rule: Curl connects
  desc: d
  condition: evt.type=connect and proc.name=curl and fd.sport=80
  output: connected (%fd.sport %proc.name)
  priority: WARNING
  tags: [network]
- rule: Everything of curl
  desc: d
  condition: proc.name=curl
  output: seen (%evt.type)
  priority: DEBUG
  warn_evttypes: false
END
capture=$peer/curl_google.scap
replay() { "$analyzer" --replay "$capture" -r "$work/rules.yaml" "$@"; }
replay -o priority=warning >"$work/out" 2>"$work/err"
check "a replay ends with 0" is $? 0
check "it alerts" has "$work/out" ": Warning connected (80 curl)"
check "only what is severe enough" is "$(grep -c seen "$work/out")" 0
check "statistics count the rule's alerts" has "$work/err" "rule 'Curl connects' (Warning): "
check "and what the output took" has "$work/err" "output stdout: $(wc -l <"$work/out") written, 0 discarded, 0 failed"
replay -o priority=warning --json >"$work/json" 2>/dev/null
check "--json has Falco's keys" has "$work/json" '"priority":"Warning","rule":"Curl connects","source":"syscall","tags":["network"],"time":"'
check "as many" is "$(wc -l <"$work/json")" "$(wc -l <"$work/out")"
replay -o outputs_queue.capacity=1000000 >"$work/first" 2>/dev/null
replay -o outputs_queue.capacity=1000000 -o rule_matching=all >"$work/all" 2>/dev/null
check "rule_matching=all gives both rules' alerts" is "$(wc -l <"$work/all")" \
    $(($(wc -l <"$work/first") + $(wc -l <"$work/out")))
replay -n 3 >"$work/three" 2>/dev/null
check "-n 3 ends after three alerts" is "$(wc -l <"$work/three")" 3
replay -o 'append_output=[{extra_output: "(n=%evt.num)"}]' -n 1 >"$work/extra" 2>/dev/null
check "append_output appends" grep -q '(n=[0-9]*)$' "$work/extra"
replay -o 'rules=[{disable: {rule: "Everything*"}}]' >"$work/fewer" 2>/dev/null
check "rules can be disabled" cmp "$work/fewer" "$work/out"
"$analyzer" --replay - -r "$work/rules.yaml" -o priority=warning <"$capture" >"$work/stdin" 2>/dev/null
check "standard input replays the same" cmp "$work/stdin" "$work/out"
zcat -f "$capture" >"$work/plain.scap"
"$analyzer" --replay "$work/plain.scap" -r "$work/rules.yaml" -o priority=warning >"$work/plain" 2>/dev/null
check "so does the capture unpacked" cmp "$work/plain" "$work/out"
head -c 100000 "$work/plain.scap" >"$work/cut"
"$analyzer" --replay "$work/cut" --events >"$work/out" 2>"$work/err"
check "a capture that is cut ends with 1" is $? 1
check "after all events before the cut" [ "$(wc -l <"$work/out")" -gt 100 ]
check "and says where" grep -q 'ends in the middle of a block that starts at byte [0-9]*$' "$work/err"
"$analyzer" --replay "$capture" --events --filter 'evt.type=connect and proc.name=curl' >"$work/out" 2>/dev/null
check "--filter shows what it says" [ -s "$work/out" ]
check "and nothing else" is "$(grep -vc 'curl ([0-9]*) connect ' "$work/out")" 0
"$analyzer" --replay "$capture" --events --filter 'proc.nme=curl' >"$work/out" 2>"$work/err"
check "a wrong --filter ends with 1" is $? 1
check "with a caret" has "$work/err" '^~'

replay -o log_level=warning >"$work/out" 2>"$work/err"
check "log_level=warning leaves the statistics out" empty "$work/err"
replay -o log_level=warning -o log_stderr=false -o log_syslog=true >"$work/out" 2>"$work/err"
check "where the log goes is not chosen, which is said" is "$(grep -c '^log_std.*cannot be switched off\|^log_syslog.*is not supported' "$work/err")" 2
replay -o log_level=error -o log_syslog=true >"$work/out" 2>"$work/err"
check "but not with log_level=error" empty "$work/err"

time=$("$analyzer" --replay "$capture" --events --json 2>/dev/null | sed -n '500s/.*"evt.time":\([0-9]*\).*/\1/p')
"$analyzer" --replay "$capture" --events --json --filter "evt.around[$time]=1000" >"$work/out" 2>/dev/null
"$analyzer" --replay "$capture" --events --json --filter 'evt.num>0' 2>/dev/null |
    sed 's/.*"evt.time":\([0-9]*\).*/\1/' |
    awk -v time="$time" '{ d = $1 - time } d >= -1e9 && d <= 1e9 { ++near } END { print near }' >"$work/near"
check "evt.around[T]=D holds around T" is "$(wc -l <"$work/out")" "$(cat "$work/near")"
check "and not everywhere" [ "$(wc -l <"$work/out")" -lt 900 ]
named() { "$analyzer" --replay "$capture" -r "$work/rules.yaml" -n 1 -o 'append_output=[{extra_output: "on %evt.hostname"}]' "$@" 2>/dev/null; }
check "evt.hostname is the setting" grep -q ' on elsewhere$' <(named -o hostname=elsewhere)
check "else the name in the capture" grep -Eq ' on [a-zA-Z][a-zA-Z0-9.-]+$' <(named)
check "the JSON says the same hostname" grep -q '"hostname":"elsewhere"' <(named -o hostname=elsewhere --json)
check "suggested_output appends the container" grep -q ' container_id=host container_name=[^ ]* container_image_repository=' \
    <("$analyzer" --replay "$capture" -r "$work/rules.yaml" -n 1 -o 'append_output=[{suggested_output: true}]' 2>/dev/null)

set -o pipefail
replay 2>"$work/err" | head -1 >"$work/out"
check "| head -1 ends with 0" is "${PIPESTATUS[0]}" 0
check "and complains of nothing" is "$(grep -ciE 'broken|cannot' "$work/err")" 0
replay >/dev/full 2>"$work/err"
check "a full disk ends with 1" is $? 1
check "and one line says so" is "$(grep -c 'No space left' "$work/err")" 1
finish

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# record_test.sh: recording from the command line where it needs no privilege: from one capture to another.
#
# Usage: record_test.sh ANALYZER SHORT-CAPTURE LONG-CAPTURE      the long one has some seconds, and a connect by curl
set -u
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../../lib/check.sh"

analyzer=${1:?analyzer} sample=${2:?short capture} capture=${3:?long capture}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

record() { "$analyzer" --replay "$1" --record "${@:2}" >"$work/out" 2>"$work/err"; }
events() { "$analyzer" --replay "$1" --events 2>"$work/err"; }
# Whether FILE gives the events in $work/original, all of them, and ends well.
same_events() { events "$1" >"$work/shown" && cmp "$work/shown" "$work/original"; }
# The alerts of rules.yaml that FILE raises.
count_alerts() { "$analyzer" --replay "$1" -r "$work/rules.yaml" 2>/dev/null | wc -l; }

events "$sample" >"$work/original"
check "the sample has events" [ "$(wc -l <"$work/original")" -gt 10 ]
record "$sample" "$work/copy.scap"
check "--record ends with 0" is $? 0
check "the recording replays the same" same_events "$work/copy.scap"
record "$sample" "$work/copy.scap.gz"
check "so does one that is packed" same_events "$work/copy.scap.gz"
check "which it is" is "$(head -c 2 "$work/copy.scap.gz" | od -An -tx1 | tr -d ' ')" 1f8b
check "others may not read it" is "$(stat -c %a "$work/copy.scap")" 600
record "$sample" "$work/three.scap" -n 3
check "-n 3 records three events" is "$(events "$work/three.scap" | wc -l)" 3

record "$work/copy.scap" "$work/copy.scap"
check "recording over what is replayed ends with 1" is $? 1
check "and says so" has "$work/err" 'cannot record over the capture that is replayed'
check "it is still whole" same_events "$work/copy.scap"
ln -s target "$work/link.scap"
record "$sample" "$work/link.scap"
check "a symbolic link ends with 1" is $? 1
check "and is not followed" [ ! -e "$work/target" ]
record "$sample" "$work/no/such/folder.scap"
check "a folder that is not there ends with 1" is $? 1
check "in one line that names the file" has "$work/err" "$work/no/such/folder.scap: No such file or directory"
record "$sample" /dev/full
check "a full disk ends with 1" is $? 1
check "one line says so" is "$(grep -c 'No space left on device' "$work/err")" 1

head -c $(($(stat -c %s "$work/copy.scap") - 20)) "$work/copy.scap" >"$work/cut"
events "$work/cut" >"$work/shown"
check "a recording that is cut ends with 1" is $? 1
check "after all events but the last" is "$(wc -l <"$work/shown")" $(($(wc -l <"$work/original") - 1))
check "and one line says where" is "$(grep -c 'ends in the middle of a block that starts at byte [0-9]*$' "$work/err")" 1
head -c 300 "$work/copy.scap" >"$work/cut"
events "$work/cut" >"$work/shown"
check "one that is cut within its lists ends with 1" is $? 1
check "with the place" is "$(grep -c 'starts at byte [0-9]*$' "$work/err")" 1

# Captures of some seconds.
events "$capture" >"$work/original"
record "$capture" "$work/whole.scap"
check "a capture of some seconds replays the same" same_events "$work/whole.scap"
record "$capture" "$work/time.scap.gz" -G 1 -W 200
check "-G ends with 0" is $? 0
mapfile -t files < <(find "$work" -name 'time.*.scap.gz' -size +0 | sort)
check "-G 1 makes several files" [ "${#files[@]}" -gt 3 ]
check "numbered in step" is "$(basename "${files[0]}") $(basename "${files[1]}")" "time.000.scap.gz time.001.scap.gz"
for file in "${files[@]}"; do
    events "$file" || echo "it ends with $?"
done | cut -d' ' -f2- >"$work/shown"
cut -d' ' -f2- "$work/original" >"$work/expected"
check "which together have the same events, each with all that is known of them" diff "$work/shown" "$work/expected"
record "$capture" "$work/ring.scap" -G 1 -W 2
check "-W 2 leaves two files" is "$(find "$work" -name 'ring.*' | wc -l)" 2
last=$(events "$work/ring.0.scap" | cut -d' ' -f2- | grep -cxFf <(tail -1 "$work/expected"))
last=$((last + $(events "$work/ring.1.scap" | cut -d' ' -f2- | grep -cxFf <(tail -1 "$work/expected"))))
check "one of which has the last event" [ "$last" -ge 1 ]

cat >"$work/rules.yaml" <<'END'
- rule: Curl connects
  desc: d
  condition: evt.type=connect and proc.name=curl
  output: connected (%fd.name)
  priority: WARNING
  capture: true
  capture_duration: 500
END
around() { "$analyzer" --replay "$capture" -r "$work/rules.yaml" -o "capture.path_prefix=$work/around" "$@" >"$work/out" 2>"$work/err"; }
around
check "without capture.enabled no capture is made" [ ! -e "$work/around.0.scap" ]
check "and one line says why" is "$(grep -c "rule 'Curl connects' asks for a capture, but captures are off" "$work/err")" 1
around -o capture.enabled=true -o capture.before=500 -o capture.files=3
check "capture: true ends with 0" is $? 0
check "one line names rule and file" has "$work/err" "rule 'Curl connects' matched: capturing to $work/around.0.scap"
check "the alert is in the capture" [ "$(count_alerts "$work/around.0.scap")" -ge 1 ]
events "$work/around.0.scap" >"$work/shown"
check "which replays to its end" is $? 0
check "what happened before is in it, too" is \
    "$(sed -n '1,/ connect /p' "$work/shown" | wc -l | awk '{ print ($1 > 5) }')" 1
check "and not all there was" [ "$(wc -l <"$work/shown")" -lt "$(wc -l <"$work/original")" ]
check "its events are of the original" is "$(cut -d' ' -f2- "$work/shown" | grep -cvxFf "$work/expected")" 0
sed -i '/capture/d' "$work/rules.yaml"
rm "$work"/around.*
around -o capture.enabled=true
check "a rule that does not ask makes no capture" [ ! -e "$work/around.0.scap" ]
around -o capture.enabled=true -o capture.mode=all_rules
check "capture.mode=all_rules asks for it" [ -s "$work/around.0.scap" ]
finish

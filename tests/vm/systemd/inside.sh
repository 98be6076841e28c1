#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# inside.sh: runs in the machine that test-systemd.sh boots, as root, with systemd. Installs the packages beside it and looks at
# what they do. Prints `ok:` or `FAILED:` for each thing looked at.
#
# Beside it: check.sh, witness.pl; old/*.deb, which are installed; new/*.deb, the same packages of a higher version; courier.sh and
# what it needs.
set -u
cd /payload || exit 1
# shellcheck source=tests/lib/check.sh
. ./check.sh
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

main_pid() { systemctl show -p MainPID --value "$1"; }
state() { systemctl show -p ActiveState --value "$1"; }
now() { date +%s%3N; } # milliseconds
analyzer_is() { [ "$(state tiercel)" = "$1" ]; }
privd_has_left() { [ "$(main_pid tiercel-privd)" = 0 ]; }
no_admin_left() {
    local pid
    pid=$(main_pid tiercel-privd)
    [ "$pid" = 0 ] || [ $((0x$(status_field "$pid" CapPrm) & 1 << 21)) -eq 0 ]
}
# confined NAME PID PROGRAM USER: the service runs this program as this user, without capabilities, and under a filter.
confined() {
    local set
    check "it is the $1" is "$(readlink "/proc/$2/exe")" "$3"
    check "as user $4" is "$(status_field "$2" Uid)" "$(id -u "$4")"
    for set in CapEff CapPrm CapInh CapBnd CapAmb; do
        check "its $set is empty" is "$(status_field "$2" "$set")" 0000000000000000
    done
    check "it can gain no privilege" is "$(status_field "$2" NoNewPrivs)" 1
    check "it is under seccomp" is "$(status_field "$2" Seccomp)" 2
}
explain() { journalctl --no-pager -o short-monotonic -u tiercel -u tiercel-privd | tail -n 15; }

# Alerts about a file that cat opened, as times in milliseconds; cut down to those since $1.
alerts_since() {
    journalctl --no-pager -q -o short-unix -u tiercel | grep -F "$2" |
        awk -v since="$1" '{ at = sprintf("%.0f", $1 * 1000); if (at >= since) print at }'
}
alerted_since() { [ -n "$(alerts_since "$1" "$2")" ]; }

# How long after each alert's own time, which is the event's, it was in the journal: milliseconds, of those since $1.
delays_since() {
    journalctl --no-pager -q -o short-unix -u tiercel | grep -F "$2" |
        awk -v since="$1" '{ at = sprintf("%.0f", $1 * 1000); split($4, time, ":")
            delay = at % 86400000 - ((time[1] * 60 + time[2]) * 60 + time[3]) * 1000
            if (at >= since) printf "%.0f\n", delay }'
}

# An alert is in the journal within a second of the event. The journal's own time of it and the event's count, as starting
# a program and reading the journal take an emulated machine long.
alert_works() {
    local before delay
    before=$(now)
    cat /etc/shadow >/dev/null
    within 20 alerted_since "$before" /etc/shadow || { echo "  no alert at all"; explain; return 1; }
    delay=$(delays_since "$before" /etc/shadow | head -n 1)
    echo "  in the journal $delay ms after the event"
    [ "$delay" -ge 0 ] && [ "$delay" -le 1000 ]
}

# journal_field FIELD: that field of the last alert in the journal.
journal_field() {
    journalctl --no-pager -q -n 1 -o cat --output-fields="$1" MESSAGE_ID=6f3b0e5c5d1f4a0f9c0a7d9f3a5b2e71
}

# ---- installation ----
# What only Debian's kernels ask for is left out on others, where boot-here runs this; so is what a container on a machine
# without CAP_SYS_RESOURCE or with mixed cgroups does not have.
debian_kernel=false
case $(uname -v) in *Debian*) debian_kernel=true ;; esac
! $debian_kernel || check "Debian's perf_event_paranoid is 3" is "$(cat /proc/sys/kernel/perf_event_paranoid)" 3
check "the packages install" dpkg --install old/*.deb
check "the analyzer runs at once" analyzer_is active || explain
check "tiercel-privd.socket listens" is "$(state tiercel-privd.socket)" active
check "both are enabled" is "$(systemctl is-enabled tiercel.service tiercel-privd.socket | xargs)" "enabled enabled"
check "and reached by their former names" is "$(systemctl show -p Id --value analyzer.service privd.socket privd.service | xargs)" \
    "tiercel.service tiercel-privd.socket tiercel-privd.service"
check "the module's unit is not" is "$(systemctl is-enabled tiercel-module.service)" disabled

# ---- the analyzer at rest ----
analyzer=$(main_pid tiercel)
confined analyzer "$analyzer" /usr/bin/analyzer tiercel
check "its network is its own" [ "$(readlink "/proc/$analyzer/ns/net")" != "$(readlink /proc/1/ns/net)" ]
check "systemd knows that it watches" is "$(systemctl show -p StatusText --value tiercel)" watching
check "privd has left" within 10 privd_has_left
check "no process of it is there" is "$(pgrep -cx privd)" 0
check "nor of its account" is "$(pgrep -cu tiercel-privd)" 0
check "an alert comes within a second" alert_works
check "the journal has its priority" is "$(journal_field PRIORITY)" 4
check "and its rule" grep -q . <<<"$(journal_field RULE)"
check "no container for what the host does" is "$(journal_field CONTAINER_ID)" ""

# ---- metrics ----
# fetch PATH: what the analyzer answers.
fetch() {
    # shellcheck disable=SC2016 # the program is Perl
    timeout 20 perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un($ARGV[0])) or exit 1;
        syswrite S, "GET $ARGV[1] HTTP/1.0\r\n\r\n"; print while <S>' /run/tiercel/metrics.sock "$1"
}
check "nothing listens for scrapers by default" is "$(systemctl is-enabled tiercel-metrics.socket) $(state tiercel-metrics.socket)" "disabled inactive"
systemctl stop tiercel
check "their socket can be enabled" systemctl enable --now tiercel-metrics.socket
check "and the analyzer started with it" systemctl start tiercel
before=$(fetch /metrics)
check "it gives metrics" grep -q '^falcosecurity_scap_engine_name_info{engine_name="modern_bpf"' <<<"$before" || head -n 5 <<<"$before"
check "an alert comes all the same" alert_works
check "and is counted by its rule" grep -qE '^falcosecurity_falco_rules_matches_total{.*} [1-9]' <<<"$(fetch /metrics)"
check "its health is good" is "$(fetch /healthz | tail -n 1)" ok
check "under seccomp still" is "$(status_field "$(main_pid tiercel)" Seccomp)" 2

# ---- the enricher, and a Docker that knows one container ----
container=$(printf '5e%.0s' $(seq 32))
perl -MSocket -e 'my ($path, $id) = @ARGV;
    socket(DOOR, AF_UNIX, SOCK_STREAM, 0) and bind(DOOR, pack_sockaddr_un($path)) and listen(DOOR, 5) or die "docker: $!";
    chmod 0660, $path;
    while (accept(PEER, DOOR)) {
        sysread PEER, my $request, 1000;
        syswrite PEER, "HTTP/1.0 200 OK\r\n\r\n{\"Id\":\"$id\",\"Name\":\"/web\"}" if index($request, $id) > 0;
        close PEER;
    }' /run/docker.sock "$container" &
docker=$!
check "the enricher is off by default" is "$(systemctl is-enabled tiercel-enricher.socket) $(state tiercel-enricher.socket)" "disabled inactive"
mkdir -p /etc/systemd/system/tiercel-enricher.service.d
printf '[Service]\nSupplementaryGroups=root\n' >/etc/systemd/system/tiercel-enricher.service.d/test.conf
cp -p /etc/tiercel/analyzer.yaml /tmp/analyzer.yaml
echo 'enricher: {socket: /run/tiercel/enricher.sock}' >>/etc/tiercel/analyzer.yaml
systemctl daemon-reload
check "it can be enabled" systemctl enable --now tiercel-enricher.socket
check "the analyzer starts with it" systemctl restart tiercel
enricher_runs() {
    enricher=$(main_pid tiercel-enricher)
    [ "$(readlink "/proc/$enricher/exe")" = /usr/libexec/tiercel/enricher ]
}
check "and by its connection the enricher" within 20 enricher_runs
check "it runs as its own user" is "$(status_field "$enricher" Uid)" "$(id -u tiercel-enricher)"
for set in CapEff CapPrm CapInh CapBnd CapAmb; do
    check "its $set is empty" is "$(status_field "$enricher" "$set")" 0000000000000000
done
check "it can gain no privilege" is "$(status_field "$enricher" NoNewPrivs)" 1
check "it is under seccomp" is "$(status_field "$enricher" Seccomp)" 2
check "it sees nothing of /run but the runtime's socket and a folder of systemd's" is "$(cd "/proc/$enricher/root/run" && echo *)" "docker.sock systemd"
systemd-run --quiet --scope --unit "docker-$container.scope" sh -c '/bin/true; sleep 1; cat /etc/shadow >/dev/null'
told() { grep -qx 'tiercel_containers_told_total 1' <<<"$(fetch /metrics)"; }
! $debian_kernel || check "Docker is asked about its container, and tells" within 20 told || fetch /metrics | grep containers
cp -p /tmp/analyzer.yaml /etc/tiercel/analyzer.yaml
systemctl disable --now --quiet tiercel-enricher.socket
systemctl stop tiercel-enricher
rm -r /etc/systemd/system/tiercel-enricher.service.d
kill "$docker"
rm -f /run/docker.sock
check "without it the analyzer starts as before" systemctl restart tiercel

# ---- privd while it runs ----
# A peer that connects and asks nothing keeps privd waiting for a second: long enough to look, and to stop it.
held=none
try_to_hold_privd() { # CAPEFF: the capabilities with which it is to wait for the question
    perl -MSocket -e 'socket(PRIVD, AF_UNIX, SOCK_SEQPACKET, 0) or die "socket: $!";
        connect(PRIVD, pack_sockaddr_un("/run/tiercel/privd.sock")) or die "connect: $!"; sleep 60' &
    holder=$!
    local pid
    for _ in $(seq 200); do
        pid=$(main_pid tiercel-privd)
        if [ "$pid" != 0 ] && [ "$(status_field "$pid" CapEff 2>/dev/null)" = "$1" ]; then
            kill -STOP "$pid"
            held=$pid
            sleep 0.2
            [ "$(status_field "$pid" State 2>/dev/null)" != T ] || return 0
        fi
        sleep 0.02
    done
    kill "$holder"
    return 1
}
# A slow machine may be too late for that second.
hold_privd() {
    try_to_hold_privd "$1" || try_to_hold_privd "$1" || try_to_hold_privd "$1"
}
systemctl stop tiercel
check "privd runs when a peer connects, with CAP_BPF and CAP_PERFMON alone" hold_privd 000000c000000000
check "as user tiercel-privd" is "$(status_field "$held" Uid)" "$(id -u tiercel-privd)"
! $debian_kernel || check "its bounding set is the plan's four" is "$(status_field "$held" CapBnd)" 000000c001080000
check "its permitted set the two" is "$(status_field "$held" CapPrm)" 000000c000000000
check "its ambient set is empty" is "$(status_field "$held" CapAmb)" 0000000000000000
check "it can gain no privilege" is "$(status_field "$held" NoNewPrivs)" 1
check "it is under seccomp" is "$(status_field "$held" Seccomp)" 2
[ "$held" = none ] || kill -KILL "$held"
kill "$holder"
check "killed, it is gone" within 10 privd_has_left
check "and the analyzer starts with the next" systemctl start tiercel
check "and alerts" alert_works

# ---- ends and new starts ----
# The rings outlive the analyzer, so that none of these starts needs privd.
privds_start() { systemctl show -p InvocationID --value tiercel-privd; }
loaded_by=$(privds_start)
check "the analyzer restarts" systemctl restart tiercel
check "and alerts" alert_works
check "without another privd" is "$(privds_start)" "$loaded_by" || explain
check "tiercel-privd.socket restarts" systemctl restart tiercel-privd.socket
check "and with it the analyzer, which needs it" within 60 analyzer_is active
check "which alerts" alert_works
analyzer=$(main_pid tiercel)
kill -KILL "$analyzer"
another_runs() {
    local pid
    pid=$(main_pid tiercel)
    [ "$pid" != 0 ] && [ "$pid" != "$analyzer" ] && analyzer_is active
}
loaded_by=$(privds_start)
check "killed, another analyzer takes its place" within 60 another_runs
check "it alerts" alert_works
check "without another privd" is "$(privds_start)" "$loaded_by" || explain
for _ in $(seq 20); do
    analyzer=$(main_pid tiercel)
    kill -KILL "$analyzer"
    within 60 another_runs || break
done
check "killed 20 times more it alerts" alert_works
check "still without another privd" is "$(privds_start)" "$loaded_by" || explain
# systemd-nspawn gives the container a boot id of its own, which the service does not see.
systemd-detect-virt -qc || check "whose capabilities are told in seconds" grep -q '^CAP_BPF  *[0-9]*\.[0-9]* s$' <<<"$(tiercel caps --since-boot)" ||
    tiercel caps --since-boot
check "and noted for each load" grep -q ' CAP_BPF=[0-9]*\.' /var/lib/tiercel/capabilities
analyzer=$(main_pid tiercel)
kill -STOP "$analyzer"
check "one that hangs is replaced by the watchdog" within 120 another_runs
check "and alerts" alert_works

# ---- other rules ----
local_rules=/etc/tiercel/rules.d/50-local.yaml
reload_with() { # CONDITION
    printf -- '- rule: Local\n  desc: A test.\n  condition: %s\n  output: local-rule %%evt.type\n  priority: notice\n' "$1" \
        >"$local_rules"
    systemctl reload tiercel
}
local_rule_alerts() {
    local before
    before=$(now)
    nice true
    within 5 alerted_since "$before" local-rule
}
says() { journalctl --no-pager -q -u tiercel | grep -qF "$1"; }
loaded_by=$(privds_start)
check "a rule for events that are captured comes into force by a reload" reload_with 'evt.type in (execve, execveat) and evt.failed=false and proc.name=nice'
check "and alerts" within 20 local_rule_alerts || explain
check "without another privd" is "$(privds_start)" "$loaded_by"
analyzer=$(main_pid tiercel)
check "wrong rules are taken for a reload" reload_with 'no such field'
check "and refused" within 20 says "the old ones stay"
check "while the old ones alert" local_rule_alerts
check "from the same analyzer" is "$(main_pid tiercel)" "$analyzer"
check "a rule for events that are not captured is taken" reload_with 'evt.type=getpriority and proc.name=nice'
check "and comes into force by another analyzer" within 60 another_runs || explain
check "which alerts" within 20 local_rule_alerts || explain
check "for which privd has loaded once more" [ "$(privds_start)" != "$loaded_by" ]
check "beside the earlier probe" says "end in a gap of"
check "the shipped rules alert too" alert_works
rm "$local_rules"

# ---- the courier ----
if [ -d courier ]; then
    # shellcheck source=tests/vm/systemd/courier.sh
    . ./courier.sh
else
    echo "SKIPPED: the courier: its package was not made"
fi

# ---- a wrong configuration ----
cp -p /etc/tiercel/analyzer.yaml /tmp/analyzer.yaml
echo 'jsn_output: true' >>/etc/tiercel/analyzer.yaml
check "a wrong configuration ends the start" eval '! systemctl restart tiercel 2>/dev/null'
sleep 3
check "with 2, and systemd does not try again" \
    is "$(systemctl show -p ActiveState,Result,NRestarts,ExecMainStatus tiercel | sort | xargs)" \
    "ActiveState=failed ExecMainStatus=2 NRestarts=0 Result=exit-code"

# ---- alert files and captures, where the unit lets them be ----
cp -p /tmp/analyzer.yaml /etc/tiercel/analyzer.yaml
sed -i 's/^capture:/capture:\n  enabled: true\n  mode: all_rules/' /etc/tiercel/analyzer.yaml
echo 'file_output: {enabled: true, filename: /var/log/tiercel/alerts.log}' >>/etc/tiercel/analyzer.yaml
check "the analyzer starts with an alert file and captures" systemctl restart tiercel
check "and alerts" alert_works
check "into the file" grep -q file=/etc/shadow /var/log/tiercel/alerts.log
# shellcheck disable=SC2016 # the inner shell expands it
check "with a capture around it" within 20 sh -c '[ -n "$(find /var/lib/tiercel -name "1*-*.scap" -size +0)" ]'
mv /var/log/tiercel/alerts.log /var/log/tiercel/alerts.log.1
sh -c "$(sed -n '/postrotate/,/endscript/p' /etc/logrotate.d/tiercel | grep systemctl)"
check "and after logrotate it alerts" alert_works
check "into a new file" grep -q file=/etc/shadow /var/log/tiercel/alerts.log
cp -p /tmp/analyzer.yaml /etc/tiercel/analyzer.yaml
check "without them the analyzer starts as before" systemctl restart tiercel

# ---- the classic probe, on a kernel that asks for CAP_SYS_ADMIN ----
dropin=/etc/systemd/system/tiercel-privd.service.d/tiercel-driver.conf
check "tiercel-driver prepares the classic probe" tiercel-driver load classic_bpf
! $debian_kernel || check "having seen that the kernel asks for CAP_SYS_ADMIN" \
    grep -qx 'CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_RESOURCE CAP_SYS_PTRACE' $dropin
cp -p /etc/tiercel/analyzer.yaml /tmp/analyzer.yaml
echo 'engine: {kind: ebpf}' >>/etc/tiercel/analyzer.yaml
check "the analyzer starts with it" systemctl restart tiercel
check "and alerts" alert_works
check "by the classic probe" grep -q 'engine_name="bpf"' <<<"$(fetch /metrics)" || explain
check "whose privd has dropped CAP_SYS_ADMIN, or left" no_admin_left
cp -p /tmp/analyzer.yaml /etc/tiercel/analyzer.yaml
check "tiercel-driver takes that back" tiercel-driver unload
check "and leaves nothing" [ ! -e $dropin ]
check "the analyzer starts with the modern one" systemctl restart tiercel
check "and alerts" alert_works

# ---- the module, and no capability at all ----
if [ -e tiercel.ko ]; then
    mkdir -p "/lib/modules/$(uname -r)/extra"
    cp tiercel.ko "/lib/modules/$(uname -r)/extra/"
    depmod
    check "tiercel-module.service loads the module" systemctl start tiercel-module.service
    device_is_privds() { [ "$(stat -c '%G %a' /dev/tiercel)" = "tiercel-privd 660" ]; }
    check "whose device is of privd's group alone" within 10 device_is_privds
    check "tiercel-driver prepares privd for it" tiercel-driver load module
    echo 'engine: {kind: kmod}' >>/etc/tiercel/analyzer.yaml
    systemctl stop tiercel
    check "privd then runs without any capability" hold_privd 0000000000000000
    check "and cannot get one" is "$(status_field "$held" CapBnd) $(status_field "$held" NoNewPrivs)" "0000000000000000 1"
    [ "$held" = none ] || kill -KILL "$held"
    kill "$holder"
    check "the analyzer starts with it" systemctl start tiercel
    check "and alerts" alert_works
    check "by the module" grep -q 'engine_name="kmod"' <<<"$(fetch /metrics)" || explain
    cp -p /tmp/analyzer.yaml /etc/tiercel/analyzer.yaml
    systemctl stop tiercel
    check "tiercel-driver takes that back, and the module out" tiercel-driver unload
    check "no module is left" [ ! -e /sys/module/tiercel ]
    systemctl stop tiercel-module.service
    rm -r "/lib/modules/$(uname -r)"
    check "the analyzer starts with the modern probe" systemctl start tiercel
    check "and alerts" alert_works
else
    echo "SKIPPED: the module: it could not be built for this kernel"
fi

# ---- upgrade under load ----
echo '# mine' >>/etc/tiercel/analyzer.yaml
echo '[]' >/etc/tiercel/rules.d/10-mine.yaml
cp -p /etc/tiercel/analyzer.yaml /tmp/analyzer.yaml
sed -i '/^stdout_output:/,/enabled:/s/enabled: .*/enabled: false/' /etc/tiercel/analyzer.yaml
echo 'file_output: {enabled: true, filename: /var/log/tiercel/alerts.log}' >>/etc/tiercel/analyzer.yaml
# An emulated machine takes a second for what others do in 20 ms.
kills=100 reloads=20 rate=50000
systemd-detect-virt -qc || { kills=10 reloads=4 rate=1000; }
written=/var/log/tiercel/alerts.log
rm -f "$written"
witness_rules() { # VERSION
    printf -- '- rule: Witness\n  desc: A test.\n  condition: %s\n  output: version-%s %%evt.arg.name\n  priority: notice\n' \
        'evt.type = openat and evt.arg.name startswith /tmp/seq- and not evt.arg.name endswith none' "$1" >"$local_rules"
}
witness_rules 0
check "the analyzer starts with a file for alerts" systemctl restart tiercel
perl ./witness.pl /tmp/seq "$rate" 50 /tmp/witnessed &
witness=$!
check "the witness is seen" within 20 [ -s "$written" ] || explain
loaded_by=$(privds_start)
kept=$(systemctl show -p NFileDescriptorStore --value tiercel)
memory_of() { awk '/^RssAnon/ { print $2 }' "/proc/$1/status"; }
# Prints the milliseconds from the analyzer's end until the next one has written an alert; the clock has steps of 10.
kill_and_wait() { # PID
    perl -e 'use POSIX; my ($pid, $file) = @ARGV; my $tick = 1000 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
        kill KILL => $pid or exit 1;
        my $killed = (POSIX::times())[0];
        while (open(my $state, "<", "/proc/$pid/stat")) { last if (<$state> // "") =~ /\) [XZ] / }
        my $before = -s $file;
        while (-s $file == $before) {
            exit 1 if (POSIX::times())[0] > $killed + 60000 / $tick;
            select undef, undef, undef, 0.001;
        }
        print(((POSIX::times())[0] - $killed) * $tick, "\n")' "$1" "$written"
}
new_rules_alert() { tail -c 4000 "$written" | grep -q "version-$1 "; }
: >/tmp/gaps
: >/tmp/memory
version=0 refused=0
for count in $(seq "$kills"); do
    if [ $((count % (kills / reloads))) -eq 0 ]; then
        version=$((version + 1))
        witness_rules "$version"
        systemctl reload tiercel
        within 20 new_rules_alert "$version" || refused=$((refused + 1))
    fi
    if [ "$count" -eq $((kills / 2)) ]; then
        check "the packages upgrade under load" dpkg --force-confdef --force-confold --install new/*.deb
        check "to the new version" is "$(dpkg-query -W -f '${Version}' tiercel)" "$(dpkg-deb -f new/tiercel_*.deb Version)"
    fi
    within 60 analyzer_is active || break
    analyzer=$(main_pid tiercel)
    memory_of "$analyzer" >>/tmp/memory
    kill_and_wait "$analyzer" >>/tmp/gaps || break
    within 60 another_runs || break
done
check "the analyzer was killed $kills times, and went on" is "$(wc -l </tmp/gaps)" "$kills" || explain
check "each of $reloads reloads came into force" is "$version $refused" "$reloads 0"
check "privd started once for all of it" is "$(privds_start)" "$loaded_by" || explain
check "systemd keeps as many descriptors as before" is "$(systemctl show -p NFileDescriptorStore --value tiercel)" "$kept"
kill -TERM "$witness"
wait "$witness"
read -r events marked seconds </tmp/witnessed
marks() { sed -n 's/.*seq-[0-9]*-\([0-9]*\)$/\1/p' "$written"; }
all_written() { [ "$(marks | sort -u | wc -l)" -ge "$marked" ]; }
within 60 all_written
dropped=$(fetch /metrics | awk '/^falcosecurity_scap_n_drops_total/ { sum += $2 } END { print sum + 0 }')
missing=$((marked - $(marks | sort -u | wc -l)))
middle() { sort -n | awk '{ line[NR] = $1 } END { print line[int((NR + 1) / 2)] }'; }
early=$(head -n 5 /tmp/memory | middle) late=$(tail -n 5 /tmp/memory | middle)
echo "  $events events in $seconds s, $marked of them marked; $kills kills, $version reloads, 1 upgrade; ms from kill to the" \
    "next alert: median $(middle </tmp/gaps), worst $(sort -n /tmp/gaps | tail -n 1); analyzers' own memory first $early KiB," \
    "last $late KiB"
# A machine that is busy with other work may give the analyzer no time until the rings are full, which the probe counts.
echo "  $missing marked events missing, $dropped events dropped by the probe"
check "none of the witness's events is lost, but those that the probe counts as dropped" [ "$missing" -le "$dropped" ]
check "none came twice" is "$(marks | sort | uniq -d | head)" ""
check "memory stays flat" [ "$late" -le $((early * 12 / 10 + 1024)) ]
check "the analyzer runs" within 60 analyzer_is active
rm "$local_rules"
check "the administrator's change of the configuration is kept" grep -qx '# mine' /etc/tiercel/analyzer.yaml
check "although the package's has changed too" grep -qx '# of the new version' /etc/tiercel/analyzer.yaml.dpkg-dist
check "rules that were left alone are the new ones" grep -qx '# of the new version' /etc/tiercel/rules.d/00-tiercel.yaml
check "the administrator's own rules are as they were" is "$(cat /etc/tiercel/rules.d/10-mine.yaml)" '[]'

# ---- removal ----
check "the package can be removed and installed again" eval 'dpkg --remove tiercel && dpkg --install new/tiercel_*.deb'
check "with every unit as it was, and none masked" is \
    "$(systemctl is-enabled tiercel.service tiercel-privd.socket tiercel-enricher.socket tiercel-module.service | xargs)" \
    "enabled enabled disabled disabled"
check "and the analyzer runs" within 60 analyzer_is active
check "the packages can be removed" dpkg --remove tiercel tiercel-rules
check "the analyzer has ended" is "$(pgrep -cx analyzer)" 0
check "the configuration stays" grep -qx '# mine' /etc/tiercel/analyzer.yaml
check "and the administrator's own rules" rm /etc/tiercel/rules.d/10-mine.yaml
check "the packages can be purged" dpkg --purge tiercel tiercel-rules
rm /tmp/analyzer.yaml # of this test
left=$(find / -xdev \( -path /payload -o -path /proc -o -path /var/lib/dpkg -o -path /var/log -o -path /sys \) -prune -o \
    \( -iname '*tiercel*' -o -name 'privd.s*' -o -name 'analyzer*' -o -name 'enricher*' \) -not -name 'tiercel-test.service' -print 2>/dev/null)
check "and leave nothing" is "$left" ""
check "nor a log" [ ! -e /var/log/tiercel ]
check "nor an account" is "$(getent passwd tiercel tiercel-privd tiercel-enricher)" ""
check "nor a unit in memory" is "$(systemctl list-units --all --no-legend 'tiercel.service' 'tiercel-[empr]*' 'analyzer*' 'privd*' | xargs)" ""

finish

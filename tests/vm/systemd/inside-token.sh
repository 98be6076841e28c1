#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# inside-token.sh: runs in the machine that test-token.sh boots, as root, with systemd. Installs the tree beside it, with the
# drop-in for a BPF token, and looks at what privd holds and what the analyzer sees. Prints `ok:` or `FAILED:` for each thing
# looked at.
#
# Beside it: check.sh, and tree/, which belongs at the root.
set -u
cd /payload || exit 1
# shellcheck source=tests/lib/check.sh
. ./check.sh
export LC_ALL=C.UTF-8

main_pid() { systemctl show -p MainPID --value "$1"; }
result() { systemctl show -p Result --value "$1"; }
analyzer_runs() { [ "$(systemctl show -p ActiveState --value tiercel)" = active ]; }
journal() { journalctl --no-pager -q -o cat -u tiercel -u tiercel-privd; }
explain() { journal | tail -n 20; }
journal_has() { journal | grep -qF -- "$1"; }

cp -a tree/. /
systemd-sysusers /usr/lib/sysusers.d/tiercel.conf 2>/dev/null
systemd-tmpfiles --create /usr/lib/tmpfiles.d/tiercel.conf
systemctl daemon-reload
echo "  $(systemctl --version | head -n 1), kernel $(uname -r)"
drop_in=/etc/systemd/system/tiercel-privd.service.d/bpf-token.conf
# A process of another user that runs before the probe is loaded. It reads the file when it is told to.
cp /usr/bin/perl /tmp/early
chmod 700 /tmp/early
setsid /tmp/early -e 'sleep 1 until -e "/tmp/now"; open FILE, "/etc/shadow"; sleep 1000' </dev/null >/dev/null 2>&1 &

# ---- the service ----
systemctl start tiercel-privd.socket
systemctl start tiercel
check "the analyzer runs" within 60 analyzer_runs || { explain; finish; }
check "privd loaded the probe and left" is "$(result tiercel-privd) $(main_pid tiercel-privd)" "success 0" || explain
journal | grep -E 'confined|threads' | sed 's/^/  /'
cat /etc/shadow >/dev/null
check "an alert comes" within 30 journal_has "file=/etc/shadow" || explain
touch /tmp/now
check "one of a process that ran before, with its name" within 30 journal_has process=early || explain

# ---- what privd holds while it waits for its peer ----
analyzer=$(main_pid tiercel)
perl -MSocket -e 'my $s; socket($s, AF_UNIX, SOCK_SEQPACKET, 0) && connect($s, pack_sockaddr_un("/run/tiercel/privd.sock")) or die; sleep 30' &
peer=$!
privd_waits() {
    pid=$(main_pid tiercel-privd)
    [ "$pid" != 0 ] && [ "$(readlink "/proc/$pid/exe")" = /usr/libexec/tiercel/privd ] &&
        [ "$(status_field "$pid" Seccomp_filters)" -ge 2 ] && kill -STOP "$pid"
}
check "privd waits for a request" within 30 privd_waits || explain
check "it is a user's: tiercel-privd" is "$(status_field "$pid" Uid)" "$(id -u tiercel-privd)"
check "it holds CAP_BPF and CAP_PERFMON" is "$(status_field "$pid" CapEff)" 000000c000000000
check "in a user namespace that is not the host's" [ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/1/ns/user)" ]
check "whose ids are the host's" is "$(awk '{ print $1, $2 }' "/proc/$pid/uid_map")" "0 0"
# Whoever has the uid of its owner would hold all capabilities in it (user_namespaces(7)). The number is NS_GET_OWNER_UID.
check "and whose owner is root" is \
    "$(perl -e 'open my $n, "<", $ARGV[0]; my $uid = pack "L", 0; ioctl $n, 0xb704, $uid; print unpack "L", $uid' "/proc/$pid/ns/user")" 0
check "the analyzer holds nothing" is "$(status_field "$analyzer" CapPrm)" 0000000000000000
kill -CONT "$pid"
kill "$peer"
wait "$peer" 2>/dev/null

# ---- what is said there ----
properties=()
while read -r property; do
    properties+=(-p "$property")
done < <(grep '^[A-Z]' "$drop_in")
# as_privd PROPERTY... COMMAND...: runs it as privd's user in such a namespace, with privd's capabilities.
as_privd() { systemd-run --quiet --pipe --wait -p User=tiercel-privd "${properties[@]}" "$@" </dev/null 2>&1; }
prove() { as_privd /usr/libexec/tiercel/privd --prove-caps >/tmp/proof; }
check "the plan and the kernel agree" prove
sed 's/^/  /' /tmp/proof
check "and the proof says how it was made" has /tmp/proof "by a BPF token"
explained() {
    as_privd -p Environment=LD_LIBRARY_PATH=/usr/lib/build-host \
        /usr/bin/analyzer --explain-caps --driver modern_bpf >/tmp/explained
}
check "analyzer --explain-caps finds that the driver works there" explained || cat /tmp/explained
check "and says by what" has /tmp/explained "by a BPF token, none on the host"

# ---- what the two capabilities are worth without the delegation ----
systemctl stop tiercel
sed -i '/^BPFDelegate/d' "$drop_in"
systemctl daemon-reload
journalctl --rotate --vacuum-time=1s >/dev/null 2>&1
systemctl start --no-block tiercel
check "without the delegation they load nothing" within 30 journal_has "Operation not permitted" || explain
check "so the service does not run" eval '! analyzer_runs'
finish

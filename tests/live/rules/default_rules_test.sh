#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# default_rules_test.sh: each rule that we ship, provoked, and a near miss of it.
#
# Usage: default_rules_test.sh PRIVD ANALYZER PROVOKE RULES
# shellcheck source=tests/live/rules/harness.sh
. "$(dirname "$0")/harness.sh"
watch_with "${4:?rules}"
mkdir -p "$work"/{.ssh,.aws,security}
touch "$work"/.ssh/{id_test,id_test.pub,authorized_keys} "$work"/.aws/{credentials,config} \
      "$work"/.bash_history "$work"/.bashrc

alerts 'Password file read by an unexpected program' fd.name=/etc/shadow proc.name=cat -- cat /etc/shadow
silent 'Password file read by an unexpected program' -- cat /etc/passwd
ln -s / "$work/way"
alerts 'Sensitive file opened by another name' fd.realpath=/etc/shadow "fd.nameraw=way/etc/shadow" -- cat way/etc/shadow
silent 'Sensitive file opened by another name' -- cat /etc/shadow
alerts 'Private SSH key read' "fd.name=$work/.ssh/id_test" -- cat .ssh/id_test
silent 'Private SSH key read' -- cat .ssh/id_test.pub
alerts 'Cloud credentials read' "fd.name=$work/.aws/credentials" -- cat .aws/credentials
silent 'Cloud credentials read' -- cat .aws/config
alerts 'Memory of another process opened' "fd.name=/proc/$$/mem" proc.name=cat -- cat "/proc/$$/mem"
silent 'Memory of another process opened' -- cat "/proc/$$/maps"

token=/var/run/secrets/kubernetes.io/serviceaccount/token
if [ -e /var/run/secrets ]; then
    cannot 'Service account token read by a shell or a download tool' "/var/run/secrets exists: this is a pod itself"
else
    mkdir -p "$(dirname "$token")"
    cleanups+=("rm -rf /var/run/secrets")
    touch "$token"
    alerts 'Service account token read by a shell or a download tool' "fd.name=$(readlink -f "$token")" \
        -- "${contained[@]}" cat "$token"
    silent 'Service account token read by a shell or a download tool' -- cat "$token"
fi

alerts 'Account file written by an unexpected program' fd.name=/etc/passwd proc.name=sh -- sh -c ': >>/etc/passwd'
silent 'Account file written by an unexpected program' -- sh -c ': </etc/passwd'
alerts 'Keys of who may log in changed' "fd.name=$work/.ssh/authorized_keys" -- sh -c ': >>.ssh/authorized_keys'
silent 'Keys of who may log in changed' -- cat .ssh/authorized_keys
mkdir -p /etc/cron.d
cleanups+=("rm -f /etc/cron.d/tiercel-test")
alerts 'Scheduled job written' fd.name=/etc/cron.d/tiercel-test -- sh -c ': >>/etc/cron.d/tiercel-test'
silent 'Scheduled job written' -- cat /etc/cron.d/tiercel-test
mkdir -p /run/systemd/system
cleanups+=("rm -f /run/systemd/system/tiercel-test.service")
alerts 'Service unit written' fd.name=/run/systemd/system/tiercel-test.service \
    -- sh -c ': >>/run/systemd/system/tiercel-test.service'
silent 'Service unit written' -- cat /run/systemd/system/tiercel-test.service
alerts 'Preload list or login module changed' "fd.name=$work/security/pam_test.so" -- sh -c ': >>security/pam_test.so'
silent 'Preload list or login module changed' -- sh -c ': >>security/test.so'
mkdir -p /usr/local/sbin
cleanups+=("rm -f /usr/local/sbin/tiercel-test")
alerts 'System program overwritten' fd.name=/usr/local/sbin/tiercel-test -- sh -c ': >>/usr/local/sbin/tiercel-test'
silent 'System program overwritten' -- cat /usr/local/sbin/tiercel-test

touch "$work/set-id"
alerts 'Set-user-ID bit set by an unexpected program' "fs.path.name=$work/set-id" -- chmod 4755 set-id
silent 'Set-user-ID bit set by an unexpected program' -- chmod 755 set-id
if "$provoke" change-mode 644 "$work/set-id"; then
    alerts 'Set-user-ID bit set by an unexpected program' evt.type=fchmodat2 -- "$provoke" change-mode 4755 set-id
fi

alerts 'Program run from memory' -- "$provoke" run-from-memory anonymous succeed
silent 'Program run from memory' -- "$provoke" spawn "$provoke" succeed
alerts 'Script run from a descriptor' -- "$provoke" run-script-from-memory
silent 'Script run from a descriptor' -- bash -c 'bash <(echo :)'
loader=$(set -- /lib64/ld-linux* /lib/ld-linux* /lib/ld-musl-*; for f; do [ ! -x "$f" ] || { echo "$f"; break; }; done)
alerts 'Program started by the dynamic loader' -- "$loader" "$provoke" succeed
silent 'Program started by the dynamic loader' -- "$loader" --version
if "$provoke" make-uring; then
    alerts "Kernel's work queue used by an unexpected program" proc.name=provoke -- "$provoke" make-uring
    silent "Kernel's work queue used by an unexpected program" -- "$(named nginx)" make-uring
    alerts 'Password file read by an unexpected program' fd.name=/etc/shadow proc.name=provoke evt.is_uring=true \
        -- "$provoke" open-by-uring /etc/shadow
    silent 'Password file read by an unexpected program' -- "$provoke" open-by-uring /etc/passwd
else
    cannot "Kernel's work queue used by an unexpected program" "io_uring is refused here"
fi
alerts 'Program disguised as another' evt.arg.arg2_str=kworker/0:1 -- "$provoke" take-name kworker/0:1
alerts 'Program disguised as another' evt.arg.arg2_str=sshd -- "$provoke" take-name sshd
silent 'Program disguised as another' -- "$provoke" take-name worker-1
silent 'Program disguised as another' -- "$(named sshd)" take-name sshd
cleanups+=("rm -f /dev/shm/tiercel-test")
cp "$provoke" /dev/shm/tiercel-test
alerts 'Program run from a directory for temporary files' proc.exepath=/dev/shm/tiercel-test \
    -- /dev/shm/tiercel-test succeed
silent 'Program run from a directory for temporary files' -- "$provoke" succeed
hidden=$(mktemp -d /tmp/.tiercel-test-XXXXXX)
cleanups+=("rm -rf $hidden")
cp "$provoke" "$hidden/program"
alerts 'Hidden program run' "proc.exepath=$hidden/program" -- "$hidden/program" succeed
silent 'Hidden program run' -- "$provoke" succeed
alerts 'Shell started by a network server' proc.pname=nginx proc.name=sh -- "$(named nginx)" spawn sh -c :
silent 'Shell started by a network server' -- "$(named not-a-server)" spawn sh -c :
alerts 'Download piped into a shell' proc.name=sh -- sh -c ': curl http://127.0.0.1/x | sh'
silent 'Download piped into a shell' -- sh -c ': curl http://127.0.0.1/x | cat'
alerts 'Encoded script run' proc.name=sh -- sh -c ': base64 -d | sh'
silent 'Encoded script run' -- sh -c ': base64 -w 0 | sh'

if overlaid; then
    alerts 'New program run in a container' "proc.exepath=$merged/added-later" "container.id=${container:0:12}" \
        -- "${contained[@]}" sh -c "$merged/added-later succeed; :"
    silent 'New program run in a container' -- "${contained[@]}" sh -c "$merged/from-image succeed; :"
else
    cannot 'New program run in a container' "this machine mounts no overlay"
fi

alerts 'Mining program run' proc.name=xmrig -- "$(idle xmrig)"
silent 'Mining program run' -- "$(idle xmrig-not)"
alerts 'Standard stream put on a network connection' proc.name=bash -- "$(named bash)" redirect-to-network
silent 'Standard stream put on a network connection' -- "$(named bash)" redirect-to-file /etc/hostname
alerts 'Netcat told to run a program' proc.name=nc -- "$(idle nc)" -l -e /bin/sh
silent 'Netcat told to run a program' -- "$(idle nc)" -l 4000
alerts 'Cloud metadata asked for by hand' proc.name=curl \
    -- "${contained[@]}" "$(named curl)" connect-in-own-network 169.254.169.254 80
silent 'Cloud metadata asked for by hand' \
    -- "${contained[@]}" "$(named curl)" connect-in-own-network 169.254.169.253 80
alerts 'Raw packets sent from a container' "container.id=${container:0:12}" -- "${contained[@]}" "$provoke" packet-socket
silent 'Raw packets sent from a container' -- "${contained[@]}" "$provoke" ordinary-socket

alerts 'Kernel module loaded from a container' proc.name=provoke -- "${contained[@]}" "$provoke" load-module
silent 'Kernel module loaded from a container' -- "$provoke" load-module
cannot 'Kernel module loaded by an unexpected program' "it needs a module that loads"
alerts 'Namespaces of another process entered from a container' proc.name=provoke \
    -- "${contained[@]}" "$provoke" enter-namespace
silent 'Namespaces of another process entered from a container' -- "$provoke" enter-namespace
alerts 'File system mounted from a container' evt.type=move_mount \
    -- "${contained[@]}" "$provoke" mount-by-descriptors "$work/security"
silent 'File system mounted from a container' -- "$provoke" mount-by-descriptors "$work/security"
alerts 'Way out of a container written' fd.name=/proc/sys/kernel/core_pattern \
    -- "${contained[@]}" sh -c ': >>/proc/sys/kernel/core_pattern'
silent 'Way out of a container written' -- "${contained[@]}" cat /proc/sys/kernel/core_pattern
alerts "Container runtime's socket used from a container" \
    -- "${contained[@]}" "$provoke" connect-to-unix-socket "$work/docker.sock"
silent "Container runtime's socket used from a container" \
    -- "${contained[@]}" "$provoke" connect-to-unix-socket "$work/other.sock"
alerts 'Another process traced' proc.name=provoke -- "$provoke" attach
silent 'Another process traced' -- "$provoke" ask-to-be-traced

logs=$(mktemp -d /var/log/tiercel-test-XXXXXX)
cleanups+=("rm -rf $logs")
alerts 'Log emptied' "fd.name=$logs/access_log" -- sh -c ": >$logs/access_log"
silent 'Log emptied' -- sh -c ": >>$logs/access_log"
alerts 'Shell history removed' proc.name=rm -- rm .bash_history
silent 'Shell history removed' -- rm .bashrc
alerts 'Disk wiped' proc.name=shred -- "$(idle shred)" file
silent 'Disk wiped' -- "$(idle shredder)" file
rules_need_rows "$4"
judge

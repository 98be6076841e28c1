#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# stock_rules_test.sh: the rules that Falco's users have, unchanged, each provoked as far as one machine can.
#
# Usage: stock_rules_test.sh PRIVD ANALYZER PROVOKE RULES
# Exit codes: 0 passed, 1 failed, 77 not permitted here, or the rules are not there.
# shellcheck source=tests/live/rules/harness.sh
. "$(dirname "$0")/harness.sh"
[ -r "${4:?rules}" ] || skip "$4 is not there"
watch_with "$4"
launcher=$(named launcher)
mkdir -p "$work/.aws" "$work/.ssh"
touch "$work/.ssh/id_rsa" "$work/.aws/credentials"

alerts 'Directory traversal monitored file read' fd.name=/etc/hostname \
    -- "$launcher" spawn cat /usr/../etc/../etc/hostname
silent 'Directory traversal monitored file read' -- "$launcher" spawn cat /etc/hostname
server=$(named nginx)
alerts 'Read sensitive file trusted after startup' fd.name=/etc/shadow proc.name=nginx -- "$server" open-later 6 /etc/shadow
silent 'Read sensitive file trusted after startup' -- "$server" open-later 0 /etc/shadow
alerts 'Read sensitive file untrusted' fd.name=/etc/shadow proc.name=cat -- cat /etc/shadow
silent 'Read sensitive file untrusted' -- cat /etc/passwd
if "$provoke" make-uring; then
    alerts 'Read sensitive file untrusted' fd.name=/etc/shadow evt.is_uring=true -- "$provoke" open-by-uring /etc/shadow
    silent 'Read sensitive file untrusted' -- "$provoke" open-by-uring /etc/passwd
fi
alerts 'Run shell untrusted' proc.pname=nginx proc.name=sh -- "$server" spawn sh -c :
silent 'Run shell untrusted' -- "$launcher" spawn sh -c :
chmod 755 "$work/bin"
alerts 'System user interactive' user.name=daemon proc.name=login \
    -- setpriv --reuid daemon --clear-groups "$(named login)" succeed
silent 'System user interactive' -- "$(named login)" succeed
alerts 'Terminal shell in container' user.name=root \
    -- "${contained[@]}" "$(named runc)" spawn-on-terminal sh -c :
silent 'Terminal shell in container' -- "${contained[@]}" "$(named runc)" spawn sh -c :
cannot 'Contact K8S API Server From Container' "it needs a cluster's name service"
alerts 'Netcat Remote Code Execution in Container' proc.name=nc -- "${contained[@]}" "$(idle nc)" -l -e /bin/sh
silent 'Netcat Remote Code Execution in Container' -- "${contained[@]}" "$(idle nc)" -l 4000
alerts 'Search Private Keys or Passwords' proc.name=find -- find "$work/.ssh" -name id_rsa
silent 'Search Private Keys or Passwords' -- find "$work/.ssh" -name known_hosts
logs=$(mktemp -d /var/log/tiercel-test-XXXXXX)
cleanups+=("rm -rf $logs")
alerts 'Clear Log Activities' "fd.name=$logs/access_log" -- sh -c ": >$logs/access_log"
silent 'Clear Log Activities' -- sh -c ": >>$logs/access_log"
alerts 'Remove Bulk Data from Disk' proc.name=shred -- "$(idle shred)" file
silent 'Remove Bulk Data from Disk' -- "$(idle shredder)" file
alerts 'Create Symlink Over Sensitive Files' evt.arg.target=/etc/shadow -- ln -s /etc/shadow "$work/link"
silent 'Create Symlink Over Sensitive Files' -- ln -s /etc/hostname "$work/other-link"
alerts 'Create Hardlink Over Sensitive Files' evt.arg.oldpath=/etc/shadow \
    -- "$provoke" hard-link /etc/shadow "$work/hard"
silent 'Create Hardlink Over Sensitive Files' -- "$provoke" hard-link /etc/hostname "$work/hard"
alerts 'Packet socket created in container' proc.name=provoke -- "${contained[@]}" "$provoke" packet-socket
silent 'Packet socket created in container' -- "$provoke" packet-socket
alerts 'Redirect STDOUT/STDIN to Network Connection in Container' fd.sip=127.0.0.1 \
    -- "${contained[@]}" "$provoke" redirect-to-network
silent 'Redirect STDOUT/STDIN to Network Connection in Container' -- "$provoke" redirect-to-network
if capsh --has-p=cap_sys_module 2>/dev/null; then
    alerts 'Linux Kernel Module Injection Detected' proc.name=provoke -- "${contained[@]}" "$provoke" load-module
    silent 'Linux Kernel Module Injection Detected' -- "$provoke" load-module
else
    cannot 'Linux Kernel Module Injection Detected' "root has no CAP_SYS_MODULE here"
fi
cannot 'Debugfs Launched in Privileged Container' "it needs a container runtime that says what is privileged"
alerts 'Detect release_agent File Container Escapes' "fd.name=$work/release_agent" \
    -- "${contained[@]}" sh -c ': >>release_agent'
silent 'Detect release_agent File Container Escapes' -- sh -c ': >>release_agent'
alerts 'PTRACE attached to process' proc.name=provoke -- "$provoke" attach
silent 'PTRACE attached to process' -- "$provoke" ask-to-be-traced
alerts 'PTRACE anti-debug attempt' proc.name=provoke -- "$provoke" ask-to-be-traced
silent 'PTRACE anti-debug attempt' -- "$provoke" attach
alerts 'Find AWS Credentials' proc.name=find -- find "$work" -path "$work/.aws/credentials"
silent 'Find AWS Credentials' -- find "$work" -path "$work/.aws/config"
cleanups+=("rm -f /dev/shm/tiercel-test")
cp "$provoke" /dev/shm/tiercel-test
alerts 'Execution from /dev/shm' -- /dev/shm/tiercel-test succeed
silent 'Execution from /dev/shm' -- "$provoke" succeed

if overlaid; then
    alerts 'Drop and execute new binary in container' "proc.exe=$merged/added-later" \
        -- "${contained[@]}" "$merged/added-later" succeed
    silent 'Drop and execute new binary in container' -- "${contained[@]}" "$merged/from-image" succeed
else
    cannot 'Drop and execute new binary in container' "this machine mounts no overlay"
fi
alerts 'Disallowed SSH Connection Non Standard Port' fd.rport=8080 \
    -- "$(named ssh)" connect-in-own-network 192.0.2.1 8080
silent 'Disallowed SSH Connection Non Standard Port' -- "$(named ssh)" connect-in-own-network 192.0.2.1 22
alerts 'Fileless execution via memfd_create' -- "$provoke" run-from-memory anonymous succeed
silent 'Fileless execution via memfd_create' -- "$provoke" spawn "$provoke" succeed
rules_need_rows "$4"
judge

#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# init.sh: process 1 of a test machine. Runs /machine/command and passes its output and exit code to the host over
# the serial ports: ttyS0 is the console, ttyS1 standard output, ttyS2 standard error, ttyS3 the exit code.
# The command gets pipes, never a terminal. The host takes a boot without an exit code for a crash.
export PATH=/machine/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
/bin/busybox --install -s /bin

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /tmp
chmod 1777 /tmp /dev/shm
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t securityfs securityfs /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -s /proc/self/fd /dev/fd
hostname tiercel-vm
ip link set lo up
# The kernel brings Debian's settings, such as kernel.perf_event_paranoid; none is changed here.

for port in 1 2 3; do
    stty -F /dev/ttyS$port raw -echo 115200
done

mkfifo /run/out /run/err
cat /run/out >/dev/ttyS1 &
out=$!
cat /run/err >/dev/ttyS2 &
err=$!

# shellcheck disable=SC1091 # it is made with the machine
. /machine/environment
cd /
# In the foreground, because a shell makes background commands ignore SIGINT and SIGQUIT.
/bin/busybox sh /machine/command </dev/null >/run/out 2>/run/err
code=$?

# Processes that the command left running hold the pipes open. Only the two copiers of the output may finish.
for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    case $pid in 1 | "$out" | "$err") ;; *) kill -9 "$pid" 2>/dev/null ;; esac
done
wait $out $err
echo "exit $code" >/dev/ttyS3
sync
# QEMU ends when the machine reboots (-no-reboot). Powering off would need ACPI, which a small kernel may lack.
reboot -f

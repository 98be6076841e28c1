#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# init.sh: process 1 until the disk is mounted; then the disk's systemd takes over. It copies /payload to the disk, with a unit
# that runs /payload/inside last, passes output and exit code on over the second serial port, and powers the machine off.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do
    insmod "$module" || echo "init: cannot load $module"
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ ! -b /dev/vda ] || break
    sleep 1
done
mount -t ext4 /dev/vda /root || { echo "init: no disk"; poweroff -f; }
cp -r /payload /root/
cat >/root/etc/systemd/system/tiercel-test.service <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=file:/dev/ttyS1
StandardError=inherit
ExecStart=/bin/sh -c '/payload/inside; echo "exit $?"; sync'
ExecStopPost=/bin/systemctl poweroff --force --force
END
mkdir -p /root/etc/systemd/system/default.target.wants
ln -s ../tiercel-test.service /root/etc/systemd/system/default.target.wants/tiercel-test.service
umount /proc
exec switch_root /root /lib/systemd/systemd

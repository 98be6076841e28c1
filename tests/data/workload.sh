#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# workload web|ipv6: runs in a test machine. Records what the workload of that name does, and prints the packed capture.
cd /tmp || exit
mkdir www
mkdir -m 777 made # the analyzer is another user
echo hello >www/index.html

# For some seconds, a program called curl connects to port 80, and other programs read files and fetch a page.
web() {
    cp /machine/bin/provoke curl
    for _ in 1 2 3 4 5; do
        ./curl connect-in-own-network 192.0.2.1 80
        wget -q -O page http://127.0.0.1:8080/
        cat /etc/passwd page
        sleep 1
    done
}

# One program fetches a page over IPv6.
ipv6() {
    wget -q -O page 'http://[::1]:8080/'
}

httpd -p 8080 -h www
privd --exec -- analyzer --record made/capture.scap.gz 2>errors &
pair=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    ! grep -q '^Seccomp:[[:space:]]2' /proc/$pair/status || break
    sleep 1
done
sleep 1
"$1" >/dev/null 2>&1
sleep 1
kill -INT $pair
wait $pair || { cat errors >&2; exit 1; }
cat made/capture.scap.gz

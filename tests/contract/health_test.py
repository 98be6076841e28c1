#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""health_test.py: checks that /healthz fails if events stop while the machine runs on. This test plays the driver.

Usage: health_test.py ANALYZER
"""
import mmap
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code

MAGIC = 0x4C435254
MESSAGES = pathlib.Path(__file__).resolve().parents[2] / "shared/wire/messages.h"
VERSION = int(re.search(r"kVersion = (\d+);", MESSAGES.read_text())[1])
REQUEST, REPLY, FDS, DONE = 1, 3, 4, 5
RING, COUNTERS, WAKEUP = 0, 1, 5
MODERN, USERSPACE = 1, 4


def header(kind):
    return struct.pack("=IHH", MAGIC, VERSION, kind)


def memory(size):
    fd = os.memfd_create("health")
    os.ftruncate(fd, size)
    return fd


class Driver:
    """Passes one ring that stays empty, and counters that say how many events there were."""

    def __init__(self, analyzer, kind):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.wakeup = listener.getsockname()[1], os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.child = os.fork()
        if self.child == 0:
            privd = os.dup(theirs.fileno()) # above 3, and inherited
            os.set_inheritable(privd, True)
            os.dup2(listener.fileno(), 3)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", TIERCEL_PRIVD_FD=str(privd))
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
            os.execv(analyzer, [analyzer, "--events"])
        theirs.close()
        listener.close()
        request = ours.recv(4096)
        ring_bytes = struct.unpack_from("=I", request, 16)[0]
        page = mmap.PAGESIZE
        counters = memory(page)
        self.counters = mmap.mmap(counters, page)
        given = [1, 1, 0, 0, 0, 1]
        ours.send(header(REPLY) + struct.pack("=IiQIIIII6IIQQQ64x", 0, 0, 0, kind, 1, 1, ring_bytes, 1, *given, 0, 0, 0, 0))
        for what, fd in (RING, memory(2 * page + 2 * ring_bytes)), (COUNTERS, counters), (WAKEUP, self.wakeup[0]):
            socket.send_fds(ours, [header(FDS) + struct.pack("=III", what, 0, 1)], [fd])
        ours.send(header(DONE))
        self.socket = ours

    def count_events(self, events):
        self.counters[0:8] = struct.pack("=Q", events)

    def health(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def end(self):
        os.close(self.wakeup[1])
        return os.waitpid(self.child, 0)[1]


def make_processes():
    for _ in range(30):
        subprocess.run(["/bin/true"], check=True)


analyzer = sys.argv[1]
driver = Driver(analyzer, MODERN)
driver.count_events(100)
check("well at first", driver.health() == (200, "ok\n"), driver.health())
driver.count_events(200)
make_processes()
check("well while events come", driver.health() == (200, "ok\n"), driver.health())
make_processes()
status, text = driver.health()
check("not when processes are made and no event comes", status == 503 and "no event has come" in text, (status, text))
driver.count_events(201)
check("well again with the next event", driver.health() == (200, "ok\n"), driver.health())
check("it ends with its driver", driver.end() == 0)

driver = Driver(analyzer, USERSPACE)
first = driver.health()
make_processes()
check("a driver that sees one program alone is not judged by the machine", driver.health()[0] == 200 == first[0],
      (first, driver.health()))
driver.end()
sys.exit(exit_code())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""health_test.py: checks that /healthz fails if events stop while the machine runs on, and that /readyz fails without rules and
when alerts do not arrive. This test plays the driver and the courier.

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
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, within

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

    def __init__(self, analyzer, kind, arguments=("--events",), output="/dev/null"):
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
            os.dup2(os.open(output, os.O_WRONLY), 1)
            os.execv(analyzer, [analyzer, *arguments])
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

    def health(self, path="/healthz"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def end(self):
        os.close(self.wakeup[1])
        return os.waitpid(self.child, 0)[1]


class PlayedCourier:
    """Accepts the analyzer's connection, and tells the state of one destination."""
    ANALYZER = 65534

    def __init__(self, path):
        self.path, self.connection = path, None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chown(path, self.ANALYZER, self.ANALYZER)
        self.listener.listen()
        self.listener.settimeout(10)

    def tell(self, dropped, waiting, connected):
        if self.connection is None:
            self.connection = self.listener.accept()[0]
        self.connection.send(struct.pack("=IHH32s6QII", 96, 4, 0, b"siem", 5, 0, 1, dropped, waiting, 9, connected, 1))

    def end(self):
        self.connection.close()
        self.listener.close()
        os.unlink(self.path)


def becomes(driver, status, *parts):
    """Whether /readyz answers so within some seconds, and what it answered last."""
    answer = None, ""

    def is_so():
        nonlocal answer
        answer = driver.health("/readyz")
        return answer[0] == status and all(part in answer[1] for part in parts)

    return within(10, is_so), answer


def check_readiness(analyzer):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        rules = pathlib.Path(folder, "rules.yaml")
        rules.write_text("- {rule: R, desc: x, condition: evt.type=openat, output: o, priority: ERROR}\n")
        path = f"{folder}/courier.sock"
        driver = Driver(analyzer, USERSPACE, ("-r", str(rules), "-o", "courier_output.enabled=true", "-o",
                                              f"courier_output.socket={path}"))
        check("not ready while the courier is absent", *becomes(
            driver, 503, f"not ready: output courier {path} takes no alerts: No such file or directory"))
        check("which does not make it unhealthy", driver.health()[0] == 200, driver.health())
        courier = PlayedCourier(path)
        courier.tell(0, 0, 1)
        check("ready with rules and a courier", *becomes(driver, 200, "ready\nrules: 1\n", "destination siem: connected, 5 sent"))
        courier.tell(0, 4000, 0)
        check("ready while alerts wait in the spool",
              *becomes(driver, 200, "ready\n", "destination siem: not connected, 5 sent, 4000 bytes wait in the spool"))
        courier.tell(3, 4000, 0)
        check("not ready when alerts leave it unsent", *becomes(driver, 503, "not ready: destination siem: alerts leave the spool"))
        courier.end()
        check("not ready without the courier again", *becomes(driver, 503, "takes no alerts", "rules: 1"))
        driver.end()


def check_top(analyzer):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path, page = f"{folder}/courier.sock", pathlib.Path(folder, "page")
        page.touch()
        page.chmod(0o666) # the analyzer is no longer root
        courier = PlayedCourier(path)
        driver = Driver(analyzer, USERSPACE, ("--top", "-o", f"courier_output.socket={path}"), page)
        courier.tell(0, 4000, 0)
        check("--top has a line for each destination", within(10, lambda: re.search(
            "^[^ ]+ destination siem: not connected, 5 sent, 4000 bytes wait", page.read_text(), re.MULTILINE)), page.read_text())
        courier.end()
        check("and says that the courier has gone", within(
            10, lambda: "destination the courier does not answer: " in page.read_text()), page.read_text()[-300:])
        driver.end()


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

driver = Driver(analyzer, USERSPACE)
check("not ready without rules", *becomes(driver, 503, "not ready: no rules are loaded"))
driver.end()
check_readiness(analyzer)
check_top(analyzer)
sys.exit(exit_code())

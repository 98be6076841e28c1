#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""listener_test.py: clients that are slow, silent, greedy or malformed do not keep a scrape of /metrics from its answer.

Usage: listener_test.py EXAMPLE-DRIVER ANALYZER
"""
import errno
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, within

driver, analyzer = map(os.path.abspath, sys.argv[1:])
CLIENTS = 100      # of each kind at once; the listener has 32 places
SECONDS = 5        # how long each kind attacks
PATIENCE = 10      # seconds in which an answer has to come, as Prometheus waits by default
MOST_GROWTH = 8    # MiB that an attack may add to the analyzer's memory
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


class Sensor:
    """An analyzer that listens at a Unix socket and gets events from the example driver."""

    def __init__(self, folder):
        self.path = f"{folder}/metrics"
        command = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(4096)
            self.running = subprocess.Popen(
                [driver, "2000000000", "/bin/sh", "-c", command, "sh", analyzer, "--events", "--filter", "evt.num=0"],
                preexec_fn=lambda: os.dup2(listener.fileno(), 3), pass_fds=[3], stdout=subprocess.DEVNULL,
                start_new_session=True)

    def connect(self):
        """Connects, and waits for a place in the kernel's queue as a client by TCP does."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        within(PATIENCE, lambda: client.connect_ex(self.path) != errno.EAGAIN)
        return client

    def scrape(self, request=REQUEST):
        """The answer to a request, or what went wrong."""
        try:
            with self.connect() as client:
                client.sendall(request)
                with client.makefile("rb") as reader:
                    return reader.read()
        except OSError as error:
            return repr(error).encode()

    def memory(self):
        """The MiB that the analyzer has in memory. It is the one process of the group with that name."""
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(entry.name)) == self.running.pid and (entry / "comm").read_text().startswith("analyzer"):
                    return int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
            except OSError:
                pass # it has ended
        return 0

    def end(self):
        os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()


def until_closed(client):
    while client.recv(65536):
        pass


def silent(client):
    until_closed(client)


def unfinished(client):
    client.sendall(b"GET /")
    until_closed(client)


def slow(client):
    for byte in REQUEST * 100:
        client.sendall(bytes([byte]))
        time.sleep(.05)


def never_reads(client):
    client.sendall(REQUEST * 50)
    time.sleep(SECONDS)


def endless(client):
    while True:
        client.sendall(b"GET /" + b"x" * 4000)


def hasty(client):
    client.sendall(b"\0\xff\r\n\r\n")


def attack(sensor, behaviour, stop):
    while time.monotonic() < stop:
        try:
            with sensor.connect() as client:
                behaviour(client)
        except OSError:
            pass # it was thrown out
        time.sleep(.01)


def check_attack(sensor, behaviour):
    before, stop = sensor.memory(), time.monotonic() + SECONDS
    attackers = [threading.Thread(target=attack, args=(sensor, behaviour, stop), daemon=True) for _ in range(CLIENTS)]
    for attacker in attackers:
        attacker.start()
    answers = []
    while time.monotonic() < stop:
        answers.append(sensor.scrape())
        time.sleep(.1)
    failed = [answer[:80] for answer in answers if not answer.startswith(b"HTTP/1.0 200 ")]
    name = f"{CLIENTS} clients, {behaviour.__name__.replace('_', ' ')}"
    check(f"{name}: each of {len(answers)} scrapes is answered", answers and not failed, (len(failed), failed[:3]))
    for attacker in attackers:
        attacker.join()
    grown = sensor.memory() - before
    check(f"{name}: memory does not grow by more than {MOST_GROWTH} MiB", before > 0 and grown <= MOST_GROWTH, (before, grown))


with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    sensor = Sensor(folder)
    try:
        check("it answers", within(20, lambda: sensor.scrape().startswith(b"HTTP/1.0 200 ")), sensor.scrape()[:200])
        head = sensor.scrape(REQUEST.replace(b"GET", b"HEAD"))
        check("HEAD is answered without a body", head.startswith(b"HTTP/1.0 200 ") and head.endswith(b"\r\n\r\n"), head[-200:])
        for behaviour in silent, unfinished, slow, never_reads, endless, hasty:
            check_attack(sensor, behaviour)
        check("it still runs", sensor.running.poll() is None)
    finally:
        sensor.end()
sys.exit(exit_code())

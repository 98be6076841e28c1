#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fleet: many couriers against one JetStream. Each courier is a process with a spool, a host's name and settings of its own; 20
of them share a network namespace, and a bridge joins the namespaces with that of nats-server. This program plays the analyzers.
The spools are in memory (/dev/shm), because each host of a fleet has a disk of its own; the server's stream is on disk.

Measured: the memory of couriers and server; a steady rate; an outage of the server, during which every host raises an hour's
alerts, and how long the fleet takes to deliver them after its return, over three rounds. At the end the whole stream is read: each
alert must be in it once, in the order of its host.

Usage: fleet.py COURIER [HOSTS] [ALERTS-OF-AN-HOUR]    default: 50 hosts, 120 alerts
Exit codes: 0 done, 1 alerts are lost, twice or out of order, 77 it cannot run here.
"""
import ctypes
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("lib", "courier")]
from check import check, exit_code, skip, within
from harness import ALERTS_STREAM, Client, Courier, Nats, alerts

program = sys.argv[1]
hosts = int(sys.argv[2]) if len(sys.argv) > 2 else 50
hourly = int(sys.argv[3]) if len(sys.argv) > 3 else 120
IN_A_NAMESPACE, ROUNDS, STEADY_SECONDS = 20, 3, 20
ADDRESS, PORT = "10.77.0.1", 4222
HUB = "tiercel-fleet"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def enter(namespace):
    """Moves this thread; processes that it starts are there, too."""
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


def make_network():
    ip("netns", "add", HUB)
    ip("-n", HUB, "link", "add", "bridge", "type", "bridge")
    ip("-n", HUB, "addr", "add", f"{ADDRESS}/16", "dev", "bridge")
    for link in ("bridge", "lo"):
        ip("-n", HUB, "link", "set", link, "up")
    leaves = [f"{HUB}-{n}" for n in range((hosts + IN_A_NAMESPACE - 1) // IN_A_NAMESPACE)]
    for n, leaf in enumerate(leaves):
        ip("netns", "add", leaf)
        ip("-n", HUB, "link", "add", f"leaf{n}", "type", "veth", "peer", "name", "up0", "netns", leaf)
        ip("-n", HUB, "link", "set", f"leaf{n}", "master", "bridge", "up")
        ip("-n", leaf, "addr", "add", f"10.77.{1 + n // 250}.{1 + n % 250}/16", "dev", "up0")
        ip("-n", leaf, "link", "set", "up0", "up")
    return leaves


def remove_network():
    for namespace in sorted(pathlib.Path("/run/netns").glob(f"{HUB}*"), reverse=True):
        subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True)


class Server:
    def __init__(self, folder):
        self.folder, self.process = folder, None

    def start(self):
        self.process = subprocess.Popen(["nats-server", "-js", "-sd", str(self.folder), "-a", ADDRESS, "-p", str(PORT)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        within(60, self.answers)

    def answers(self):
        try:
            return bool(Nats(PORT, ADDRESS))
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def messages(self):
        try:
            return Nats(PORT, ADDRESS).request("$JS.API.STREAM.INFO.ALERTS")["state"]["messages"]
        except (OSError, KeyError, ValueError):
            return 0

    def read_all(self):
        """The bodies of all messages of the stream, by a consumer that the server pushes to."""
        count = self.messages()
        reader = Nats(PORT, ADDRESS)
        reader.socket.settimeout(60)
        reader.socket.sendall(b"SUB pushed 2\r\n")
        consumer = {"stream_name": "ALERTS", "config": {"deliver_subject": "pushed", "ack_policy": "none", "deliver_policy": "all"}}
        body = json.dumps(consumer).encode()
        reader.socket.sendall(b"PUB $JS.API.CONSUMER.CREATE.ALERTS answers %d\r\n%s\r\n" % (len(body), body))
        return [reader.next() for _ in range(count)]


class Host:
    """A courier with a client that plays its analyzer."""

    def __init__(self, number):
        self.courier = Courier(program, [{"name": "bus", "type": "nats", "servers": f"nats://{ADDRESS}:{PORT}"}],
                               retry={"min": "1s", "max": "30s"}).start()
        self.number, self.sent, self.client = number, 0, None

    def connect(self):
        within(60, lambda: os.path.exists(self.courier.socket))
        self.client = Client(self.courier.socket, host=f"host-{self.number}")

    def raise_alerts(self, count):
        texts = alerts(range(self.sent, self.sent + count))
        self.client.send([text.replace('{"n"', f'{{"host": {self.number}, "n"') for text in texts])
        self.sent += count

    def is_empty(self):
        """Whether the courier has told that nothing waits in its spool, which it tells each second."""
        self.client.attempt(lambda: self.client.receive(0))
        state = self.client.states.get("bus", {})
        return state.get("connected") == 1 and state["spooled_bytes"] == 0

    def memory(self):
        """Resident and proportional memory in KiB."""
        rollup = pathlib.Path(f"/proc/{self.courier.process.pid}/smaps_rollup").read_text()
        return [int(re.search(rf"^{name}:\s+(\d+)", rollup, re.M)[1]) for name in ("Rss", "Pss")]


def measure_memory(fleet, server):
    resident, proportional = zip(*[host.memory() for host in fleet])
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    of_server = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    print(f"memory: a courier {statistics.median(resident) / 1024:.1f} MiB resident (median; at most {max(resident) / 1024:.1f}), all "
          f"together {sum(proportional) / 1024:.0f} MiB (proportional); nats-server "
          f"{of_server / 1024:.0f} MiB")


def steady(fleet, server):
    """One alert a second of each host."""
    before, begin = server.messages(), time.monotonic()
    for second in range(STEADY_SECONDS):
        for host in fleet:
            host.raise_alerts(1)
        time.sleep(max(0.0, begin + second + 1 - time.monotonic()))
    feeding = time.monotonic() - begin
    wanted = len(fleet) * STEADY_SECONDS
    within(60, lambda: server.messages() - before >= wanted)
    print(f"steady: {wanted / feeding:.0f} alerts/s raised for {feeding:.0f} s, all in the stream "
          f"{time.monotonic() - begin - feeding:.1f} s after the last")


def outage(fleet, server):
    """Returns the seconds from the server's return until the stream has all, and those from the first to the last alert."""
    before = server.messages()
    server.kill()
    begin = time.monotonic()
    for host in fleet:
        host.raise_alerts(hourly)
    settled = all([host.client.settle(120) for host in fleet])
    filling = time.monotonic() - begin
    server.start()
    back = time.monotonic()
    for host in fleet:
        host.client.states = {}
    within(300, lambda: server.messages() > before)
    first = time.monotonic()
    within(600, lambda: all([host.is_empty() for host in fleet]))
    end = time.monotonic()
    print(f"outage: {len(fleet) * hourly} alerts spooled in {filling:.1f} s ({len(fleet) * hourly / filling:.0f}/s, all confirmed: "
          f"{settled}), delivered {end - back:.1f} s after the server's return, {len(fleet) * hourly / (end - first):.0f}/s from the "
          "first on")
    return end - back, len(fleet) * hourly / (end - first)


def check_stream(fleet, server):
    numbers = {host.number: [] for host in fleet}
    own = 0
    for body in server.read_all():
        found = re.match(rb'\{"host": (\d+), "n": (\d+)', body)
        own += not found
        if found:
            numbers[int(found[1])].append(int(found[2]))
    wrong = [number for number, got in numbers.items() if got != list(range(fleet[number].sent))]
    check(f"the stream has all {sum(map(len, numbers.values()))} alerts once, in each host's order, and {own} of the couriers "
          "themselves", not wrong, [(n, len(numbers[n]), fleet[n].sent, numbers[n][:20]) for n in wrong[:3]])


def run(work):
    tempfile.tempdir = "/dev/shm" # for the couriers
    leaves = make_network()
    enter(HUB)
    server = Server(work / "stream")
    server.start()
    made = Nats(PORT, ADDRESS).request("$JS.API.STREAM.CREATE.ALERTS", ALERTS_STREAM)
    if "error" in made:
        skip(f"nats-server makes no stream: {made}")
    fleet = []
    try:
        for number in range(hosts):
            enter(leaves[number // IN_A_NAMESPACE])
            fleet.append(Host(number))
        enter(HUB)
        for host in fleet:
            host.connect()
            host.raise_alerts(1)
        check("every courier delivers", within(120, lambda: server.messages() >= hosts), server.messages())
        measure_memory(fleet, server)
        steady(fleet, server)
        rounds = [outage(fleet, server) for _ in range(ROUNDS)]
        print(f"median of {ROUNDS} outages: {statistics.median(r[0] for r in rounds):.1f} s, "
              f"{statistics.median(r[1] for r in rounds):.0f} alerts/s")
        measure_memory(fleet, server)
        check_stream(fleet, server)
    finally:
        for host in fleet:
            host.courier.process.send_signal(signal.SIGTERM)
        for host in fleet:
            host.courier.remove()
        server.kill()


if os.geteuid() != 0 or not shutil.which("nats-server") or not shutil.which("ip"):
    skip("this needs root, nats-server and ip (package iproute2)")
with open("/proc/self/autogroup", "w") as autogroup: # gives way to other work
    autogroup.write("19")
files = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
print(f"machine: {os.cpu_count()} CPUs, Linux {os.uname().release}, load average {os.getloadavg()[0]:.1f}; command: fleet.py "
      f"{program} {hosts} {hourly}; {IN_A_NAMESPACE} couriers a network namespace", flush=True)
remove_network()
scratch = pathlib.Path(tempfile.mkdtemp(prefix="fleet-"))
try:
    run(scratch)
finally:
    remove_network()
    shutil.rmtree(scratch, ignore_errors=True)
sys.exit(exit_code())

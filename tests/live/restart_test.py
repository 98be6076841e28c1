#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""restart_test.py: an analyzer that is killed again and again under load, with a service manager that keeps descriptors.

Usage: restart_test.py PRIVD ANALYZER [KEEPER command | KEEPER pod]

This program plays the manager: it takes what the analyzer stores (sd_notify's FDSTORE=1) and passes it to the next one by
name. With KEEPER that program keeps it: as the parent of the analyzer, as for `tiercel watch`, or in a container beside
`privd --stay`, while this program plays the container runtime, which starts the analyzer again. The witness (tests/lib/witness.pl) makes numbered events; a rule alerts on its marked ones into a file. At the end the
file must have every mark exactly once, and privd must have been asked once. Meanwhile the analyzer is killed, gets other
rules, and is replaced by another file of the same program. Then rules that need other events come into force again and again,
each time by one more load that begins before the earlier one ends.

TIERCEL_KILLS    how often the analyzer is killed; 100 if unset
TIERCEL_RELOADS  how often it gets other rules that need no other events; 20 if unset
TIERCEL_WIDER    how often the rules need other events; 5 if unset, at most 10
TIERCEL_RATE     events a second; 50000 if unset
TIERCEL_ONE_IN   of how many events one is marked; 50 if unset
"""
import array
import collections
import fcntl
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within

privd, analyzer, keeper, mode = (sys.argv[1:] + ["", "service"])[:4] if len(sys.argv) < 4 else sys.argv[1:]
kills, reloads, wider, rate, one_in = (int(os.environ.get(f"TIERCEL_{name}", default)) for name, default in
                                       (("KILLS", 100), ("RELOADS", 20), ("WIDER", 5), ("RATE", 50000), ("ONE_IN", 50)))
if mode == "command": # the only analyzer that may ask privd is the first
    wider = 0
ACCOUNT = 65534

if os.geteuid() != 0:
    skip("only root can load the probe")
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
folder = tempfile.mkdtemp(prefix="tiercel-restart-")
os.chmod(folder, 0o755)
alerts, errors = f"{folder}/alerts", f"{folder}/errors"
state = f"{folder}/state"
for made in alerts, errors:
    open(made, "w").close()
    os.chown(made, ACCOUNT, ACCOUNT)
for made in state, f"{state}/tiercel", f"{state}/tiercel/crash":
    os.mkdir(made)
    os.chown(made, ACCOUNT, ACCOUNT)
os.chown(folder, ACCOUNT, ACCOUNT)

# Calls of which rules need one more at a time; no other rule looks at them.
CALLS = ("getpriority", "sched_get_priority_max", "getrlimit", "times", "sysinfo", "getitimer", "sched_getaffinity", "getsid",
         "capget", "personality")


def write_rules(version, calls=()):
    """Every version alerts on the same events, and says by which version."""
    with open(f"{folder}/rules.yaml", "w") as rules:
        rules.write(f"""
- rule: Witness
  desc: A marked event of the witness.
  condition: evt.type = openat and evt.arg.name startswith {folder}/seq- and not evt.arg.name endswith none
  output: "version {version} %evt.arg.name"
  priority: notice
""")
        for call in calls:
            rules.write(f"""
- rule: Wider by {call}
  desc: A call that the rules before do not look at.
  condition: evt.type = {call} and proc.name = nobody-at-all
  output: "{call}"
  priority: notice
""")


write_rules(0)
open(f"{folder}/analyzer.yaml", "w").write(f"""
rules_files: [{folder}/rules.yaml]
stdout_output: {{enabled: false}}
file_output: {{enabled: true, filename: {alerts}}}
outputs_queue: {{capacity: 1000000}}
""")


STATE = f"{state}/tiercel:{state}/tiercel/crash"


def become_account():
    os.setgroups([])
    os.setresgid(ACCOUNT, ACCOUNT, ACCOUNT)
    os.setresuid(ACCOUNT, ACCOUNT, ACCOUNT)


def become_analyzer(program, **environment):
    os.environ.update(STATE_DIRECTORY=STATE, **environment)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_APPEND), 2)
    become_account()
    os.execv(program, [program, "-c", f"{folder}/analyzer.yaml", "--connect", f"{folder}/privd.sock"])


def start_as_account(command):
    return subprocess.Popen(command, preexec_fn=become_account, stderr=open(errors, "a"))


def soon(condition):
    """As within(), but looks every millisecond, because the time counts."""
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)


class Manager:
    """Starts the analyzer with what it has stored before, as systemd does."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = f"@tiercel-restart-{os.getpid()}"
        self.socket.bind("\0" + self.name[1:])
        self.stored = [] # (name, fd)
        self.polled = set()
        self.ready = threading.Event()
        self.program = analyzer
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            fds = array.array("i")
            text, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(253 * fds.itemsize))
            for _, _, data in control:
                fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
            lines = text.decode().split("\n")
            said = dict(line.split("=", 1) for line in lines)
            name = said.get("FDNAME", "stored")
            if "FDSTORE" in said:
                self.stored += [(name, fd) for fd in fds]
                if said.get("FDPOLL") != "0":
                    self.polled.add(name)
            elif "FDSTOREREMOVE" in said:
                for each in [each for each in self.stored if each[0] == name]:
                    os.close(each[1])
                    self.stored.remove(each)
            else:
                for fd in fds:
                    os.close(fd)
            if "READY" in said:
                self.ready.set()

    def start(self):
        self.ready.clear()
        random.shuffle(self.stored) # systemd promises no order
        given = list(self.stored)
        child = os.fork()
        if child == 0:
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 4000) for _, fd in given]
            for number, fd in enumerate(high, 3):
                os.dup2(fd, number, inheritable=True)
            if given:
                os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)),
                                  LISTEN_FDNAMES=":".join(name for name, _ in given))
            become_analyzer(self.program, NOTIFY_SOCKET=self.name)
        self.child = child

    def upgrade(self):
        self.program = shutil.copy(analyzer, f"{folder}/analyzer-of-tomorrow")

    def wait(self):
        """Waits for the analyzer's end."""
        return os.waitpid(self.child, 0)[1]

    def end(self):
        os.kill(self.child, signal.SIGTERM)
        return self.wait()


class Pod(Manager):
    """Starts the analyzer as a container runtime does, which keeps nothing."""

    def __init__(self):
        self.ready = threading.Event()
        self.ready.set()
        self.program = analyzer
        self.keeper = start_as_account([keeper, "--socket", f"{folder}/keeper.sock"])
        within(10, lambda: os.path.exists(f"{folder}/keeper.sock"))

    def start(self):
        self.child = os.fork()
        if self.child == 0:
            become_analyzer(self.program, TIERCEL_KEEPER=f"{folder}/keeper.sock")

    def end(self):
        status = Manager.end(self)
        self.keeper.terminate()
        check("the keeper ends when told", self.keeper.wait(10) == 0, self.keeper.returncode)
        return status


class Command(Manager):
    """Starts privd, the keeper and the analyzer, as `tiercel watch`; the keeper starts every later analyzer."""

    def __init__(self):
        self.ready = threading.Event()
        self.ready.set()
        self.program = shutil.copy(analyzer, f"{folder}/analyzer-of-today")
        self.child = 0
        self.keeper = None

    def start(self):
        if self.keeper is None:
            self.keeper = subprocess.Popen([privd, "--user", str(ACCOUNT), "--exec", "--", keeper, "--", self.program, "-c",
                                            f"{folder}/analyzer.yaml"], stderr=open(errors, "a"),
                                           env={**os.environ, "STATE_DIRECTORY": STATE})
        ended = self.child
        soon(lambda: self.find() not in (0, ended))

    def find(self):
        """The analyzer is the keeper's only child once it has its name."""
        for pid in open(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children").read().split():
            try:
                if os.readlink(f"/proc/{pid}/exe") == self.program:
                    self.child = int(pid)
            except OSError:
                pass
        return self.child

    def upgrade(self):
        os.rename(shutil.copy(analyzer, f"{folder}/analyzer-of-tomorrow"), self.program)

    def wait(self):
        soon(lambda: not os.path.exists(f"/proc/{self.child}"))

    def end(self):
        self.keeper.terminate()
        return self.keeper.wait(20)


def size():
    return os.stat(alerts).st_size


def memory_of(pid):
    """What the process uses for itself, in KiB: no page of a file, a ring or a kept memory."""
    return int(re.search(r"^RssAnon:\s*(\d+)", open(f"/proc/{pid}/status").read(), re.M)[1])


manager = {"service": Manager, "pod": Pod, "command": Command}[mode]()


def open_door():
    """Starts privd, which answers one analyzer and leaves; in a pod when that analyzer does."""
    if mode == "command":
        return None
    stay = ["--stay"] if mode == "pod" else []
    door = subprocess.Popen([privd, *stay, "--socket", f"{folder}/privd.sock", "--user", str(ACCOUNT - 1), "--peer-user",
                             str(ACCOUNT)], stderr=open(f"{folder}/privd", "w"))
    within(10, lambda: os.path.exists(f"{folder}/privd.sock"))
    return door


door = open_door()
manager.start()
if not manager.ready.wait(60):
    skip("the analyzer does not start: " + open(errors).read() + open(f"{folder}/privd").read())
if mode == "service":
    check("privd leaves after it has loaded", within(10, lambda: door.poll() is not None))
    check("the analyzer stores rings, counters, links and iterators",
          {re.sub("[0-9]+$", "N", name) for name, _ in manager.stored} ==
          {"kept-session", "kept-progress", "kept-alerts", "kept-ring-N", "kept-counters", "kept-links", "kept-task-N",
           "kept-file-N"}, {name for name, _ in manager.stored})
    check("none of them to be polled", not manager.polled, manager.polled)



def start_witness():
    script = pathlib.Path(__file__).resolve().parents[1] / "lib" / "witness.pl"
    return subprocess.Popen(["perl", str(script), f"{folder}/seq", str(rate), str(one_in), f"{folder}/witnessed"])


def sees_this():
    """Whether an alert comes about an event of this program."""
    try:
        os.open(f"{folder}/seq-first", os.O_RDONLY)
    except OSError:
        return size() > 0


if mode != "service": # the keeper does not tell when the analyzer is ready
    check("the analyzer watches", within(60, sees_this), open(errors).read()[-2000:])
    time.sleep(1) # alerts of that end
    os.truncate(alerts, 0)
witness = start_witness()
check("alerts come", within(30, lambda: size() > 0), open(errors).read())
gaps, memory = [], []
version = 0


def another_starts(signal_number):
    """Ends the analyzer, starts the next one, and returns the milliseconds until an event has become an alert again."""
    os.kill(manager.child, signal_number)
    ended = time.monotonic()
    manager.wait()
    before = size()
    manager.start()
    while size() == before:
        if time.monotonic() > ended + 20:
            check("an analyzer that ended is followed by another", False, open(errors).read()[-2000:])
            return None
        time.sleep(0.001)
    return (time.monotonic() - ended) * 1000


def reload_works():
    global version
    version += 1
    write_rules(version)
    os.kill(manager.child, signal.SIGHUP)
    with open(alerts) as lines:
        lines.seek(0, os.SEEK_END)
        return within(20, lambda: f"version {version} " in lines.read())


for count in range(kills):
    if reloads and count % max(kills // reloads, 1) == 0 and version < reloads:
        check(f"other rules come into force, {version + 1}", manager.ready.wait(20) and reload_works(), open(errors).read()[-2000:])
    if count == kills // 2:
        manager.upgrade()
        # A keeper that is told to end an analyzer by its process id starts no other.
        taken = another_starts(signal.SIGKILL if mode == "command" else signal.SIGTERM)
        check("another file of the analyzer takes over", taken is not None)
    time.sleep(random.uniform(0.05, 0.6))
    memory.append(memory_of(manager.child))
    gap = another_starts(signal.SIGKILL)
    if gap is None:
        break
    gaps.append(gap)
check("privd was asked once", len(open(f"{state}/tiercel/capabilities").read().splitlines()) == 1)
check("one load has served every analyzer", within(10, lambda: manager.ready.is_set()))
for count in range(1, wider + 1):
    write_rules(f"w{count}", CALLS[:count])
    door = open_door() if mode == "service" else None
    os.kill(manager.child, signal.SIGHUP)
    ended = within(20, lambda: os.waitpid(manager.child, os.WNOHANG)[0] != 0)
    check("rules that need other events end the analyzer", ended, open(errors).read()[-2000:])
    door = door or open_door() # a privd that stays ends with its analyzer
    before = size()
    manager.start()
    check("the next one alerts", within(20, lambda: size() > before and manager.ready.is_set()), open(errors).read()[-2000:])
    check("and has had privd load for it", mode == "pod" or within(10, lambda: door.poll() is not None))
    time.sleep(random.uniform(0.05, 0.3))
witness.terminate()
witness.wait()
events, last, seconds = (float(word) for word in open(f"{folder}/witnessed").read().split())
last = int(last)


def numbers():
    return [int(found) for found in re.findall(r"/seq-[0-9]+-([0-9]+)$", open(alerts).read(), re.M)]


within(60, lambda: len(set(numbers())) >= last)
if mode != "service":
    fields = open(f"/proc/{manager.keeper.pid}/status").read()
    check("the keeper is neither root nor capable", f"Uid:\t{ACCOUNT}\t" in fields and
          all(f"{name}:\t{'0' * 16}\n" in fields for name in ("CapEff", "CapPrm", "CapAmb")), fields)
check("SIGTERM ends the last one with 0", manager.end() == 0)
counts = collections.Counter(numbers())
dropped = re.findall(r"; (\d+) dropped", open(errors).read())
missing = sorted(set(range(last)) - set(counts))
twice = sorted(number for number, count in counts.items() if count > 1)
early, late = (sorted(some)[len(some) // 2] for some in (memory[:10], memory[-10:]))
print(f"{events:.0f} events in {seconds:.0f} s, {events / seconds:.0f} a second, {last} of them marked; {kills} kills, {version} "
      f"reloads, 1 upgrade, {dropped} dropped by the probe, {len(missing)} missing, {len(twice)} twice; "
      f"ms from kill to the next alert: median {sorted(gaps)[len(gaps) // 2]:.0f}, worst {max(gaps):.0f}; "
      f"memory of the first analyzers {early} KiB, of the last {late} KiB; load average {os.getloadavg()[0]:.1f}")
check("memory stays flat", late < early * 1.2 + 1024, memory)
check("the probe dropped nothing", dropped[-1:] == ["0"], dropped)
check("no event is lost", not missing, missing[:20])
check("no event is evaluated twice", not twice, twice[:20])
check("no other line is in the file", len(open(alerts).read().splitlines()) == last + len(twice))
loads = re.findall("end in a gap of ([0-9]+) us", open(errors).read())
check("each load that followed another was cut in a gap", len(loads) == wider, loads)
print(f"{wider} loads beside an earlier one, cut in gaps of {', '.join(loads)} us")


def check_other_version():
    """What the manager keeps is said to be of another version. The next analyzer has privd load anew, and tells how many events
    it could not read."""
    open(alerts, "w").close()
    open_door()
    manager.start()
    check("an analyzer that finds nothing kept starts", manager.ready.wait(60), open(errors).read()[-2000:])
    other = start_witness()
    check("and alerts", within(20, lambda: size() > 0))
    manager.end()
    name, fd = next(each for each in manager.stored if each[0] == "kept-session")
    text = bytearray(os.pread(fd, 1 << 16, 0))
    text[8] ^= 1 # within the number of the build
    copy = os.memfd_create("other", os.MFD_ALLOW_SEALING)
    os.write(copy, text)
    fcntl.fcntl(copy, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL | fcntl.F_SEAL_WRITE)
    manager.stored[manager.stored.index((name, fd))] = (name, copy)
    os.close(fd)
    door = open_door()
    before = size()
    manager.start()
    check("an analyzer of another version is followed by one that alerts", within(20, lambda: size() > before and
          manager.ready.is_set()), open(errors).read()[-2000:])
    check("for which privd has loaded", within(10, lambda: door.poll() is not None))
    told = re.findall("the last ([0-9]+) events of the earlier probe", open(errors).read())
    check("which says how many events it could not read", len(told) == 1, open(errors).read()[-2000:])
    time.sleep(1)
    other.terminate()
    other.wait()
    _, last, _ = open(f"{folder}/witnessed").read().split()
    found = within(20, lambda: max(numbers(), default=0) == int(last) - 1)
    manager.end()
    missing = sorted(set(range(int(last))) - set(numbers()))
    print(f"an analyzer of another version: {told} events told as lost, {len(missing)} marked ones of the witness missing")
    check("the last mark has its alert", found)
    check("what is missing is in one piece", missing == list(range(missing[0], missing[-1] + 1)) if missing else True, missing)
    check("and no more than what was told", len(missing) <= int(told[0] if told else 0), missing)
    check("none came twice", len(numbers()) == len(set(numbers())))
    check("the loss is on the outputs", "events lost" in open(alerts).read() or "No rule has seen" in open(alerts).read(),
          open(alerts).read()[:500])


if mode == "service":
    for _, fd in manager.stored:
        os.close(fd)
    manager.stored.clear()
    check_other_version()
if exit_code():
    print("kept:", folder, open(errors).read()[-3000:])
else:
    subprocess.run(["rm", "-rf", folder], check=False)
sys.exit(exit_code())

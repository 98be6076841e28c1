#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""truth_test.py: what fields say of processes and of their open files is what /proc says.

Processes of mixed kinds are started, some before the analyzer and most after. Each asks for the owner of every
descriptor that it has (fcntl), which gives an event each, and waits until its /proc was read.

Usage: truth_test.py PRIVD ANALYZER
"""
import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within
from watch import Watch

privd, analyzer = sys.argv[1:3]
ROUNDS = 15  # processes of each kind
AT_ONCE = 6  # so many start together

PRELUDE = """
import ctypes, fcntl, os, signal, socket, subprocess, sys, threading, time
top, kind, go = sys.argv[1:4]
libc = ctypes.CDLL(None, use_errno=True)
def show():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.close(os.open(go + '.' + os.readlink('/proc/self'), os.O_CREAT | os.O_WRONLY))
    signal.sigwait([signal.SIGUSR1])
    for fd in sorted(map(int, os.listdir('/proc/self/fd'))):
        try: fcntl.fcntl(fd, fcntl.F_GETOWN)
        except OSError: pass
    while True: time.sleep(100)
def child(change=lambda: None):
    if os.fork() == 0: change(); show()
    signal.pause()
def clone_parent():
    if libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0) == 0: show()
    signal.pause()
def received():
    a, b = socket.socketpair()
    if os.fork() == 0:
        server = socket.create_server(('127.0.0.1', 0))
        socket.send_fds(a, [b'x'], [os.open(top + '/link/file', 0), server.fileno()]); os._exit(0)
    global kept; kept = socket.recv_fds(b, 1, 2), a, b
    os.wait(); show()
def taken():
    r, w = os.pipe(); pid = os.fork()
    if pid == 0: os.dup2(os.open(top + '/link/file', 0), 99); os.write(w, b'x'); time.sleep(60)
    os.read(r, 1); global kept; kept = libc.syscall(438, libc.syscall(434, pid, 0), 99, 0); show()
def kinds_of_files():
    global kept
    d = os.open(top + '/link', os.O_PATH); x = os.open('file', 0, dir_fd=d); e = os.dup(x); os.dup2(x, 77)
    s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); c = socket.socket(); c.connect(s.getsockname())
    kept = [d, x, e, s, c, s.accept(), os.pipe(), os.memfd_create('truth'), os.eventfd(0), os.open('/dev/null', 1),
            os.open('/proc/self/status', 0), os.open('.', 0)]
    show()
"""
KINDS = {
    "forked": "child()",
    "executed": "show()",
    "renamed by prctl": "libc.prctl(15, b'sshd', 0, 0, 0); show()",
    "session leader": "child(os.setsid)",
    "group leader": "child(lambda: os.setpgid(0, 0))",
    "other user": "child(lambda: (os.setgroups([]), os.setresgid(7, 7, 7), os.setresuid(9, 9, 9)))",
    "user namespace": "child(lambda: (os.setgroups([]), os.setresgid(7, 7, 7), os.setresuid(9, 9, 9), libc.prctl(4, 1, 0, 0, 0), "
                      "libc.unshare(0x10000000), open('/proc/self/uid_map', 'w').write('0 9 1')))",
    "elsewhere": "os.chdir(top + '/link'); show()",
    "moved": "os.makedirs(top + '/%d' % os.getpid()); os.chdir(top + '/%d' % os.getpid()); show()",
    "mount namespace": "child(lambda: libc.unshare(0x20000))",
    "namespaces": "child(lambda: libc.unshare(0x2000000 | 0x4000000 | 0x8000000 | 0x40000000))",
    "pid namespace": "libc.unshare(0x20000000); child()",
    "guest": "r, w = os.pipe(); pid = os.fork()\n"
             "if pid == 0: libc.unshare(0x40020000); os.write(w, b'x'); time.sleep(60)\n"
             "os.read(r, 1); fd = os.open('/proc/%d/ns/net' % pid, 0); libc.setns(fd, 0); os.close(fd); show()",
    "real user": "child(lambda: os.setreuid(9, 0))",
    "long arguments": "os.execv(sys.executable, [sys.executable, '-c', open(top + '/prelude').read() + 'show()', "
                      "*sys.argv[1:4], 'x' * 20000])",
    "orphan": "(os.fork() == 0 and (os.fork() == 0 and show() or os._exit(0))) or signal.pause()",
    "sibling": "clone_parent()",
    "started by vfork": "subprocess.run([sys.executable, '-c', open(top + '/prelude').read() + 'show()', *sys.argv[1:]])",
    "receiver": "received()",
    "taker": "taken()",
    "many files": "kinds_of_files()",
}

FIELDS = ("proc.pid proc.ppid thread.tid proc.vpid proc.sid proc.pgid proc.vpgid proc.exepath proc.cwd user.uid group.gid "
          "proc.args.truncated user.realuid proc.cgroupns proc.ipcns proc.mntns proc.netns proc.pidns proc.timens proc.userns proc.utsns "
          "user.loginuid thread.cap_effective proc.cmdline fd.num fd.name fd.realpath fd.type").split()


def rules(go):
    output = " ".join("%" + field for field in FIELDS)
    return f"""
- rule: Ready
  desc: The test has begun.
  condition: evt.type in (execve, execveat) and proc.args contains tc-truth-ready
  output: ready
  priority: DEBUG
- rule: Descriptor
  desc: A process of the test asks for the owner of a descriptor.
  # The C library asks for F_GETOWN by F_GETOWN_EX.
  condition: evt.type = fcntl and evt.arg.cmd in (F_GETOWN, F_GETOWN_EX) and proc.args contains {go}
  output: "{output}"
  priority: DEBUG
"""


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def truth(pid):
    """What /proc says of the process, by field."""
    about = status(pid)
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    loginuid = int(pathlib.Path(f"/proc/{pid}/loginuid").read_text())
    root = os.readlink(f"/proc/{pid}/root")
    cwd = os.readlink(f"/proc/{pid}/cwd")
    spaces = {f"proc.{kind}ns": int(os.readlink(f"/proc/{pid}/ns/{kind}").split("[")[1][:-1])
              for kind in ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")}
    return {
        **spaces, "proc.args.truncated": False, "user.realuid": int(about["Uid"].split()[0]),
        "proc.pid": pid, "proc.ppid": int(about["PPid"]), "thread.tid": pid, "proc.vpid": int(about["NSpid"].split()[-1]),
        "proc.pgid": int(stat[2]), "proc.sid": int(stat[3]) if len(about["NSpid"].split()) == 1 else None,
        "proc.exepath": os.readlink(f"/proc/{pid}/exe"),
        "proc.cwd": (cwd if cwd == "/" else cwd + "/") if root == "/" else None,
        "user.uid": int(about["Uid"].split()[1]), "group.gid": int(about["Gid"].split()[1]),
        "user.loginuid": loginuid if loginuid != 2**32 - 1 else -1,
    }


def link_of(pid, number):
    try:
        return os.readlink(f"/proc/{pid}/fd/{number}")
    except OSError:
        return None


def start(kind, number, top, go):

    return subprocess.Popen([sys.executable, "-c", PRELUDE + KINDS[kind], top, f"{kind.replace(' ', '-')}", go, str(number)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=False)


def main():
    if os.geteuid() != 0:
        skip("only root may load the probe")
    top = os.path.realpath(tempfile.mkdtemp(prefix="tc-truth.", dir="/tmp"))
    os.chmod(top, 0o777)
    go = top + "/go"
    os.makedirs(top + "/real")
    os.symlink("real", top + "/link")
    pathlib.Path(top + "/real/file").write_text("x")
    pathlib.Path(top + "/prelude").write_text(PRELUDE)
    pathlib.Path(top + "/rules.yaml").write_text(rules(go))
    def waiting():
        return [int(name.split(".")[-1]) for name in os.listdir(top) if name.startswith("go.")]

    def start_all(rounds):
        count, started = len(waiting()), []
        for number, kind in ((number, kind) for number in rounds for kind in KINDS):
            started.append(start(kind, number, top, go))
            if len(started) % AT_ONCE == 0:
                within(60, lambda: len(waiting()) >= count + len(started))
        return started

    before = start_all(range(2))
    watch = Watch(privd, analyzer, f"{top}/rules.yaml", "tc-truth-ready", "--args-max", "32768")
    after = start_all(range(2, ROUNDS))
    check("a process of each kind and round waits", within(120, lambda: len(waiting()) >= len(before) + len(after)),
          (len(waiting()), len(before) + len(after)))
    pids = [pid for pid in waiting() if os.path.exists(f"/proc/{pid}")]
    expected = {pid: truth(pid) for pid in pids}
    for pid in pids:
        os.kill(pid, signal.SIGUSR1)
    time.sleep(5)
    links = {pid: {int(n): link_of(pid, n) for n in os.listdir(f"/proc/{pid}/fd")} for pid in pids}
    watch.end()
    watch.errors.seek(0)
    lost = re.search(r"; (\d+) dropped", watch.errors.read())
    told = watch.alerts("Descriptor")
    for process in before + after:
        process.kill()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    subprocess.run(["rm", "-rf", "--one-file-system", top], check=False)
    if lost is None or lost[1] != "0":
        skip(f"events were dropped, because the machine is too busy: {lost and lost[1]}")
    compare(told, expected, links)
    return exit_code()


def compare(told, expected, links):
    wrong = collections.defaultdict(list)
    compared = collections.Counter()
    seen = set()
    for fields in told:
        pid = fields["proc.pid"]
        if pid not in expected:
            continue
        kind = fields["proc.cmdline"].split()[-3] if fields["proc.cmdline"] else "?"
        if pid not in seen:
            for field, value in expected[pid].items():
                if value is None:
                    continue
                compared[field] += 1
                if fields[field] != value:
                    wrong[field].append((kind, fields[field], value))
        seen.add(pid)
        link = links[pid].get(fields["fd.num"])
        name = fields["fd.name"]
        if link is None or " (deleted)" in link and not link.startswith("/memfd:"):
            continue
        compared["fd.name"] += 1
        path = re.sub(r"^/(memfd:.*) \(deleted\)$", r"\1", link)
        if link.startswith("/") and name not in (path, path.replace("memfd:", "")) or not link.startswith("/") and (
                fields["fd.type"] in (None, "unknown", "file")):
            wrong["fd.name"].append((kind, fields["fd.num"], fields["fd.type"], name, link))
    check(f"every process was seen ({len(seen)} of {len(expected)})", len(seen) == len(expected) > 0, set(expected) - seen)
    for field in sorted(compared):
        check(f"{field} of {compared[field]} is what /proc says", not wrong[field],
              (len(wrong[field]), wrong[field][:6]))


sys.exit(main())

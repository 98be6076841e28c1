#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""evasions_test.py: ways to hide which file a program opens, and whether a rule on the file's path sees it.

Each row of EVASIONS is tried live, and its outcome compared with the row of the same name in docs/EVASIONS.md. With
--markdown the table is printed in place of the comparison.

Usage: evasions_test.py PRIVD ANALYZER [--markdown]
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip
from watch import Watch

privd, analyzer = sys.argv[1:3]
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/EVASIONS.md"

# What each attempt may use: F is the folder of the secret, `top` has a link to it.
PRELUDE = """
import array, ctypes, mmap, os, socket, subprocess, sys, threading, time
top = sys.argv[1]; F = top + "/real"; secret = F + "/secret"
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    got = libc.syscall(*args)
    if got < 0: raise OSError(ctypes.get_errno(), "system call %d" % args[0])
    return got
def read(path, dirfd=None): os.close(os.open(path, os.O_RDONLY, dir_fd=dirfd))
def own_mounts():
    if libc.unshare(0x20000) or libc.mount(None, b"/", None, 0x44000, None): raise OSError("no mount namespace")
def bind(what, where):
    os.makedirs(where, exist_ok=True)
    if libc.mount(what.encode(), where.encode(), None, 0x1000, None): raise OSError("no bind mount")
"""

# Name, what it does, the Python code, and whether the rule alerts; a text: for events of this type.
EVASIONS = [
    ("plain", "`open` by the file's own name", "read(secret)", True),
    ("link to the directory", "a symbolic link to the directory on the way", "read(top + '/link/secret')", True),
    ("link to /", "a symbolic link to `/` on the way: `ln -s / /tmp/r; cat /tmp/r/etc/shadow`",
     "os.symlink('/', top + '/r'); read(top + '/r' + secret)", True),
    ("link that ends in /.", "a link to `DIR/.`, whose text no rule on links names",
     "os.symlink(F + '/.', top + '/dot'); read(top + '/dot/secret')", True),
    (".. behind a link", "`link/../FILE`, where `..` leaves the directory that the link leads to",
     "read(top + '/deep/../secret')", True),
    ("link to the file", "a symbolic link to the file itself",
     "os.symlink(secret, top + '/last'); read(top + '/last')", True),
    ("/proc/self/root", "`/proc/self/root/FILE`", "read('/proc/self/root' + secret)", True),
    ("/proc/self/cwd", "`/proc/self/cwd/FILE`", "os.chdir(F); read('/proc/self/cwd/secret')", True),
    ("directory reached by a link", "`chdir` through a link, then a relative name",
     "os.chdir(top + '/link'); read('secret')", True),
    ("directory reached by a magic link", "`chdir` to `/proc/self/fd/N`, then a relative name",
     "d = os.open(top + '/link', os.O_PATH); os.chdir('/proc/self/fd/%d' % d); read('secret')", True),
    ("renamed directory", "the working directory gets its name after `chdir`",
     "os.rename(F, top + '/old'); os.chdir(top + '/old'); os.rename(top + '/old', F); read('secret')", True),
    ("directory descriptor", "`openat` with a descriptor of a directory that was opened by a link",
     "read('secret', os.open(top + '/link', os.O_PATH))", True),
    ("descriptor opened again", "`O_PATH`, then `/proc/self/fd/N`",
     "read('/proc/self/fd/%d' % os.open(top + '/link/secret', os.O_PATH))", True),
    ("bind mount", "a bind mount of the directory, in a mount namespace of its own",
     "own_mounts(); bind(F, top + '/bound'); read(top + '/bound/secret')", True),
    ("bind mount of /", "a bind mount of `/`", "own_mounts(); bind('/', top + '/whole'); read(top + '/whole' + secret)",
     True),
    ("detached mount", "`open_tree(OPEN_TREE_CLONE)`, which mounts nowhere, then `openat` below it",
     "read('secret', call(428, -100, F.encode(), 0x80001))", True),
    ("chroot", "`chroot` to the directory, then a short absolute name", "os.chroot(F); read('/secret')", True),
    ("RESOLVE_IN_ROOT", "`openat2(RESOLVE_IN_ROOT)`: an absolute name below a directory descriptor",
     "d = os.open(top, os.O_PATH); how = (ctypes.c_uint64 * 3)(0, 0, 16); call(437, d, b'/real/secret', how, 24)", True),
    ("file handle", "`open_by_handle_at`, which takes no path",
     "h = ctypes.create_string_buffer(136); h[0] = 128; m = ctypes.c_int()\n"
     "call(303, -100, secret.encode(), h, ctypes.byref(m), 0); call(304, os.open('/', 0), h, 0)", True),
    ("name changed while opening", "a second thread changes the name while `open` waits for the other end of a pipe",
     "os.mkfifo(F + '/pipe'); b = ctypes.create_string_buffer((F + '/pipe').encode(), 4096)\n"
     "t = threading.Thread(target=lambda: call(257, -100, b, 0)); t.start(); time.sleep(.3)\n"
     "b.value = b'/dev/null'; os.close(os.open(F + '/pipe', os.O_WRONLY)); t.join()", True),
    ("descriptor by SCM_RIGHTS", "another process opens the file and sends the descriptor; the receiver reads",
     "a, b = socket.socketpair()\n"
     "if os.fork() == 0: socket.send_fds(a, [b'x'], [os.open(top + '/link/secret', 0)]); os._exit(0)\n"
     "os.read(socket.recv_fds(b, 1, 1)[1][0], 1)", "read"),
    ("descriptor by pidfd_getfd", "another process opens the file, and its descriptor is taken",
     "r, w = os.pipe(); pid = os.fork()\n"
     "if pid == 0: os.dup2(os.open(top + '/link/secret', 0), 99); os.write(w, b'x'); time.sleep(9)\n"
     "os.read(r, 1); os.read(call(438, call(434, pid, 0), 99, 0), 1); os.kill(pid, 9)", "read"),
    ("hard link", "a hard link of another name: the same inode, but a path of its own (rules on `link` see it made)",
     "os.link(secret, top + '/hard'); read(top + '/hard')", False),
]


def rules(top):
    return f"""
- rule: Ready
  desc: The test has begun.
  condition: evt.type in (execve, execveat) and proc.args contains tc-evasion-ready
  output: ready
  priority: DEBUG
- rule: Secret
  desc: The secret is opened or read.
  condition: >
    evt.type in (open, openat, openat2, open_by_handle_at, read) and fd.num >= 0
    and (evt.type = read or evt.is_open_read = true)
    and fd.name in ({top}/real/secret, {top}/real/pipe)
  output: "%evt.type %proc.cmdline"
  priority: WARNING
"""


def attempt(row, number, top):
    """Returns whether the attempt could be made."""
    for name in os.listdir(top):
        if name not in ("real", "link", "deep"):
            subprocess.run(["rm", "-rf", "--one-file-system", f"{top}/{name}"], check=False)
    done = subprocess.run([sys.executable, "-c", PRELUDE + row[2], top, f"tc-evasion-{number}-"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        print(f"SKIPPED: {row[0]}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
    return done.returncode == 0


def main():
    if os.geteuid() != 0:
        skip("only root may load the probe")
    top = tempfile.mkdtemp(prefix="tc-evasion.", dir="/tmp")
    os.chmod(top, 0o755)
    os.makedirs(f"{top}/real/down")
    os.symlink(f"{top}/real", f"{top}/link")
    os.symlink(f"{top}/real/down", f"{top}/deep")
    pathlib.Path(f"{top}/real/secret").write_text("secret\n")
    pathlib.Path(f"{top}/rules.yaml").write_text(rules(top))
    watch = Watch(privd, analyzer, f"{top}/rules.yaml", "tc-evasion-ready", "-o", "rule_matching=all")
    tried = [row for number, row in enumerate(EVASIONS) if attempt(row, number, top)]
    time.sleep(1)
    watch.end()
    alerts = watch.alerts("Secret")
    seen = collections.defaultdict(set)
    for alert in alerts:
        for number in re.findall(r"tc-evasion-(\d+)-", alert["proc.cmdline"]):
            seen[int(number)].add(alert["evt.type"])
    subprocess.run(["rm", "-rf", "--one-file-system", top], check=False)
    page = PAGE.read_text()
    for number, row in enumerate(EVASIONS):
        line = f"| {row[0]} | {row[1]} | {'yes' if row[3] else 'no'} |"
        if "--markdown" in sys.argv:
            print(line)
        check(f"docs/EVASIONS.md has the row of: {row[0]}", line in page, line)
        is_seen = row[3] in seen[number] if isinstance(row[3], str) else bool(seen[number])
        if row in tried:
            check(f"{'an alert' if row[3] else 'no alert'}: {row[0]}", is_seen == bool(row[3]), seen[number])
    return exit_code()


sys.exit(main())

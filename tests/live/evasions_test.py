#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""evasions_test.py: ways to hide which file a program opens, and whether a rule on the file's path sees it.

Each row of TABLES is tried live, and its outcome compared with the row of the same name in docs/EVASIONS.md. With
--markdown the tables are printed beside the comparison.

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
def act(): os.pread(os.open(top + "/act", 0), 1, 0)
def again(argv, code, *more):
    os.execv(sys.executable, [*argv, "-c", open(top + "/prelude").read() + code, *sys.argv[1:3], *more])
def bind(what, where):
    os.makedirs(where, exist_ok=True)
    if libc.mount(what.encode(), where.encode(), None, 0x1000, None): raise OSError("no bind mount")
"""

# Name, what it does, the Python code, and whether the table's rule alerts; a text: for events of this type.
OPENED = [
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


# The rule is on the path that a call names, without a file that is opened.
NAMED = [
    ("remove", "`unlink` by the file's own name", "os.unlink(F + '/victim')", True),
    ("remove below a directory reached by a link", "`chdir` through a link, then `unlink` of a relative name",
     "os.chdir(top + '/link'); os.unlink('victim')", True),
    ("remove below a renamed directory", "the working directory gets its name after `chdir`",
     "os.rename(F, top + '/old'); os.chdir(top + '/old'); os.rename(top + '/old', F); os.unlink('victim')", True),
    ("remove below a descriptor", "`unlinkat` with a descriptor of a directory that was opened by a link",
     "os.unlink('victim', dir_fd=os.open(top + '/link', os.O_PATH))", True),
    ("remove after chroot", "`chroot` to the directory, then `unlink` of a short absolute name",
     "os.chroot(top + '/link'); os.unlink('/victim')", True),
    ("remove through a link in the name", "`unlink` of a name with a link on the way", "os.unlink(top + '/link/victim')",
     False),
    ("rename below descriptors", "`renameat` with descriptors", "d = os.open(top + '/link', os.O_PATH)\n"
     "os.rename('victim', 'gone', src_dir_fd=d, dst_dir_fd=d)", True),
    ("rename through a link in the name", "`rename` of a name with a link on the way",
     "os.rename(top + '/link/victim', top + '/gone')", False),
    ("put in its place", "`rename` of another file over it, from the working directory",
     "os.chdir(top + '/link'); open('new', 'w'); os.rename('new', 'victim')", True),
    ("hard link to it", "`link` with a name relative to a directory reached by a link",
     "os.chdir(top + '/link'); os.link('victim', top + '/hard')", True),
    ("symbolic link to it", "`symlink` whose text is the file's own name", "os.symlink(F + '/victim', top + '/soft')", True),
    ("change its mode", "`chmod` with a name relative to a directory reached by a link",
     "os.chdir(top + '/link'); os.chmod('victim', 0o777)", True),
    ("change its mode by descriptor", "`fchmod` of a descriptor that was opened by a link",
     "os.fchmod(os.open(top + '/link/victim', 0), 0o777)", True),
    ("change its mode through a link in the name", "`chmod` of a name with a link on the way",
     "os.chmod(top + '/link/victim', 0o777)", False),
    ("change its owner", "`fchownat` with a descriptor of its directory",
     "os.chown('victim', 9, 9, dir_fd=os.open(top + '/link', os.O_PATH))", True),
    ("mark it", "`setxattr` with a name relative to a directory reached by a link",
     "os.chdir(top + '/link'); os.setxattr('victim', 'user.x', b'1')", True),
    ("cut it", "`truncate`, whose event has no path", "os.truncate(F + '/victim', 0)", False),
    ("name changed before a failure", "a second thread changes the name while `open` waits; the open then fails",
     "import signal; signal.signal(signal.SIGUSR1, lambda *a: None); signal.siginterrupt(signal.SIGUSR1, True)\n"
     "os.mkfifo(F + '/victim.d'); b = ctypes.create_string_buffer((F + '/victim.d').encode(), 4096)\n"
     "t = threading.Thread(target=lambda: libc.syscall(257, -100, b, 0)); t.start(); time.sleep(.3)\n"
     "b.value = b'/dev/null'; signal.pthread_kill(t.ident, signal.SIGUSR1); t.join(); os.unlink(F + '/victim.d')", "openat"),
    ("long name changed before a failure", "the same with a name of 2,000 bytes",
     "import signal; signal.signal(signal.SIGUSR1, lambda *a: None); signal.siginterrupt(signal.SIGUSR1, True)\n"
     "os.mkfifo(F + '/victim.d'); b = ctypes.create_string_buffer((F + '/.' * 1000 + '/victim.d').encode(), 4096)\n"
     "t = threading.Thread(target=lambda: libc.syscall(257, -100, b, 0)); t.start(); time.sleep(.3)\n"
     "b.value = b'/dev/null'; signal.pthread_kill(t.ident, signal.SIGUSR1); t.join(); os.unlink(F + '/victim.d')", "openat"),
]

# The rule is on who the process is: each row says by which field.
KNOWN = [
    ("name of another program", "`prctl(PR_SET_NAME)`; by `proc.exepath` and `proc.name`",
     "libc.prctl(15, b'sshd', 0, 0, 0); act()", True),
    ("first argument of another program", "exec with a false argv[0]; by `proc.exepath`",
     "again(['sshd'], 'act()')", True),
    ("program run by a second thread", "exec by a thread other than the first, which keeps the open files",
     "threading.Thread(target=lambda: again([sys.executable], 'act()')).start(); time.sleep(5)", True),
    ("sibling", "`clone(CLONE_PARENT)`: the child has the caller's parent; by its arguments",
     "libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0) or (act(), os._exit(0)); time.sleep(.5)", True),
    ("root in a user namespace", "user 0 of a user namespace is user 9 of the machine; by `user.uid`",
     "os.setgroups([]); os.setresgid(7, 7, 7); os.setresuid(9, 9, 9); libc.prctl(4, 1, 0, 0, 0); libc.unshare(0x10000000)\n"
     "open('/proc/self/uid_map', 'w').write('0 9 1'); os.getuid() or act()", "who-9"),
    ("real user", "`setreuid` takes another real user; by `user.realuid`",
     "os.setreuid(9, 0); act()", "real-9"),
    ("namespace of its own", "`unshare` of the mount namespace; by `proc.mntns`",
     "libc.unshare(0x20000); act()", "mntns"),
    ("namespace entered", "`setns`; by `proc.mntns`", "r, w = os.pipe(); pid = os.fork()\n"
     "if pid == 0: libc.unshare(0x20000); os.write(w, b'x'); time.sleep(9)\n"
     "os.read(r, 1); libc.setns(os.open('/proc/%d/ns/mnt' % pid, 0), 0); os.kill(pid, 9); act()", "mntns"),
    ("word behind a long argument", "the word that a rule wants stands behind 5,000 bytes; by `proc.args`",
     "again([sys.executable], 'act()', 'x' * 5000)", True),
    ("word between long arguments", "the word stands in the middle of 80,000 bytes; by `proc.args.truncated`",
     "again([sys.executable], 'act()', 'x' * 40000, 'tc-middle', 'x' * 40000)", "cut"),
]

# Table: heading in the page, rule, rows.
TABLES = [("Which file was opened", "Secret", OPENED), ("Which file a call names", "Victim", NAMED),
          ("Who it was", "Known", KNOWN)]


# What an alert is to show, by the text in place of a row's outcome; other texts are types of events.
OWN_NAMESPACE = os.stat("/proc/self/ns/mnt").st_ino
SHOWN = {
    "who-9": lambda fields: fields["user.uid"] == 9,
    "real-9": lambda fields: fields["user.realuid"] == 9,
    "mntns": lambda fields: fields["proc.mntns"] not in (None, OWN_NAMESPACE),
    "cut": lambda fields: fields["proc.args.truncated"] is True,
}


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
- rule: Victim
  desc: A call names the victim.
  condition: >
    proc.args contains tc-evasion-
    and (fs.path.name in ({top}/real/victim, {top}/real/victim.d) or fs.path.source = {top}/real/victim
         or fs.path.target = {top}/real/victim)
    and (not evt.type in (open, openat, openat2, creat) or evt.failed = true)
  output: "%evt.type %proc.cmdline"
  priority: WARNING
- rule: Known
  desc: A process reads its act, and is who it is.
  condition: >
    evt.type = pread and fd.name = {top}/act and proc.exepath = {os.path.realpath(sys.executable)}
    and proc.args contains tc-evasion-
  output: "%evt.type %proc.cmdline %user.uid %user.realuid %proc.mntns %proc.args.truncated %proc.name"
  priority: WARNING
"""


def attempt(row, mark, top):
    """Returns whether the attempt could be made."""
    for name in os.listdir(top):
        if name not in ("real", "link", "deep", "act", "prelude"):
            subprocess.run(["rm", "-rf", "--one-file-system", f"{top}/{name}"], check=False)
    pathlib.Path(f"{top}/real/victim").write_text("victim\n")
    done = subprocess.run([sys.executable, "-c", PRELUDE + row[2], top, mark], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        print(f"SKIPPED: {row[0]}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
    return done.returncode == 0


def is_as_said(row, alerts):
    if isinstance(row[3], bool):
        return bool(alerts) == row[3]
    shows = SHOWN.get(row[3], lambda fields: fields["evt.type"] == row[3])
    return any(shows(fields) for fields in alerts)


def main():
    if os.geteuid() != 0:
        skip("only root may load the probe")
    top = tempfile.mkdtemp(prefix="tc-evasion.", dir="/tmp")
    os.chmod(top, 0o755)
    os.makedirs(f"{top}/real/down")
    os.symlink(f"{top}/real", f"{top}/link")
    os.symlink(f"{top}/real/down", f"{top}/deep")
    pathlib.Path(f"{top}/real/secret").write_text("secret\n")
    pathlib.Path(f"{top}/act").write_text("act\n")
    pathlib.Path(f"{top}/prelude").write_text(PRELUDE)
    pathlib.Path(f"{top}/rules.yaml").write_text(rules(top))
    watch = Watch(privd, analyzer, f"{top}/rules.yaml", "tc-evasion-ready", "-o", "rule_matching=all")
    tried = {}
    for row in (row for _, _, rows in TABLES for row in rows):
        mark = f"tc-evasion-{len(tried)}-"
        tried[row[0]] = mark if attempt(row, mark, top) else None
    time.sleep(1)
    watch.end()
    seen = collections.defaultdict(list)
    for rule in {rule for _, rule, _ in TABLES}:
        for alert in watch.alerts(rule):
            for mark in re.findall(r"tc-evasion-\d+-", alert["proc.cmdline"]):
                seen[rule, mark].append(alert)
    subprocess.run(["rm", "-rf", "--one-file-system", top], check=False)
    page = PAGE.read_text()
    for heading, rule, rows in TABLES:
        check(f"docs/EVASIONS.md has the table: {heading}", f"## {heading}\n" in page)
        for row in rows:
            line = f"| {row[0]} | {row[1]} | {'yes' if row[3] else 'no'} |"
            if "--markdown" in sys.argv:
                print(line)
            check(f"docs/EVASIONS.md has the row of: {row[0]}", line in page, line)
            mark = tried[row[0]]
            if mark:
                check(f"{'an alert' if row[3] else 'no alert'}: {row[0]}", is_as_said(row, seen[rule, mark]),
                      seen[rule, mark][:3])
    return exit_code()


sys.exit(main())

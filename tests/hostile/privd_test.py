#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""privd_test.py: what a process of privd's account, or of the caller's shell, cannot do to privd and through it: reach
privd-types or its output, inherit a descriptor, or keep a loader waiting with privilege, however it was started. And privd works where only root
may search the programs' directory.

Usage: privd_test.py PRIVD ANALYZER
"""
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within

privd, analyzer = sys.argv[1:]
ACCOUNT = 65521 # that nothing else uses
PLANNED = 1 << 39 | 1 << 38 | 1 << 19 | 1 << 24 | 1 << 21 # BPF, PERFMON, SYS_PTRACE, SYS_RESOURCE, SYS_ADMIN


def start(*command, **options):
    return subprocess.Popen([privd, "--user", str(ACCOUNT), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


def status_of(pid):
    """The fields of /proc/PID/status; {} of a process that has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def loaders():
    """The pids of the loaders under the account of this test."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        status = status_of(pid)
        if status.get("Name", "").startswith("privd") and status.get("Uid", "").split("\t")[0] == str(ACCOUNT):
            found.append(int(pid))
    return found


ATTACKER = """
import os, sys, time
os.setgid(%d); os.setuid(%d)
end, reached, seen = time.monotonic() + float(sys.argv[1]), set(), set()
while time.monotonic() < end:
    last = int(open("/proc/loadavg").read().split()[-1])
    for pid in range(last, max(last - 8, 1), -1):
        try:
            name = open(f"/proc/{pid}/comm").read().strip()
        except OSError:
            continue
        # The kernel names a program that has no path by its descriptor's number until it names itself.
        if not (name.startswith("privd") or name.isdigit()):
            continue
        seen.add(name)
        for what in ("fd/0", "fd/1", "mem", "environ"):
            try:
                os.close(os.open(f"/proc/{pid}/{what}", os.O_RDONLY))
                # privd-exec becomes the command, which anybody of the account may reach.
                if open(f"/proc/{pid}/comm").read().strip() == name:
                    reached.add((name, what))
            except OSError:
                pass
print(len(seen), sorted(reached))
""" % (ACCOUNT, ACCOUNT)


def check_types():
    attackers = [subprocess.Popen([sys.executable, "-c", ATTACKER, "6"], stdout=subprocess.PIPE, text=True)
                 for _ in range(2)]
    for _ in range(12):
        start("--exec", "--", "/bin/sleep", "0.3").wait()
    said = [attacker.communicate()[0].split(" ", 1) for attacker in attackers]
    check("an attacker of the account saw privd's processes", any(int(seen) > 0 for seen, _ in said), said)
    check("but opened no descriptor, memory or environment of one", all(reached.strip() == "[]" for _, reached in said), said)


def check_descriptors():
    secret = os.open("/etc/shadow", os.O_RDONLY)
    process = start("--exec", "--", "/bin/sh", "-c", "echo $TIERCEL_PRIVD_FD; for f in /proc/self/fd/*; do readlink $f; done",
                    pass_fds=[secret])
    text = process.communicate()[0]
    os.close(secret)
    check("the analyzer inherits nothing of its caller's shell", "shadow" not in text, text)
    check("but one socket for each loader", text.count("socket:") >= len(text.splitlines()[0].split(",")), text)


def check_waiting():
    begin = time.monotonic()
    process = start("--exec", "--", "/bin/sleep", "30")
    check("loaders confine themselves", within(5, lambda: len(loaders()) >= 2 and all(
        status_of(pid).get("Seccomp") == "2" for pid in loaders())), [status_of(pid) for pid in loaders()])
    for pid in loaders():
        status = status_of(pid)
        if not status:
            continue
        check(f"{status['Name']} holds planned capabilities only", int(status["CapPrm"], 16) & ~PLANNED == 0, status["CapPrm"])
        check(f"{status['Name']} has an empty bounding set", int(status["CapBnd"], 16) == 0, status["CapBnd"])
        check(f"{status['Name']} cannot gain privilege", status["NoNewPrivs"] == "1")
    ended = within(14, lambda: not loaders())
    check("a loader that is asked for nothing ends after 10 s", ended and time.monotonic() - begin > 8,
          [status_of(pid) for pid in loaders()])
    process.kill()
    check("and the first one says so", "asked for nothing in time" in process.communicate()[1])


def check_program():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        seen = os.path.join(folder, "seen")
        open(seen, "w").close()
        os.chmod(seen, 0o666)
        rules = os.path.join(folder, "r.yaml")
        pathlib.Path(rules).write_text("- rule: x\n  desc: x\n  condition: evt.type = execve and proc.name = nothing\n"
                                       "  output: x\n  priority: INFO\n")
        program = f"for f in /proc/self/fd/*; do readlink $f; done > {seen}; env | grep -q TIERCEL_PRIVD || echo none >> {seen}; sleep 20"
        process = start("--exec", "--", analyzer, "-r", rules, "-M", "8", "-o", "program_output.enabled=true",
                        "-o", "program_output.keep_alive=true", "-o", f"program_output.program={program}")
        check("the alert program runs", within(8, lambda: "none" in pathlib.Path(seen).read_text()),
              pathlib.Path(seen).read_text())
        text = pathlib.Path(seen).read_text()
        check("with no socket but its own input", text.count("socket:") == 1 and "anon_inode" not in text, text)
        check("and no privd stays because of it", within(12, lambda: not loaders()), [status_of(pid) for pid in loaders()])
        process.wait()


def check_listening():
    """privd --socket without a service manager: with privilege it waits at most 10 s, and without limit only where its file
    has the capabilities, because it then holds none."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, ACCOUNT, ACCOUNT)
        os.chmod(folder, 0o755)
        begin = time.monotonic()
        holding = start("--socket", os.path.join(folder, "root"))
        for name in os.listdir(os.path.dirname(privd)):
            if name.startswith("privd"):
                copy = shutil.copy(os.path.join(os.path.dirname(privd), name), folder)
                if name in ("privd", "privd-exec", "privd-classic"): # as packaging/container/rootfs
                    os.setxattr(copy, "security.capability", struct.pack("<5I", 0x02000000, PLANNED & 0xffffffff, 0,
                                                                         PLANNED >> 32, 0))
        waiting = subprocess.Popen([os.path.join(folder, "privd"), "--stay", "--socket", os.path.join(folder, "file")],
                                   stderr=subprocess.PIPE, text=True, user=ACCOUNT, group=ACCOUNT, extra_groups=[])
        check("a privd that holds privilege ends", holding.wait(timeout=20) == 1)
        check("after 10 s", 9 < time.monotonic() - begin < 14, time.monotonic() - begin)
        said = holding.communicate()[1]
        check("and says why", "wait for a peer" in said and "within 10 s" in said, said)
        time.sleep(2)
        status = status_of(waiting.pid)
        check("a privd whose file has the capabilities waits on", waiting.poll() is None and status, waiting.poll())
        check("without any of them", all(status.get(which) == "0" * 16 for which in ("CapPrm", "CapEff", "CapInh", "CapAmb")),
              status)
        command = [analyzer, "--events", "-n", "1", "-M", "20", "--connect", os.path.join(folder, "file")]
        done = subprocess.run(command, capture_output=True, text=True, user=ACCOUNT, group=ACCOUNT, extra_groups=[], timeout=60)
        check("and still loads the probe for the first peer", done.returncode == 0 and done.stdout != "", done.stderr)
        check("which ends it", waiting.wait(timeout=20) == 0, waiting.communicate()[1])


def check_private_home():
    with tempfile.TemporaryDirectory() as folder: # of mode 0700
        for name in os.listdir(os.path.dirname(privd)):
            if name.startswith("privd") or name == "analyzer":
                shutil.copy(os.path.join(os.path.dirname(privd), name), folder)
        command = [os.path.join(folder, "privd"), "--user", str(ACCOUNT), "--exec", "--", os.path.join(folder, "analyzer"),
                   "--events", "-n", "1", "-M", "10"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        check("privd and the analyzer run from a directory of mode 0700", done.returncode == 0 and done.stdout != "",
              (done.returncode, done.stderr))


if os.geteuid() != 0:
    skip("privd needs root")
check_types()
check_descriptors()
check_waiting()
check_program()
check_listening()
check_private_home()
sys.exit(exit_code())

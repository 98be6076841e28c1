#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""processes_test.py: starts each deployment, and compares every process that it has (account, capabilities, descriptors,
seccomp) with the table in SECURITY.md. Neither may list what the other lacks.

Usage: processes_test.py SOURCE BIN [--print]    --print: print the table as it would be right here
"""
import ctypes
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within

source, folder_of_programs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
prints = sys.argv[3:] == ["--print"]
# Accounts that nothing else uses, for those that the table names.
ACCOUNTS = {"tiercel": 65521, "tiercel-privd": 65522, "tiercel-enricher": 65523}
CAPABILITIES = {19: "SYS_PTRACE", 21: "SYS_ADMIN", 24: "SYS_RESOURCE", 38: "PERFMON", 39: "BPF"}
PLANNED = (39, 38, 19) # from 5.11 on
RULES = "- rule: x\n  desc: x\n  condition: evt.type = execve and proc.name = nothing\n  output: x\n  priority: INFO\n"
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, PR_CAPBSET_DROP, PR_SET_KEEPCAPS = 47, 2, 24, 8
libc = ctypes.CDLL(None, use_errno=True)


def program(name):
    return str(folder_of_programs / name)


def capabilities(text):
    value = int(text, 16)
    if value >= 1 << 40: # all: the set was not touched
        return "all"
    return " ".join(CAPABILITIES.get(bit, str(bit)) for bit in range(64) if value >> bit & 1) or "–"


def kind(target):
    """What a descriptor is, in one word."""
    if found := re.fullmatch(r"anon_inode:\[?([^\]]+)\]?", target):
        return found[1]
    if found := re.fullmatch(r"(socket|pipe):\[\d+\]", target):
        return found[1]
    if target.startswith("/memfd:"):
        return "memfd"
    return "null" if target == "/dev/null" else "proc" if target.startswith("/proc/") else "file"


def look(pid):
    """The row of a process without its deployment; None if it has ended."""
    try:
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                      if ":\t" in line)
        kinds = {kind(os.readlink(f"/proc/{pid}/fd/{fd}")) for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2}
    except OSError:
        return None
    if status["State"].startswith("Z"): # ended, and waits for this test
        return None
    uid = int(status["Uid"].split("\t")[0])
    account = next((name for name, number in ACCOUNTS.items() if number == uid), str(uid))
    sets = [capabilities(status[name]) for name in ("CapEff", "CapPrm", "CapAmb", "CapBnd")]
    return (status["Name"], account, *sets, " ".join(sorted(kinds)) or "–", "yes" if status["Seccomp"] == "2" else "no")


def processes():
    """All processes of the accounts."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid not in ACCOUNTS.values():
                if pathlib.Path(f"/proc/{pid}/comm").read_text() not in ("privd\n", "privd-exec\n"):
                    continue
        except OSError:
            continue
        row = look(pid)
        if row and row[1] in ACCOUNTS:
            found.add(row)
    return found


def start(*command, listener=None, account=None, bounding=None, ambient=(), **options):
    """Starts a program as root, or as a service manager or runtime starts it: as an account, with a passed socket, with a
    bounding set and ambient capabilities."""
    def prepare():
        if listener:
            os.dup2(listener.fileno(), 3)
        if account:
            become(ACCOUNTS[account], bounding, ambient)
    if listener: # a shell names its own pid
        command = ("/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", *command)
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    return subprocess.Popen(command, preexec_fn=prepare, pass_fds=[3] if listener else [], **options)


def become(uid, bounding, ambient):
    for bit in range(64) if bounding is not None else ():
        if bit not in bounding:
            libc.prctl(PR_CAPBSET_DROP, bit, 0, 0, 0)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    mask = sum(1 << bit for bit in ambient)
    header = struct.pack("Ii", 0x20080522, 0)
    sets = struct.pack("6I", *[mask & 0xFFFFFFFF] * 3, *[mask >> 32] * 3)
    if libc.capset(header, sets) != 0:
        os._exit(126)
    for bit in ambient:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0)


def end(*started):
    for each in started:
        each.terminate()
    for each in started:
        each.wait(timeout=120)
    if not within(60, lambda: not processes()):
        skip(f"processes of earlier tests stay: {processes()}")


def watch(folder, *options):
    rules = os.path.join(folder, "rules.yaml")
    pathlib.Path(rules).write_text(RULES)
    return [program("analyzer"), "-r", rules, *options]


def privd(*options):
    return [program("privd"), "--user", str(ACCOUNTS["tiercel"]), *options]


def settled(wanted):
    """The processes, when they are those of the table or do not change any more."""
    seen = []

    def quiet():
        seen.append(processes())
        return seen[-1] and seen[-1] == wanted
    within(60, quiet) # a loader takes 0.3 s, and a multiple where others use the CPUs
    return seen[-1]


# Each deployment: a function that yields once, when the processes are to be looked at.
def before_the_request(_):
    pair = start(*privd("--exec", "--", "/bin/sleep", "60"))
    yield
    end(pair)


def exec_modern(folder):
    pair = start(*privd("--exec", "--", *watch(folder)))
    yield
    end(pair)


def exec_classic(folder):
    pair = start(*privd("--driver", "classic_bpf", "--exec", "--", *watch(folder)))
    yield
    end(pair)


def exec_stay(folder):
    pair = start(*privd("--driver", "modern_bpf", "--stay", "--exec", "--", *watch(folder)))
    yield
    end(pair)


def exec_keeper(folder):
    pair = start(*privd("--exec", "--", program("tiercel-keeper"), "--", *watch(folder)))
    yield
    end(pair)


def alert_program(folder):
    keys = ("program_output.enabled=true", "program_output.keep_alive=true", "program_output.program=exec cat")
    pair = start(*privd("--exec", "--", *watch(folder, *(word for key in keys for word in ("-o", key)))))
    yield
    end(pair)


def socket_of_root(folder):
    server = start(*privd("--socket", f"{folder}/s"))
    yield
    end(server)


def start_pod_privd(folder):
    """privd as in its image (packaging/container/rootfs): with the capabilities in the files, and in the bounding set."""
    for path in folder_of_programs.glob("privd*"):
        copy = shutil.copy(path, folder)
        if path.name in ("privd", "privd-exec", "privd-classic"):
            mask = sum(1 << bit for bit in PLANNED)
            os.setxattr(copy, "security.capability", struct.pack("<5I", 0x02000000, mask & 0xFFFFFFFF, 0, mask >> 32, 0))
    return start(f"{folder}/privd", "--stay", "--peer-user", str(ACCOUNTS["tiercel"]), "--socket", f"{folder}/s",
                 account="tiercel-privd", bounding=PLANNED)


def pod_before(folder):
    server = start_pod_privd(folder)
    yield
    end(server)


def pod(folder):
    server = start_pod_privd(folder)
    within(10, lambda: os.path.exists(f"{folder}/s"))
    os.chmod(f"{folder}/s", 0o666) # here the accounts have no common group
    keeper = start(program("tiercel-keeper"), "--socket", f"{folder}/k", account="tiercel", bounding=())
    within(10, lambda: os.path.exists(f"{folder}/k"))
    analyzer = start(*watch(folder, "--connect", f"{folder}/s"), account="tiercel", bounding=(),
                     env={**os.environ, "TIERCEL_KEEPER": f"{folder}/k"})
    yield
    end(analyzer, keeper)
    server.wait(timeout=20)


def listen(path, kind):
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen()
    return listener


def unit_privd(folder):
    listener = listen(f"{folder}/s", socket.SOCK_SEQPACKET)
    server = start(program("privd"), "--peer-user", str(ACCOUNTS["tiercel"]), listener=listener,
                   account="tiercel-privd", bounding=PLANNED, ambient=PLANNED)
    yield # the peer that systemd saw has not come yet
    end(server)


def unit_enricher(folder):
    listener = listen(f"{folder}/s", socket.SOCK_SEQPACKET)
    server = start(program("enricher"), "--peer-user", "root", "--docker", f"{folder}/none", listener=listener,
                   account="tiercel-enricher", bounding=())
    yield
    end(server)


def trace(folder):
    command = f"{program('analyzer')} -r {folder}/rules.yaml"
    watch(folder)
    tracer = start(program("tiercel-trace"), "--analyzer", command, "--", "/bin/sleep", "60", account="tiercel", bounding=())
    yield
    end(tracer)


DEPLOYMENTS = {
    "`privd --exec`, before the request": before_the_request,
    "`privd --exec`": exec_modern,
    "`privd --exec --driver classic_bpf`": exec_classic,
    "`privd --exec --stay`": exec_stay,
    "`tiercel watch`": exec_keeper,
    "`privd --exec`, `program_output`": alert_program,
    "`privd --socket` of root, before a peer": socket_of_root,
    "pod, before a peer": pod_before,
    "pod": pod,
    "`tiercel-privd.service`, before the request": unit_privd,
    "`tiercel-enricher.service`": unit_enricher,
    "`tiercel-trace`": trace,
}


def table():
    """The rows of SECURITY.md by deployment."""
    rows = {}
    text = (source / "SECURITY.md").read_text()
    for line in text[text.index("<!-- processes"):].splitlines()[3:]:
        if not line.startswith("| "):
            break
        deployment, *row = [cell.strip() for cell in line.strip("|").split(" | ")]
        rows.setdefault(deployment.strip(), set()).add(tuple(row))
    return rows


if os.geteuid() != 0:
    skip("privd needs root")
rows = table()
check("the table has the deployments that are started here", set(rows) == set(DEPLOYMENTS), set(rows) ^ set(DEPLOYMENTS))
for deployment, run in DEPLOYMENTS.items():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        steps = run(folder)
        next(steps)
        wanted = rows.get(deployment, set())
        seen = settled(wanted)
        for row in sorted(seen) if prints else []:
            print(f"| {deployment} | {' | '.join(row)} |")
        check(f"{deployment}: {len(seen)} processes are those of SECURITY.md", seen == wanted and seen,
              {"not in the table": seen - wanted, "not found": wanted - seen})
        next(steps, None)
sys.exit(exit_code())

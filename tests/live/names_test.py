#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""names_test.py: names of users and groups while the analyzer runs: those of the name service, by systemd's module for it
and records of userdb; lines of /etc/passwd that share an id; and names that change.

Usage: names_test.py PRIVD ANALYZER
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip

privd, analyzer = sys.argv[1:]
RECORDS = pathlib.Path("/run/userdb")
UID = 70001  # which no file has
LOCAL = 47001

RULES = """
- rule: Names
  desc: d
  condition: evt.type=execve and proc.args contains TIERCEL_NAMES
  output: "%proc.args %user.name %group.name %user.homedir"
  priority: INFO
"""


def run(*command):
    subprocess.run(command, check=True)


def write_records(name):
    texts = {"user": {"userName": name, "uid": UID, "gid": UID, "homeDirectory": "/home/" + name, "disposition": "regular"},
             "group": {"groupName": name + "s", "gid": UID, "disposition": "regular"}}
    for kind, record in texts.items():
        path = RECORDS / f"{UID}.{kind}"
        path.write_text(json.dumps(record))
        path.chmod(0o644)


def become(uid, mark):
    run("setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "/bin/true", "TIERCEL_NAMES", mark)


if os.geteuid() != 0:
    skip("watching events needs root")
if not list(pathlib.Path("/lib").glob("*/libnss_systemd.so.2")):
    skip("systemd's module of the name service (libnss-systemd) is not installed")
if "TIERCEL_PRIVATE" not in os.environ:
    made = not RECORDS.exists()
    RECORDS.mkdir(exist_ok=True)
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv],
                          env={**os.environ, "TIERCEL_PRIVATE": "1"})
    if made:
        RECORDS.rmdir()
    sys.exit(done.returncode)

with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    work = pathlib.Path(folder)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(RECORDS))
    passwd = pathlib.Path("/etc/passwd").read_text()
    files = {"passwd": passwd + f"first:x:{LOCAL}:{LOCAL}::/first:/bin/sh\nsecond:x:{LOCAL}:{LOCAL}::/second:/bin/sh\n",
             "nsswitch.conf": "passwd: files systemd\ngroup: files systemd\n"}
    for name, text in files.items():
        (work / name).write_text(text)
        (work / name).chmod(0o644)
        run("mount", "--bind", str(work / name), f"/etc/{name}")
    write_records("ldap")
    (work / "rules.yaml").write_text(RULES)
    (work / "rules.yaml").chmod(0o644)
    out, err = open(work / "out", "w+"), open(work / "err", "w+")
    pair = subprocess.Popen([privd, "--exec", "--", analyzer, "-r", str(work / "rules.yaml"), "-o", "json_output=true"],
                            stdout=out, stderr=err)

    def alerts(mark):
        for line in (work / "out").read_text().splitlines():
            fields = json.loads(line)["output_fields"]
            if fields["proc.args"].endswith(" " + mark) and fields["user.name"] != "root":
                yield fields

    def named(mark, uid, name, patience=10):
        """Runs the command until the alert has the name; returns the fields of the last one."""
        last = None
        for turn in range(2 * patience):
            become(uid, f"{mark}{turn}")
            time.sleep(0.5)
            for last in alerts(f"{mark}{turn}"):
                if last["user.name"] == name:
                    return last
        return last

    for _ in range(100):
        if pair.poll() is not None and "not permitted" in (work / "err").read_text():
            skip((work / "err").read_text().splitlines()[0])
        become(LOCAL, "begin")
        time.sleep(0.1)
        if list(alerts("begin")):
            break
    got = next(alerts("begin"), None)
    check("the first line of an id gives the name", got and (got["user.name"], got["user.homedir"]) == ("first", "/first"),
          (got, (work / "err").read_text()))
    got = named("service", UID, "ldap")
    check("the name service gives the names of other ids",
          got and (got["user.name"], got["group.name"], got["user.homedir"]) == ("ldap", "ldaps", "/home/ldap"), got)
    write_records("renamed")
    got = named("changed", UID, "renamed", patience=20)
    check("a name that changes there is known within seconds",
          got and (got["user.name"], got["group.name"]) == ("renamed", "renameds"), got)
    (work / "passwd").write_text(passwd + f"third:x:{LOCAL}:{LOCAL}::/third:/bin/sh\n")
    got = named("file", LOCAL, "third")
    check("so is one in the file", got and got["user.name"] == "third", got)
    got = named("again", UID, "renamed")
    check("which leaves the others", got and got["user.name"] == "renamed", got)
    children = pathlib.Path(f"/proc/{pair.pid}/task/{pair.pid}/children").read_text().split()
    names = [pathlib.Path(f"/proc/{each}/comm").read_text().strip() for each in children]
    check("the helper process still runs", "tiercel-names" in names, names)
    pair.terminate()
    pair.wait(timeout=20)
sys.exit(exit_code())

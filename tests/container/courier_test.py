#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""courier_test.py: the courier's container, as the chart describes it, by an OCI runtime: its user, its read-only root, its
seccomp profile, its configuration and its spool. Alerts of an analyzer wait in the spool while the container is killed, and
reach a webhook that this test plays.

Usage: courier_test.py BUILD SOURCE RUNTIME      RUNTIME: crun or runc
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("lib", "courier")]
from check import check, exit_code, skip, within
from harness import Receiver, free_port

build, source, runtime = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
ANALYZER, COURIER, GROUP = 65530, 65533, 65530
UNIFIED = pathlib.Path("/sys/fs/cgroup/unified")
RULES = "- {rule: Opened, desc: x, condition: evt.type=openat, output: opened %fd.name, priority: ERROR}\n"

if os.geteuid() != 0:
    skip("an OCI runtime needs root")
if not shutil.which(runtime):
    skip(f"{runtime} is not installed")
if not (build / "bin/tiercel-courier").exists():
    skip("tiercel-courier is not built")
try:
    import yaml
    import render
except ImportError:
    skip("python3-yaml is not installed")
if render.why_not():
    skip(render.why_not())
# crun refuses machines where cgroup v1 and v2 are mixed: a mount namespace that shows v2 alone will do, since no limit is tested.
if UNIFIED.is_dir() and "TIERCEL_TEST_UNIFIED" not in os.environ:
    os.environ["TIERCEL_TEST_UNIFIED"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", "umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && "
                          'exec "$0" "$@"', sys.executable, *sys.argv])


class Container:
    """The chart's courier, on directories that outlive it."""

    def __init__(self, work, port):
        self.work, self.running = work, None
        documents = render.documents(source / "packaging/helm/tiercel", {"courier": {
            "destinations": [{"name": "web", "type": "http", "url": f"http://127.0.0.1:{port}/"}],
            "config": {"retry": {"min": "1s", "max": "1s"}}}})
        (work / "manifest.yaml").write_text(yaml.safe_dump_all(documents))
        config = next(d for d in documents if d["metadata"]["name"] == "tiercel-courier")["data"]["courier.yaml"]
        (work / "courier.yaml").write_text(config)
        self.shared, self.spool = work / "shared", work / "spool"
        for directory in self.shared, self.spool: # as the kubelet makes an emptyDir with fsGroup
            directory.mkdir()
            os.chown(directory, 0, GROUP)
            directory.chmod(0o2777)
        self.bundle = work / "bundle"
        self.bundle.mkdir()
        binds = {"/var/lib/tiercel-courier": str(self.spool), "/etc/tiercel/courier.yaml": str(work / "courier.yaml")}
        made = subprocess.run([pathlib.Path(__file__).parent / "oci_config.py", work / "manifest.yaml", "courier",
                               work / "roots/courier", build / "seccomp/courier.json", self.shared,
                               "binds=" + json.dumps(binds), 'network="host"'], capture_output=True, text=True, check=True)
        (self.bundle / "config.json").write_text(made.stdout.replace('"/usr/bin/courier"', '"/usr/bin/tiercel-courier"'))

    def command(self, *arguments):
        options = ["--cgroup-manager", "disabled"] if runtime == "crun" else []
        return [runtime, "--root", str(self.work / "state"), *options, *arguments]

    def start(self):
        pid_file = self.work / "pid"
        pid_file.unlink(missing_ok=True)
        with open(self.work / "log", "a") as log:
            self.running = subprocess.Popen(self.command("run", "--pid-file", str(pid_file), "--bundle", str(self.bundle), "courier"),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        within(10, lambda: self.running.poll() is not None or (pid_file.exists() and pid_file.read_text()))
        self.pid = int(pid_file.read_text()) if pid_file.exists() else None
        return self.pid is not None

    def status(self, field):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return re.search(rf"^{field}:\s+(\S+)", text, re.MULTILINE).group(1)

    def kill(self):
        subprocess.run(self.command("kill", "courier", "KILL"), capture_output=True, check=False)
        self.running.wait(10)
        subprocess.run(self.command("delete", "--force", "courier"), capture_output=True, check=False)

    def said(self):
        return (self.work / "log").read_text()


def raise_alerts(socket, work):
    """Replays a capture whose alerts go to the courier. Returns how many there were."""
    rules, alerts = work / "rules.yaml", work / "alerts"
    rules.write_text(RULES)
    alerts.mkdir()
    os.chown(alerts, ANALYZER, GROUP)
    done = subprocess.run([build / "bin/analyzer", "--replay", source / "tests/data/web.scap.gz", "-r", rules, "-o",
                           "courier_output.enabled=true", "-o", f"courier_output.socket={socket}", "-o",
                           f"file_output={{enabled: true, filename: {alerts}/all}}"], user=ANALYZER, group=GROUP, extra_groups=[],
                          capture_output=True, text=True, timeout=60, check=False)
    check("the analyzer hands its alerts over", done.returncode == 0 and "lost" not in done.stderr, done.stderr)
    return (alerts / "all").read_text().count(": Error opened ")


def run(work):
    made = subprocess.run([source / "packaging/container/rootfs", build, work / "roots"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        skip(f"the root file systems cannot be made here: {made.stderr.strip()}")
    port = free_port()
    container = Container(work, port)
    if not container.start():
        skip(f"{runtime} cannot run a container here: {container.said()[-300:]}")
    try:
        deliver(container, port)
        if exit_code() != 0:
            print(container.said())
    finally:
        container.kill()


def deliver(container, port):
    socket = container.shared / "courier.sock"
    check("it listens", within(10, socket.exists), container.said())
    within(5, lambda: container.status("Seccomp_filters") == "2")
    wanted = {"Uid": str(COURIER), "Gid": str(GROUP), "NoNewPrivs": "1", "Seccomp_filters": "2",
              **{name: "0" * 16 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}}
    seen = {name: container.status(name) for name in wanted}
    check("as its own user, without capabilities, behind two filters", seen == wanted, seen)
    count = raise_alerts(socket, container.work)
    check("alerts wait in the spool", count > 10 and any(file.stat().st_size > 1000 for file in container.spool.glob("*.spool")),
          (count, list(container.spool.iterdir())))
    container.kill()
    check("the container can be started again", container.start(), container.said())
    web = Receiver(port)
    ids = lambda: {headers["X-Tiercel-Id"] for _, headers, body in web.noted if b'"rule":"Opened"' in body}
    check(f"the {count} alerts that waited arrive", within(20, lambda: len(ids()) == count), (len(ids()), container.said()))
    web.end()
    os.kill(container.pid, signal.SIGTERM)
    check("it ends when told", within(5, lambda: container.running.poll() is not None))


with tempfile.TemporaryDirectory(prefix="courier-container-") as folder:
    os.chmod(folder, 0o755)
    run(pathlib.Path(folder))
sys.exit(exit_code())

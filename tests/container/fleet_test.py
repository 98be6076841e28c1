#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fleet_test.py: packaging/fleet, a Compose file of receivers. Its files are checked by the programs that read them. podman-compose
starts its NATS and its Alertmanager from images of Debian's packages, and couriers deliver there while NATS is away, too. Loki and
Grafana are not in Debian: what is asked of them is compared with the labels that the courier gives.

Usage: fleet_test.py SOURCE [COURIER]

The containers have a network namespace of their own, and a /run.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("lib", "courier")]
from check import check, exit_code, skip, skip_part, within

source, *courier = map(os.path.abspath, sys.argv[1:])
fleet = pathlib.Path(source) / "packaging/fleet"
PROGRAMS = {"nats": "/usr/sbin/nats-server", "alertmanager": "/usr/bin/prometheus-alertmanager"}
TOOLS = [*PROGRAMS.values(), "podman", "podman-compose", "runc", "ip", "iptables", "amtool"]

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")


def run(*command, **more):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False, **more)


def check_files():
    compose = yaml.safe_load((fleet / "compose.yaml").read_text())
    services = compose["services"]
    check("the services", list(services) == ["nats", "alertmanager", "loki", "grafana"])
    mounts = [mount.split(":") for service in services.values() for mount in service["volumes"]]
    missing = [place for place, *_ in mounts if place not in compose["volumes"] and not (fleet / place).is_file()]
    check("each mount is a volume or a file beside it", not missing, missing)
    ports = [port for service in services.values() for port in service["ports"]]
    check("no port is open to a network by default", all(port.startswith("${ADDRESS:-127.0.0.1}:") for port in ports), ports)
    sources = yaml.safe_load((fleet / "grafana/datasources.yaml").read_text())["datasources"]
    check("Grafana asks Loki by its service's name and port", sources[0]["url"] == "http://loki:3100" and
          services["loki"]["ports"][0].endswith(":3100:3100"), sources)
    folder = yaml.safe_load((fleet / "grafana/dashboards.yaml").read_text())["providers"][0]["options"]["path"]
    check("and finds its dashboard", any(inside == f"{folder}/alerts.json" for _, inside, *_ in
                                         (mount for mount in mounts if len(mount) > 1)), mounts)
    check_dashboard({each["uid"] for each in sources})
    for tool, *command in (("amtool", "amtool", "check-config", fleet / "alertmanager.yml"),
                           ("nats-server", PROGRAMS["nats"], "-t", "-c", fleet / "nats.conf")):
        if shutil.which(command[0]):
            done = run(*command)
            check(f"{tool} takes its configuration", done.returncode == 0, done.stderr + done.stdout)
        else:
            skip_part(tool, "it is not installed")


def check_dashboard(sources):
    dashboard = json.loads((fleet / "grafana/alerts.json").read_text())
    given = set(re.findall(r'[{,]"(\w+)":', (pathlib.Path(source) / "courier/destinations/loki.cpp").read_text()))
    panels = dashboard["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"(\w+)=~?\"", text) + re.findall(r"by \((\w+)\)", text)}
    variables = {each["name"] for each in dashboard["templating"]["list"]}
    check("the dashboard asks for labels that the courier gives", asked == {"job", "hostname", "priority", "rule"} and asked <= given,
          (asked, given))
    check("and for variables that it has", {name for text in expressions for name in re.findall(r"\$([a-z]+)", text)} == variables)
    used = {each["datasource"]["uid"] for each in [*panels, *dashboard["templating"]["list"]]}
    check("of a source that there is", used == sources, (used, sources))


def make_image(work, service, program):
    """An image of a program of Debian's, with the C library and its own data."""
    context = work / service
    for place in program, "/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6":
        target = context / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(place, target)
    if os.path.isdir("/usr/share/prometheus"):
        shutil.copytree("/usr/share/prometheus", context / "usr/share/prometheus")
    entry = f'ENTRYPOINT ["{program}"]' if service == "alertmanager" else "ENV PATH=/usr/sbin"
    (context / "Containerfile").write_text(f"FROM scratch\nCOPY . /\n{entry}\n")
    return run("podman", "build", "--network", "none", "-t", f"localhost/{service}", context)


class Compose:
    """The Compose file, with images and a store of podman's own."""

    def __init__(self, work):
        (work / "bin").mkdir()
        (work / "containers.conf").write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
        script = work / "bin/podman"
        script.write_text(f"""#!/bin/sh
exec env CONTAINERS_CONF={work}/containers.conf {shutil.which("podman")} --root {work}/root --runroot /run/podman-run \\
    --storage-driver vfs --cgroup-manager cgroupfs --runtime {shutil.which("runc")} --network-config-dir {work}/net "$@"
""")
        script.chmod(0o755)
        os.environ["PATH"] = f"{work}/bin:{os.environ['PATH']}"
        for service in PROGRAMS:
            os.environ[f"{service.upper()}_IMAGE"] = f"localhost/{service}"

    def do(self, *command):
        return run("podman-compose", "-p", "fleet", "-f", fleet / "compose.yaml", *command)


def deliver(compose):
    from harness import Client, Courier, Nats, alerts, numbers_in, stream_bodies # pylint: disable=import-outside-toplevel

    def make_stream():
        try:
            return made.update(Nats(4222).request("$JS.API.STREAM.CREATE.ALERTS", (fleet / "stream.json").read_bytes())) or made
        except (OSError, ValueError, IndexError):
            return False

    def stored():
        return numbers_in(stream_bodies(4222))

    def listed():
        try:
            with urllib.request.urlopen("http://127.0.0.1:9093/api/v2/alerts", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            return []

    made = {}
    within(20, make_stream)
    check("NATS takes stream.json", made.get("config", {}).get("name") == "ALERTS", made)
    service = Courier(courier[0], [{"name": "stream", "type": "nats", "servers": "nats://127.0.0.1:4222"},
                                   {"name": "notify", "type": "alertmanager", "url": "http://127.0.0.1:9093"}]).start()
    within(20, lambda: os.path.exists(service.socket))
    client = Client(service.socket)
    client.send(alerts(range(200)), rule="One")
    check("the stream has 200 alerts", within(30, lambda: len(stored()) >= 200), (stored(), service.said()))
    run("podman", "kill", "fleet_nats_1")
    client.send(alerts(range(200, 300)), rule="Two")
    client.settle()
    check("NATS comes back", compose.do("start", "nats").returncode == 0)
    within(40, lambda: len(stored()) >= 300)
    check("and has the 100 that came meanwhile, in order and none twice", stored() == list(range(300)), (stored(), service.said()))
    check("Alertmanager lists both rules", within(30, lambda: {each["labels"]["alertname"] for each in listed()} >= {"One", "Two"}),
          (listed(), service.said()))
    service.remove()


def check_containers():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or not courier or os.geteuid() != 0 or os.uname().machine != "x86_64":
        return skip_part("the containers", f"{', '.join(missing) or 'root, the courier or an x86-64 machine'} is missing")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="tiercel-fleet-") as folder:
        work = pathlib.Path(folder)
        compose = Compose(work)
        for service, program in PROGRAMS.items():
            made = make_image(work, service, program)
            if made.returncode != 0:
                return skip_part("the containers", f"podman makes no image here: {made.stderr[-300:]}")
        try:
            started = compose.do("up", "-d", *PROGRAMS)
            running = run("podman", "ps", "--format", "{{.Names}}").stdout.split()
            if len(running) < len(PROGRAMS):
                return skip_part("the containers", f"podman starts none here: {(started.stdout + started.stderr)[-400:]}")
            deliver(compose)
        finally:
            compose.do("down", "-t", "1")
            run("podman", "rm", "-f", "--all")


if "TIERCEL_FLEET" not in os.environ and os.geteuid() == 0:
    os.environ["TIERCEL_FLEET"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, *sys.argv])
check_files()
check_containers()
sys.exit(exit_code())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""runtimes_test.py: Debian's containerd (pods by CRI), Docker and Podman run containers, and alerts about them have the
fields that these runtimes give, from the first alert of each container on.

Usage: runtimes_test.py ENRICHER PRIVD ANALYZER

The containers use the host's network, because that needs nothing of the machine. Everything runs in a mount namespace
with a /run of its own.
"""
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, skip_part, within

enricher, privd, analyzer = sys.argv[1:]
here = pathlib.Path(__file__).resolve().parent
REPOSITORY = "registry.local/shop/busy"
IMAGE = REPOSITORY + ":1.2"
FIELDS = ["container.id", "container.type", "container.name", "container.image", "container.image.repository",
          "container.image.tag", "container.image.id", "container.image.digest", "container.privileged",
          "container.host_network", "container.label[team]", "k8s.pod.name", "k8s.ns.name", "k8s.pod.uid",
          "k8s.pod.label[app]", "k8s.pod.sandbox_id"]
RULES = f"""
- rule: Started
  desc: d
  condition: evt.type in (execve, execveat) and evt.rawres=0 and proc.name=busybox and proc.args startswith sleep
  output: "%proc.args {' '.join('%' + name for name in FIELDS)}"
  priority: INFO
- rule: By image
  desc: The image is known only from the runtime.
  condition: >
    evt.type in (execve, execveat) and evt.rawres=0 and proc.name=busybox and proc.args startswith sleep
    and container.image.repository={REPOSITORY}
  output: "%proc.args"
  priority: INFO
- rule: Privileged
  desc: d
  condition: >
    evt.type in (execve, execveat) and evt.rawres=0 and proc.name=busybox and proc.args startswith sleep
    and container.privileged=true
  output: "%proc.args"
  priority: INFO
"""

# Privileged containers get every capability, which this machine may not have itself.
CAPABILITIES = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("CapBnd")), 16)
HAS_ALL = CAPABILITIES == 2 ** (int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1) - 1

if os.geteuid() != 0:
    skip("container runtimes need root")
if "TIERCEL_RUNTIMES" not in os.environ:
    fetched = subprocess.run([here / "fetch-runtimes.sh"], capture_output=True, text=True)
    if fetched.returncode != 0:
        skip(f"Debian's containerd and Docker cannot be fetched: {fetched.stderr.strip()[-200:]}")
    os.environ["TIERCEL_RUNTIMES"] = fetched.stdout.strip()
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])

root = pathlib.Path(os.environ["TIERCEL_RUNTIMES"])
os.environ["PATH"] = f"{root}/usr/bin:{root}/usr/sbin:{os.environ['PATH']}"
subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
work = pathlib.Path(tempfile.mkdtemp(prefix="tiercel-runtimes-"))
work.chmod(0o777)
daemons = []


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=90, **more)


def daemon(name, *command):
    """Starts it; its messages are in the file NAME.log."""
    started = subprocess.Popen(command, stdout=open(work / f"{name}.log", "w"), stderr=subprocess.STDOUT, cwd=work)
    daemons.append(started)
    return started


def log_of(name):
    return (work / f"{name}.log").read_text()[-600:]


def make_image(path):
    """An image of busybox alone, in Docker's form."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for name in "bin", "etc", "proc", "sys", "dev", "tmp":
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        tar.add(shutil.which("busybox"), "bin/busybox")
    data = layer.getvalue()
    number = hashlib.sha256(data).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/busybox", "sleep", "60"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + number]}, "history": [{}]}).encode()
    name = hashlib.sha256(config).hexdigest()
    manifest = json.dumps([{"Config": f"{name}.json", "RepoTags": [IMAGE], "Layers": [f"{number}/layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        for each, content in (f"{name}.json", config), (f"{number}/layer.tar", data), ("manifest.json", manifest):
            entry = tarfile.TarInfo(each)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return name


def field(number, value):
    """A field of a message of protocol buffers."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    length, rest = b"", len(data)
    while rest >= 128:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    return bytes([number << 3 | 2]) + length + bytes([rest]) + data


def labels(number, texts):
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in texts.items())


POD_UID = "0d7a1c8e-5b6f-4a3d-9e2c-1f0b8a7c6d5e"


def start_pod(image):
    """A pod with one container, privileged if that is possible, by CRI. Returns the ids of both."""
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0" # else newer versions of it wait for its threads at each fork
    import grpc
    channel = grpc.insecure_channel("unix:///run/containerd/containerd.sock")

    def call(name, request):
        made = channel.unary_unary(f"/runtime.v1.RuntimeService/{name}")(request, timeout=60)
        return made[2:2 + made[1]].decode() if made else ""  # field 1: an id

    network = field(3, field(1, 2))  # security_context.namespace_options.network: NODE
    own = {"io.kubernetes.pod.name": "web-7d4", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": POD_UID}
    metadata = field(1, "web-7d4") + field(2, POD_UID) + field(3, "shop")
    linux = field(1, f"/kubepods/burstable/pod{POD_UID}") + field(2, field(1, field(1, 2)) + (field(6, 1) if HAS_ALL else b""))
    config = field(1, metadata) + field(3, str(work)) + labels(6, {**own, "app": "web"}) + field(8, linux)
    sandbox = call("RunPodSandbox", field(1, config))
    context = (field(2, 1) if HAS_ALL else b"") + network  # privileged
    container = field(1, field(1, "nginx")) + field(2, field(1, image)) + field(3, "/bin/busybox") + field(3, "sleep")
    container += field(3, "61") + labels(9, {**own, "io.kubernetes.container.name": "nginx", "team": "blue"})
    container += field(11, "nginx.log") + field(15, field(2, context))
    made = call("CreateContainer", field(1, sandbox) + field(2, container) + field(3, config))
    call("StartContainer", field(1, made))
    return sandbox, made


def play_containerd(image):
    try:
        import grpc  # noqa: F401
    except ImportError:
        return skip_part("containerd", "python3-grpcio is not installed")
    (work / "containerd.toml").write_text(f"""
version = 2
root = "{work}/containerd"
state = "/run/containerd"
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{IMAGE}"
disable_apparmor = true
restrict_oom_score_adj = true
disable_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
""")
    daemon("containerd", "containerd", "-c", str(work / "containerd.toml"))
    if not within(60, lambda: run("ctr", "version").returncode == 0):
        return skip_part("containerd", f"it does not start: {log_of('containerd')}")
    os.chmod("/run/containerd/containerd.sock", 0o666)
    loaded = run("ctr", "-n", "k8s.io", "images", "import", "--snapshotter", "native", image)
    time.sleep(1)
    try:
        sandbox, container = start_pod(IMAGE)
    except grpc.RpcError as error:
        return skip_part("containerd", f"it cannot run a pod here: {error.details()[-300:]} {loaded.stderr[-200:]}")
    return {"args": "sleep 61", "runtime": "containerd", "container.privileged": HAS_ALL,
            "container.id": container[:12], "container.type": "containerd", "container.name": "nginx",
            "container.image": IMAGE, "container.image.repository": REPOSITORY, "container.image.tag": "1.2",
            "container.label[team]": "blue", "container.host_network": True, "k8s.pod.name": "web-7d4", "k8s.ns.name": "shop",
            "k8s.pod.uid": POD_UID, "k8s.pod.label[app]": "web", "k8s.pod.sandbox_id": sandbox[:12],
            "sandbox": sandbox[:12]}


def play_docker(image):
    docker = str(root / "usr/bin/docker")
    os.environ["DOCKER_HOST"] = "unix:///run/docker.sock"
    daemon("dockerd", "dockerd", "--data-root", str(work / "docker"), "--exec-root", "/run/docker", "-H", "unix:///run/docker.sock",
           "--pidfile", "/run/docker.pid", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "vfs")
    if not within(60, lambda: run(docker, "version").returncode == 0):
        return skip_part("Docker", f"it does not start: {log_of('dockerd')}")
    os.chmod("/run/docker.sock", 0o666)
    run(docker, "load", "-i", image)
    made = run(docker, "run", "-d", "--name", "web", "--network", "host", "--label", "team=blue",
               *(["--privileged"] if HAS_ALL else []), IMAGE, "/bin/busybox", "sleep", "62")
    if made.returncode != 0:
        return skip_part("Docker", f"it cannot run a container here: {made.stderr.strip()[-300:]}")
    return {"args": "sleep 62", "runtime": "Docker", "container.privileged": HAS_ALL,
            "container.id": made.stdout.strip()[:12],
            "container.type": "docker", "container.name": "web", "container.image": IMAGE,
            "container.image.repository": REPOSITORY, "container.image.tag": "1.2", "container.label[team]": "blue",
            "container.host_network": True, "k8s.pod.name": None}


def play_podman(image):
    if shutil.which("podman") is None:
        return skip_part("Podman", "it is not installed")
    podman = ["podman", "--root", str(work / "podman"), "--runroot", "/run/podman-run", "--storage-driver", "vfs",
              "--cgroup-manager", "cgroupfs"]
    if os.path.isdir("/sys/fs/cgroup/unified") and shutil.which("runc"):
        podman += ["--runtime", shutil.which("runc")] # crun refuses machines where cgroup v1 and v2 are mixed
    (pathlib.Path("/run/podman")).mkdir(exist_ok=True)
    daemon("podman", *podman, "system", "service", "--time", "0", "unix:///run/podman/podman.sock")
    if not within(30, lambda: os.path.exists("/run/podman/podman.sock")):
        return skip_part("Podman", f"it does not start: {log_of('podman')}")
    os.chmod("/run/podman/podman.sock", 0o666)
    run(*podman, "load", "-i", image)
    made = run(*podman, "run", "-d", "--name", "mail", "--network", "host", "--label", "team=blue",
               "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", IMAGE, "/bin/busybox", "sleep", "63")
    if made.returncode != 0:
        return skip_part("Podman", f"it cannot run a container here: {made.stderr.strip()[-300:]}")
    return {"args": "sleep 63", "runtime": "Podman", "container.privileged": False, "container.id": made.stdout.strip()[:12],
            "container.type": "podman", "container.name": "mail", "container.image": IMAGE,
            "container.image.repository": REPOSITORY, "container.image.tag": "1.2", "container.label[team]": "blue",
            "k8s.pod.name": None}


def alerts(rule, args):
    made = []
    for line in (work / "alerts").read_text().splitlines():
        alert = json.loads(line)
        fields = alert["output_fields"]
        if alert["rule"] == rule and fields["proc.args"].startswith(args) and fields.get("container.id") != "host":
            made.append(fields)
    return made


def too_late(title, first):
    """Events wait a second at the most: a runtime of a machine that has more to do than it can may answer later."""
    load = os.getloadavg()[0]
    late = first["container.name"] is None and load > 2 * os.cpu_count()
    if late:
        skip_part(f"{title}'s first alert", f"the runtime did not answer within a second; the machine's load is {load}")
    return late


def judge(wanted, image_id):
    title = wanted["runtime"]
    started = alerts("Started", wanted["args"])
    check(f"{title}: the container's first process raises an alert", started, (work / "errors").read_text()[-500:])
    if not started:
        return
    first = started[0]
    if too_late(title, first):
        return
    for name in FIELDS:
        if name in wanted:
            check(f"{title}: its first alert has {name} {wanted[name]!r}", first[name] == wanted[name], first[name])
    check(f"{title}: and the image's id", first["container.image.id"] == image_id[:12], first["container.image.id"])
    check(f"{title}: a condition on the image holds from the first process on", alerts("By image", wanted["args"]))
    check(f"{title}: so does one on its privilege", bool(alerts("Privileged", wanted["args"])) == wanted["container.privileged"])


try:
    image_file = str(work / "image.tar")
    image_id = make_image(image_file)
    (work / "rules.yaml").write_text(RULES)
    (work / "rules.yaml").chmod(0o644)
    socket_path = work / "enricher.sock"
    process = subprocess.Popen([enricher, "--socket", str(socket_path), "--peer-user", "nobody"], user=65533, group="nogroup",
                               extra_groups=[], stderr=open(work / "enricher.log", "w"))
    daemons.append(process)
    within(5, socket_path.exists)
    pair = subprocess.Popen([privd, "--user", "nobody", "--exec", "--", analyzer, "-r", str(work / "rules.yaml"), "-o",
                             "json_output=true", "-o", "rule_matching=all", "-o", f"enricher.socket={socket_path}"],
                            stdout=open(work / "alerts", "w"), stderr=open(work / "errors", "w"))
    time.sleep(3)
    if pair.poll() is not None:
        skip((work / "errors").read_text().splitlines()[0])
    containers = [played for played in (play(image_file) for play in (play_containerd, play_docker, play_podman)) if played]
    time.sleep(3)
    for each in containers:
        judge(each, image_id)
    pods = [each for each in alerts("Started", "sleep 60") if "sandbox" in (containers[:1] or [{}])[0]]
    if pods and not too_late("the pod's own container", pods[0]):
        check("containerd: the pod's own container has the pod's name",
              (pods[0]["container.id"], pods[0]["k8s.pod.name"]) == (containers[0]["sandbox"], "web-7d4"), pods[0])
    pair.terminate()
    check("the analyzer ends as told", pair.wait(timeout=20) == 0)
    check("nothing was lost", " 0 dropped" in (work / "errors").read_text(), (work / "errors").read_text())
    if not containers:
        skip("no runtime runs here")
finally:
    # What runs in this mount namespace ends: the daemons, their shims and the containers.
    for each in reversed(daemons):
        each.terminate()
    time.sleep(1)
    ours = os.readlink("/proc/self/ns/mnt")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            if int(pid) != os.getpid() and (os.readlink(f"/proc/{pid}/ns/mnt") == ours or
                                            command.startswith((b"/bin/busybox\0sleep\0006",))):
                os.kill(int(pid), 9)
        except OSError:
            pass
    subprocess.run(["umount", "-R", "-l", "/run"], capture_output=True)
    for mounted in reversed([line.split()[1] for line in open("/proc/self/mounts") if line.split()[1].startswith(str(work))]):
        subprocess.run(["umount", "-l", mounted], capture_output=True)
    shutil.rmtree(work, ignore_errors=True)
sys.exit(exit_code())

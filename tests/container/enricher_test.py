#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""enricher_test.py: the enricher asks container runtimes that this test plays, and Podman if it is installed. Names and
images reach the events of a process in a container's cgroup.

Usage: enricher_test.py ENRICHER PRIVD ANALYZER
"""
import ctypes
import errno
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, notice_within, skip, skip_part, within

enricher, privd, analyzer = sys.argv[1:]
MAGIC, VERSION, QUESTION, PART = 0x45435254, 2, 1, 2
DOCKER, PODMAN, CONTAINERD, CRIO = range(4)
CONTAINER, SANDBOX = range(2)
WEB, LATE, POD, PAUSE, CLOSED, NOBODYS = "5e" * 32, "1a" * 32, "c4" * 32, "5b" * 32, "de" * 32, "00" * 32
# Text of the user who started the container, with characters that could confuse a terminal or a parser.
INSPECTION = {"Id": WEB, "Name": "/web", "Image": "sha256:" + "ab" * 32,
              "State": {"StartedAt": "2026-01-02T03:04:05Z"},
              "Config": {"Image": "registry.example:5000/shop/web:1.2", "Labels": {"team": "a\x1b[31m \"b\"", "empty": ""}},
              "HostConfig": {"Privileged": True, "PidMode": "host", "NetworkMode": "bridge", "IpcMode": "private"},
              "NetworkSettings": {"IPAddress": "172.17.0.2"},
              "Mounts": [{"Source": "/srv", "Destination": "/data", "Mode": "rw", "RW": True, "Propagation": "rprivate"}]}


if os.geteuid() != 0:
    skip("users of their own need root")
work = pathlib.Path(tempfile.mkdtemp())
work.chmod(0o777) # the enricher runs as nobody here, and makes its socket in it
processes = []


class Docker(http.server.BaseHTTPRequestHandler):
    requests = []

    def do_GET(self):
        Docker.requests.append(self.requestline)
        asked = self.path.removeprefix("/containers/").removesuffix("/json")
        found = asked in (WEB, LATE)
        inspection = INSPECTION if asked == WEB else {**INSPECTION, "Id": LATE, "Name": "/late"}
        body = json.dumps(inspection if found else {"message": "No such container"}).encode()
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def address_string(self):
        return ""


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def play_docker():
    path = work / "docker.sock"
    path.unlink(missing_ok=True)
    server = UnixServer(str(path), Docker)
    path.chmod(0o666)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def field(number, value):
    """One field of a message of protocol buffers."""
    data = value.encode() if isinstance(value, str) else value
    length, rest = b"", len(data)
    while rest >= 128:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    return bytes([number << 3 | 2]) + length + bytes([rest]) + data


VERBOSE = b"\x10\x01"


def play_containerd():
    """The calls ContainerStatus and PodSandboxStatus by grpc, which is not ours. None: it is not installed."""
    # Else grpc waits for its threads at each fork of this test, and newer versions of it wait for ever.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    try:
        import grpc
        from concurrent import futures
    except ImportError:
        return None

    class Status(grpc.GenericRpcHandler):
        asked = []

        def service(self, details):
            calls = {"ContainerStatus": self.answer, "PodSandboxStatus": self.answer_pod}
            answer = calls.get(details.method.removeprefix("/runtime.v1.RuntimeService/"))
            return answer and grpc.unary_unary_rpc_method_handler(answer)

        def answer_pod(self, request, context):
            if request != field(1, PAUSE) + VERBOSE:
                context.abort(grpc.StatusCode.NOT_FOUND, "no such pod")
            status = field(1, PAUSE) + field(2, field(1, "shop-1") + field(2, "uid") + field(3, "sales"))
            status += field(5, field(1, "10.9.8.7")) + field(7, field(1, "app") + field(2, "shop"))
            return field(1, status)

        def answer(self, request, context):
            Status.asked.append(request)
            if request != field(1, POD) + VERBOSE:
                context.abort(grpc.StatusCode.NOT_FOUND, "no such container")
            labels = {"io.kubernetes.pod.name": "shop-1", "io.kubernetes.pod.namespace": "sales", "tier": "front"}
            status = field(1, POD) + field(2, field(1, "cart") + b"\x10\x02") + b"\x18\x01" + b"\x28\x80\xa0\x94\xa5\x8d\x1d"
            status += field(8, field(1, "docker.io/shop/cart:2")) + field(9, "docker.io/shop/cart@sha256:" + "cd" * 32)
            for key, value in labels.items():
                status += field(12, field(1, key) + field(2, value))
            status += field(14, field(1, "/etc/hosts") + field(2, "/var/lib/hosts") + b"\x18\x01")
            context_of = {"privileged": True, "namespace_options": {"pid": 2, "network": 2}}
            info = {"sandboxID": PAUSE, "config": {"linux": {"security_context": context_of}}, "runtimeSpec": "x" * 150_000}
            return field(1, status) + field(2, field(1, "info") + field(2, json.dumps(info)))

    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(Status(),))
    server.add_insecure_port(f"unix:{work}/containerd.sock")
    server.start()
    os.chmod(work / "containerd.sock", 0o666)
    return server, Status


def http2_headers(request):
    """The headers of a request as libnghttp2's server reads them; they end at the first one that RFC 9113 forbids.
    None: the library is not installed."""
    try:
        library = ctypes.CDLL("libnghttp2.so.14")
    except OSError:
        return None
    headers = []
    on_header = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char),
                                 ctypes.c_size_t, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t, ctypes.c_uint8,
                                 ctypes.c_void_p)(
        lambda _s, _f, name, size, value, length, _g, _u: headers.append((name[:size], value[:length])) or 0)
    callbacks, session = ctypes.c_void_p(), ctypes.c_void_p()
    library.nghttp2_session_callbacks_new(ctypes.byref(callbacks))
    library.nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header)
    library.nghttp2_session_server_new(ctypes.byref(session), callbacks, None)
    library.nghttp2_session_mem_recv.restype = ctypes.c_ssize_t
    library.nghttp2_session_mem_recv(session, request, ctypes.c_size_t(len(request)))
    library.nghttp2_session_del(session)
    library.nghttp2_session_callbacks_del(callbacks)
    return headers


def start(user, peer, *arguments):
    """The enricher as that user, serving that one."""
    path = work / f"enricher-{peer}.sock"
    path.unlink(missing_ok=True)
    command = [enricher, "--socket", str(path), "--peer-user", peer, "--docker", str(work / "docker.sock"),
               "--containerd", str(work / "containerd.sock"), "--podman", "", "--crio", str(work / "silent.sock"), *arguments]
    process = subprocess.Popen(command, user=user, group="nogroup", extra_groups=[], stderr=open(work / "errors", "a"))
    processes.append(process)
    for _ in range(100):
        if path.exists():
            break
        time.sleep(0.02)
    return process, path


def connect(path):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.settimeout(10)
    made.connect(str(path))
    return made


def question(number, runtime, identifier, subject=CONTAINER):
    return struct.pack("=IHHIII", MAGIC, VERSION, QUESTION, number, runtime, subject) + identifier.encode()


def ask(peer, number, runtime, identifier):
    """The bytes that the runtime gave, and the errno of the last part; nothing: the session was ended."""
    peer.send(question(number, runtime, identifier))
    return answer(peer, number)


def answer(peer, number, enough=lambda data: False):
    data = b""
    while True:
        record = peer.recv(16384)
        if not record:
            return None
        magic, version, kind, which, last, error = struct.unpack_from("=IHHIIi", record)
        assert (magic, version, kind) == (MAGIC, VERSION, PART), record[:20]
        if which != number:
            continue
        data += record[20:]
        if last or enough(data):
            return data, error


def ended(peer):
    try:
        return peer.recv(16384) == b""
    except ConnectionResetError:
        return True


def test_protocol():
    docker = play_docker()
    containerd = play_containerd()
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(work / "silent.sock"))
    silent.listen()
    os.chmod(work / "silent.sock", 0o666)
    process, path = start(65533, "root")
    time.sleep(0.2) # until its sandbox has closed
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{process.pid}/status").read().splitlines() if ":\t" in line)
    for name, wanted in {"Uid": "65533", "CapPrm": "0" * 16, "CapEff": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}.items():
        check(f"the enricher's {name} is {wanted}", status[name].split()[0] == wanted, status[name])
    peer = connect(path)
    data, error = ask(peer, 1, DOCKER, WEB)
    check("what Docker says comes whole", error == 0 and data.startswith(b"HTTP/1.0 200 ") and
          json.loads(data.split(b"\r\n\r\n", 1)[1]) == INSPECTION, (error, data))
    check("it was asked one thing", Docker.requests == [f"GET /containers/{WEB}/json HTTP/1.0"], Docker.requests)
    check("what it does not know, too", ask(peer, 2, DOCKER, NOBODYS)[0].startswith(b"HTTP/1.0 404 "))
    check("a runtime that is not there is ENOENT", ask(peer, 3, PODMAN, WEB) == (b"", errno.ENOENT))
    began = time.monotonic()
    check("one that says nothing is ETIMEDOUT", ask(peer, 4, CRIO, WEB) == (b"", errno.ETIMEDOUT))
    check("after two seconds", 1.5 < time.monotonic() - began < 4)
    headers = http2_headers(silent.accept()[0].recv(4096))
    if headers is None:
        skip_part("the headers of the gRPC request", "libnghttp2 is not installed")
    else:
        check("a strict HTTP/2 server takes every header of the gRPC request", dict(headers) == {
            b":method": b"POST", b":scheme": b"http", b":path": b"/runtime.v1.RuntimeService/ContainerStatus",
            b":authority": b"localhost", b"content-type": b"application/grpc", b"te": b"trailers"}, headers)
    peer.send(question(5, CRIO, WEB))
    time.sleep(0.1)
    check("another question ends the one before", ask(peer, 6, DOCKER, WEB)[1] == 0)
    docker.server_close()
    play_docker()
    check("a runtime that was started anew is asked again", ask(peer, 7, DOCKER, WEB)[0].startswith(b"HTTP/1.0 200 "))
    if containerd:
        peer.send(question(8, CONTAINERD, POD))
        data, _ = answer(peer, 8, lambda data: b"cart@sha256" in data and data.count(b"x") >= 150_000)
        check("a gRPC server of others understands the call", containerd[1].asked == [field(1, POD) + VERBOSE], containerd[1].asked)
    else:
        skip_part("containerd's protocol", "python3-grpcio is not installed")
    for what, wrong in {"a runtime that is none": question(9, 4, WEB), "a subject that is none": question(9, 0, WEB, 2), "an id that is none": question(9, 0, "../x" + WEB[4:]),
                        "a short record": question(9, 0, WEB)[:-1], "a long one": question(9, 0, WEB) + b"0",
                        "another protocol": b"\0" * 84}.items():
        other = peer if what == "a runtime that is none" else connect(path)
        other.send(wrong)
        check(f"{what} ends the session", ended(other))
        other.close()
    check("and not the enricher", ask(connect(path), 10, DOCKER, WEB)[1] == 0 and process.poll() is None)
    _, path = start(65533, "nobody")
    stranger = connect(path)
    check("another user than the analyzer is not served", ended(stranger))
    return containerd


def test_podman():
    if shutil.which("podman") is None:
        skip_part("Podman", "it is not installed")
        return
    root = work / "podman"
    (root / "rootfs").mkdir(parents=True)
    common = ["podman", "--root", str(root / "root"), "--runroot", str(root / "run"), "--storage-driver", "vfs"]
    made = subprocess.run([*common, "create", "--network", "none", "--name", "tiercel-test", "--label", "team=ours", "--rootfs",
                           str(root / "rootfs"), "/bin/true"], capture_output=True, text=True, timeout=60)
    identifier = made.stdout.strip()
    if made.returncode != 0:
        skip_part("Podman", f"it cannot make a container here: {made.stderr.strip()[-200:]}")
        return
    path = work / "podman.sock"
    processes.append(subprocess.Popen([*common, "system", "service", "--time", "60", f"unix://{path}"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    for _ in range(200):
        if path.exists():
            break
        time.sleep(0.05)
    os.chmod(path, 0o666)
    _, ours = start(65533, "root", "--podman", str(path))
    data, error = ask(connect(ours), 1, PODMAN, identifier)
    said = json.loads(data.split(b"\r\n\r\n", 1)[1]) if b" 200 " in data[:16] else {}
    check("Podman answers", error == 0 and said.get("Name", "").strip("/") == "tiercel-test", (error, data[:300]))
    check("with the label that it was made with", said.get("Config", {}).get("Labels", {}).get("team") == "ours", said)


def cgroup_of(name):
    """A cgroup of that name, where the probe sees it; None: cgroups cannot be made here."""
    for root in "/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified":
        directory = pathlib.Path(root) / name
        try:
            directory.mkdir(exist_ok=True) # one is left over if an earlier run was killed
        except OSError:
            continue
        if (directory / "cgroup.procs").exists():
            return directory
        directory.rmdir()
    return None


def inside(cgroup, times):
    """A process in the cgroup that reads a file that often."""
    shell = f"echo $$ >{cgroup}/cgroup.procs; " \
            f"for _ in $(seq {times}); do /bin/cat /etc/hostname >/dev/null; sleep 0.2; done"
    return subprocess.Popen(["/bin/sh", "-c", shell])


def test_events(containerd):
    rules = work / "rules.yaml"
    fields = ["container.id", "container.full_id", "container.type", "container.name", "container.image", "container.image.id",
              "container.image.repository", "container.image.tag", "container.image.digest", "container.label[team]",
              "container.labels", "container.privileged", "container.host_pid", "container.mount.source[/data]",
              "container.ip", "k8s.pod.name", "k8s.ns.name", "container.start_ts", "k8s.pod.ip", "k8s.pod.label[app]",
              "k8s.pod.sandbox_id", "container.host_network", "container.host_ipc"]
    rules.write_text("- rule: read\n  desc: d\n  priority: INFO\n"
                     "  condition: evt.type in (open, openat) and fd.name=/etc/hostname and container.id!=host\n"
                     "  output: read " + " ".join("%" + name for name in fields) + "\n")
    made = {}
    for identifier, name in ((WEB, f"docker-{WEB}.scope"), (POD, f"cri-containerd-{POD}.scope"), (LATE, f"docker-{LATE}.scope"),
                             (PAUSE, f"cri-containerd-{PAUSE}.scope"), (CLOSED, f"libpod-{CLOSED}.scope")):
        made[identifier] = cgroup_of(name)
    if None in made.values():
        skip_part("names in events", "cgroups cannot be made here")
        return
    closed = socket.socket(socket.AF_UNIX)
    closed.bind(str(work / "closed.sock"))
    closed.listen()
    os.chmod(work / "closed.sock", 0o600)
    # This one as the account that the analyzer will have.
    process, path = start(65533, "nobody", "--podman", str(work / "closed.sock"))
    out, err = open(work / "events", "w+"), open(work / "pair", "w+")
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(str(work / "notices"))
    os.chmod(work / "notices", 0o666)
    pair = subprocess.Popen([privd, "--user", "nobody", "--exec", "--", analyzer, "-r", str(rules), "-o", "json_output=true",
                             "-o", f"enricher.socket={path}"], stdout=out, stderr=err,
                            env=dict(os.environ, NOTIFY_SOCKET=str(work / "notices")))
    processes.append(pair)
    came = notice_within(notices, 30, b"READY=1")
    if pair.poll() is not None:
        err.seek(0)
        skip_part("names in events", err.readline().strip())
        return
    check("READY=1 comes within 30 seconds", came != b"")
    work_inside = [inside(made[identifier], 10) for identifier in (WEB, POD, PAUSE, CLOSED)]
    for each in work_inside:
        each.wait()
    process.kill() # events go on without it
    inside(made[WEB], 5).wait()
    start(65533, "nobody") # at the same path; the analyzer tries each second
    check("the analyzer finds the enricher again",
          within(30, lambda: "the enricher is there again" in pathlib.Path(err.name).read_text()))
    inside(made[LATE], 5).wait()
    time.sleep(2) # an alert waits for a name at most one second
    pair.terminate()
    check("the analyzer ends as told", pair.wait(timeout=30) == 0)
    for cgroup in made.values():
        time.sleep(0.2)
        cgroup.rmdir()
    out.seek(0)
    err.seek(0)
    printed = out.read()
    events = [json.loads(line)["output_fields"] for line in printed.splitlines()]
    said = err.read()
    of = {identifier: [each for each in events if each["container.full_id"] == identifier] for identifier in made}
    check("both containers' events come", len(of[WEB]) > 5 and len(of[POD]) > 5, (len(events), said))
    if not (of[WEB] and of[POD]):
        return
    for identifier, name in (WEB, "web"), (LATE, "late"), *([(POD, "cart"), (PAUSE, "shop-1")] if containerd else []):
        names = [each["container.name"] for each in of[identifier]]
        check(f"all alerts of {name} have its name, from the first one on", names and set(names) == {name}, names)
    web, pod = of[WEB][len(of[WEB]) // 2], of[POD][-1]
    for name, wanted in {"container.id": WEB[:12], "container.type": "docker", "container.name": "web",
                         "container.image": "registry.example:5000/shop/web:1.2", "container.image.id": "ab" * 6,
                         "container.image.repository": "registry.example:5000/shop/web", "container.image.tag": "1.2",
                         "container.label[team]": 'a\x1b[31m "b"', "container.privileged": True,
                         "container.host_pid": True, "container.mount.source[/data]": "/srv", "container.ip": "172.17.0.2",
                         "k8s.pod.name": None}.items():
        check(f"Docker's {name} is {wanted!r}", web[name] == wanted, web[name])
    check("what steers a terminal is printed as its code", "\x1b" not in printed, printed[:400])
    if containerd:
        for name, wanted in {"container.type": "containerd", "container.name": "cart", "k8s.pod.name": "shop-1",
                             "k8s.ns.name": "sales", "k8s.pod.ip": "10.9.8.7", "container.ip": "10.9.8.7",
                             "k8s.pod.label[app]": "shop", "k8s.pod.sandbox_id": PAUSE[:12], "container.privileged": True,
                             "container.host_pid": True, "container.host_network": True, "container.host_ipc": False,
                             "container.image.repository": "docker.io/shop/cart",
                             "container.image.digest": "sha256:" + "cd" * 32, "container.start_ts": 1000000000000,
                             "container.labels": "io.kubernetes.pod.name:shop-1, io.kubernetes.pod.namespace:sales, tier:front"}.items():
            check(f"containerd's {name} is {wanted!r}", pod[name] == wanted, pod[name])
    check("what was learnt outlasts the enricher", of[WEB][-1]["container.name"] == "web", of[WEB][-1])
    check("whose end is told", "the enricher has ended, so that containers have no names until it is back" in said, said)
    check("a runtime whose socket the enricher may not open is told of once",
          said.count("cannot ask, through the enricher, podman: Permission denied") == 1, said)
    check("and its containers have no names", of[CLOSED] and {each["container.name"] for each in of[CLOSED]} == {None}, of[CLOSED][:1])
    check("nothing was lost by it", " 0 dropped" in said, said)


try:
    grpc_server = test_protocol()
    test_podman()
    test_events(grpc_server)
finally:
    for each in processes:
        each.kill()
        each.wait()
    shutil.rmtree(work, ignore_errors=True)
os._exit(exit_code())

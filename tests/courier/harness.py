# SPDX-License-Identifier: Apache-2.0
"""harness: a courier under test, a client that plays the analyzer, and receivers that note what they get."""
import base64
import gzip
import http.server
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import tempfile
import threading
import time

from check import within

MAGIC, VERSION = 0x43435254, 2
HELLO, ALERT, STORED, STATE, RULES = range(1, 6)
ACCOUNT = "nobody"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Courier:
    """A courier with a spool and a socket of its own. It runs as nobody, because it refuses to run as root."""

    def __init__(self, program, destinations, **keys):
        self.program, self.peer = program, keys.pop("peer", pwd.getpwuid(os.geteuid()).pw_name)
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="courier-"))
        self.home.chmod(0o777)
        (self.home / "spool").mkdir()
        shutil.chown(self.home / "spool", ACCOUNT)
        self.socket = str(self.home / "socket")
        self.log = self.home / "log"
        config = {"spool": {"path": str(self.home / "spool"), **keys.pop("spool", {})},
                  "retry": {"min": "1s", "max": "2s"}, **keys, "destinations": destinations}
        (self.home / "courier.yaml").write_text(json.dumps(config)) # JSON is YAML
        self.process = None

    def start(self):
        account = pwd.getpwnam(ACCOUNT)
        self.process = subprocess.Popen(
            [self.program, "--config", self.home / "courier.yaml", "--socket", self.socket, "--peer-user", self.peer], user=account.pw_uid, group=account.pw_gid, extra_groups=[],
            stderr=open(self.log, "a"))
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def remove(self):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Client:
    """Plays the analyzer: sends numbered alerts, and sends again on a new connection what was not confirmed."""
    WINDOW = 2000

    def __init__(self, path, host="host-a", boot=b"b" * 16, session=None):
        self.path, self.host, self.boot = path, host.encode(), boot
        self.session = session if session is not None else time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.sequence = self.session
        self.waiting = {} # frames by sequence
        self.states = {}
        self.connection, self.buffer = None, b""

    def connect(self):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(1)
        self.connection.connect(self.path)
        self.connection.settimeout(30)
        self.buffer = b""
        hello = struct.pack("<IHHIHH16sQ", 40 + len(self.host), HELLO, 0, MAGIC, VERSION, len(self.host), self.boot,
                            self.session)
        self.connection.sendall(hello + self.host + b"".join(self.waiting.values()))

    def frame(self, text, priority, rule):
        self.sequence += 1
        rule, text = rule.encode(), text.encode()
        head = struct.pack("<IHHHB5xQQ", 32 + len(rule) + len(text), ALERT, 0, len(rule), priority, self.sequence,
                           time.time_ns())
        return head + rule + text

    def tell_rules(self, digest):
        self.connection.sendall(struct.pack("<IHH", 8 + len(digest), RULES, 0) + digest)

    def receive(self, wait):
        try:
            self.connection.settimeout(wait)
            data = self.connection.recv(1 << 16)
            if not data:
                raise ConnectionResetError
            self.buffer += data
        except (TimeoutError, BlockingIOError):
            return
        while len(self.buffer) >= 8:
            size, kind = struct.unpack_from("<IH", self.buffer)
            if len(self.buffer) < size:
                break
            record, self.buffer = self.buffer[:size], self.buffer[size:]
            if kind == STORED:
                stored = struct.unpack_from("<Q", record, 8)[0]
                while self.waiting and (first := next(iter(self.waiting))) <= stored: # they ascend
                    del self.waiting[first]
            elif kind == STATE:
                name = record[8:40].rstrip(b"\0").decode()
                values = struct.unpack_from("<6QII", record, 40)
                self.states[name] = dict(zip(("sent", "failed", "retried", "dropped", "spooled_bytes",
                                              "oldest_age_seconds", "connected"), values))

    def send(self, texts, priority=3, rule="A rule"):
        """Sends the alerts, over as many connections as it takes, without waiting for the last confirmations."""
        for text in texts:
            frame = self.frame(text, priority, rule)
            self.waiting[self.sequence] = frame
            self.attempt(lambda: self.push(frame))

    def push(self, frame):
        self.connection.settimeout(5)
        self.connection.sendall(frame)
        self.receive(0)
        while len(self.waiting) > self.WINDOW:
            self.receive(1)

    def attempt(self, action):
        """Does the action; if the connection breaks, connects again, which sends everything unconfirmed."""
        if self.connection is not None:
            try:
                return action()
            except OSError:
                self.connection = None
        end = time.monotonic() + 30
        while self.connection is None:
            try:
                self.connect()
            except OSError:
                self.connection = None
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def settle(self, seconds=30):
        """Waits until everything is confirmed."""
        end = time.monotonic() + seconds
        while self.waiting and time.monotonic() < end:
            self.attempt(lambda: self.receive(0.2))
        return not self.waiting


def alerts(numbers, padding=300):
    """Alerts in JSON, as long as real ones."""
    return [json.dumps({"n": n, "rule": "A rule", "output": "x" * padding}) for n in numbers]


class Receiver(http.server.ThreadingHTTPServer):
    """Notes (path, headers, body) of each request. `status` is a number or a function of the body."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port, status=200, answer=b"{}", tls=None):
        self.noted, self.status, self.answer = [], status, answer
        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, *_):
        pass

    def end(self):
        self.shutdown()
        self.server_close()

    def bodies(self):
        return [body for _, _, body in list(self.noted)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        status = self.server.status(body) if callable(self.server.status) else self.server.status
        if status < 300:
            self.server.noted.append((self.path, dict(self.headers), body))
        answer = self.server.answer(body) if callable(self.server.answer) else self.server.answer
        self.wfile.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(answer), answer))

    def log_message(self, *_):
        pass


class Lines(socketserver.ThreadingTCPServer):
    """A syslog server: notes each message, and closes its connections in the end."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port):
        self.messages, self.connections = [], []
        super().__init__(("127.0.0.1", port), Counted)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def end(self):
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            connection.close()


class Counted(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.connections.append(self.connection)
        while True:
            digits = b""
            while (byte := self.rfile.read(1)) not in (b" ", b""):
                digits += byte
            if not digits:
                return
            self.server.messages.append(self.rfile.read(int(digits)))


def numbers_in(texts):
    return [int(n) for text in texts for n in re.findall(rb'\\?"n\\?": (\d+)', text)]


def first_seen(numbers):
    """The numbers without the duplicates after the first of each."""
    return list(dict.fromkeys(numbers))


# docs/fleet.md shows it.
ALERTS_STREAM = json.dumps({"name": "ALERTS", "subjects": ["tiercel.alerts"], "storage": "file",
                            "duplicate_window": 120_000_000_000}).encode()


class Nats:
    """A client of NATS in its text protocol, as far as tests need it."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=5)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.socket.sendall(b'CONNECT {"verbose":false}\r\nSUB inbox 1\r\n')

    def next(self):
        """The body of the next message."""
        while not (line := self.file.readline()).startswith((b"MSG", b"HMSG")):
            if line == b"PING\r\n":
                self.socket.sendall(b"PONG\r\n")
            if not line:
                raise ConnectionResetError
        words = line.split()
        size, head = int(words[-1]), int(words[-2]) if line.startswith(b"HMSG") else 0
        return self.file.read(size + 2)[head:-2]

    def request(self, subject, body=b""):
        self.socket.sendall(b"PUB %s inbox %d\r\n%s\r\n" % (subject.encode(), len(body), body))
        return json.loads(self.next())


def stream_bodies(port):
    """What the stream ALERTS has; nothing while the server is away."""
    try:
        connection = Nats(port)
        last = connection.request("$JS.API.STREAM.INFO.ALERTS")["state"]["last_seq"]
        found = [connection.request("$JS.API.STREAM.MSG.GET.ALERTS", b'{"seq":%d}' % n) for n in range(1, last + 1)]
        return [base64.b64decode(m["message"].get("data", "")) for m in found if "message" in m]
    except (OSError, KeyError, ValueError, IndexError):
        return []


class Stream:
    """A nats-server that has the stream ALERTS, in a folder."""
    command = "nats-server"

    def __init__(self, folder):
        self.port = free_port()
        self.options = ["-js", "-sd", str(folder), "-a", "127.0.0.1", "-p", str(self.port)]
        self.start()
        self.made = self.request("$JS.API.STREAM.CREATE.ALERTS", ALERTS_STREAM)
        self.destination = {"type": "nats", "servers": f"nats://127.0.0.1:{self.port}"}

    def start(self):
        self.process = subprocess.Popen([self.command, *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        within(10, lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def request(self, subject, body=b""):
        return Nats(self.port).request(subject, body)

    def count(self):
        return self.request("$JS.API.STREAM.INFO.ALERTS")["state"]["messages"]

    def bodies(self):
        return stream_bodies(self.port)

    def end(self):
        self.process.terminate()
        self.process.wait()


class Topic:
    """A topic of the cluster that is named, or `alerts` of librdkafka's mock."""

    def __init__(self, program, brokers=None, topic="alerts"):
        real = [brokers, topic] if brokers else []
        self.process = subprocess.Popen([program, *real], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.lines = self.process.stdout
        brokers = self.lines.readline().decode().strip()
        self.destination = {"type": "kafka", "brokers": brokers, "topic": topic, "properties": ["linger.ms=1"]}

    def take(self, count):
        """The ids and the bodies of the first `count` messages; once. There are fewer if the next one does not come."""
        self.process.stdin.write(b"%d\n" % count)
        pairs = []
        while len(pairs) < count and (line := self.lines.readline()) != b"\n":
            pairs.append(line.rstrip(b"\n").split(b" ", 1))
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)


def certificates(folder):
    """Makes an authority, a server's certificate for 127.0.0.1 and a client's, by openssl. Returns their folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=authority",
            "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                f"{name}.key", "-out", f"{name}.csr")
        (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile",
                "extensions", "-out", f"{name}.pem", "-days", "2")
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


def server_tls(folder, ask_client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    if ask_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    return context

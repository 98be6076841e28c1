#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""outputs_test.py: text that a program or a rule file chose steers no terminal and forges no line in any output: each has
it as valid UTF-8, visible, and such that the bytes can be had again.

Usage: outputs_test.py ANALYZER [COURIER KAFKA_MOCK]
"""
import html
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "lib"), str(here.parent / "courier")]
import bombs
import harness
from check import check, exit_code, skip_part, within

analyzer, *rest = map(os.path.abspath, sys.argv[1:])
courier, kafka_mock = rest[:1], rest[1:]
# Each name is one that an output must not show as it is, or must tell from another.
NAMES = {
    "C0": bytes(range(1, 32)), "DEL": b"\x7f", "terminal": b"\x1b[2J\x1b]0;owned\x07", "line": b"\r\n{\"forged\":true}\n",
    "C1": "".join(map(chr, range(0x80, 0xa0))).encode(), "turned": "\u202egpj.exe\u2066x\u200f".encode(),
    "lines": "\u2028\u2029\u0085".encode(), "unseen": "\ufeff\u200b\u00ad\u2060\U000e0041\ufe0f".encode(),
    "bytes": bytes(range(0x80, 0x100)), "overlong": b"\xc0\xaf", "surrogate": b"\xed\xa0\x80",
    "too large": b"\xf4\x90\x80\x80", "cut": b"\xe2\x82", "escape": b"\\x1b\\u202e\\U000e0041", "quotes": b"\"'\\\"<b>`$(id)",
}
BEGIN, END = b"begin-", b"-end" # around each name, so that it is found
ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def decoded(text):
    """The bytes of a text that shared/escape/escape.h escaped."""
    def back(found):
        byte, short, long = found.groups()
        return bytes([int(byte, 16)]) if byte else chr(int(short or long, 16)).encode()
    parts, end = [], 0
    for found in ESCAPE.finditer(text):
        parts += text[end:found.start()].encode(), back(found)
        end = found.end()
    return b"".join([*parts, text[end:].encode()])


def strings(value):
    """All strings of a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value:
            yield from strings(part)
        if isinstance(value, dict):
            yield from strings(list(value.values()))


def from_text(shown):
    return decoded(shown)


def bytes_of(string):
    """In a JSON string only a byte that is not UTF-8, and the backslash before what reads as one, are escapes of the text."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), string.encode())


def from_json(shown):
    """The bytes of all strings."""
    return b"\n".join(map(bytes_of, strings([json.loads(line) for line in shown.splitlines() if line])))


def from_metrics(shown):
    """A label's value has its backslashes and quotes escaped once more."""
    return decoded(re.sub(r'\\([\\"])', r"\1", shown))


def from_html(shown):
    return from_text(html.unescape(shown))


def from_page(shown):
    """The page's data are JSON, whose strings are the texts that it shows."""
    return from_text("\n".join(strings(json.loads(shown))))


def harmful(character):
    """Whether a terminal, or a reader's eye, is misled by the character."""
    return character != "\n" and (unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs") or
                                  character in "\u115f\u1160\u3164\ufe0f\ufeff")


def check_output(what, data, decode, names=NAMES):
    try:
        shown = data.decode()
    except UnicodeDecodeError as error:
        check(f"{what}: it is UTF-8", False, (error, data[max(0, error.start - 40):error.start + 40]))
        return
    bad = {f"U+{ord(character):04X}" for character in shown if harmful(character)}
    check(f"{what}: all is visible", not bad, sorted(bad)[:10])
    check(f"{what}: no line is forged", "\n{\"forged\"" not in shown)
    found = decode(shown)
    lost = [name for name in names if BEGIN + NAMES[name] + END not in found]
    check(f"{what}: {len(names)} names can be had again", not lost, (lost, shown[:300]))


def number(value, kind="q"):
    return bombs.struct.pack("<" + kind, value)


def make_capture(path):
    """A process of each name opens a file of that name."""
    parts = [bombs.head()]
    for tid, name in enumerate(NAMES.values(), 100):
        text = BEGIN + name + END
        parts.append(bombs.block(bombs.PROCESSES, bombs.process(tid, 1, text[:15], text + b"\0", b"E=" + text + b"\0")))
        parts.append(bombs.event(10**18 + tid, tid, bombs.OPEN, number(5), b"/tmp/" + text + b"\0", number(1, "I"),
                                 number(0, "I"), number(0, "I"), number(0, "Q")))
    path.write_bytes(b"".join(parts))


def quoted(text):
    """A YAML string: of escapes where the text is UTF-8, and else of the bytes as they are."""
    try:
        return b'"%s"' % "".join(f"\\U{ord(character):08x}" for character in text.decode()).encode()
    except UnicodeDecodeError:
        return b"'%s'" % text


ALL = "-o", "rule_matching=all"


def make_rules(work):
    output = b"file=%fd.name name=%proc.name line=%proc.cmdline args=%evt.args"
    form = b"- {rule: %s, desc: d, condition: 'evt.type in (open, openat)', output: '%s', priority: ERROR, tags: [%s]}\n"
    (work / "rules.yaml").write_bytes(form % (b"Opened", output, b"t"))
    named = [quoted(BEGIN + text + END) for text in NAMES.values()]
    (work / "named.yaml").write_bytes(b"".join(form % (name, b"o", name) for name in named))
    (work / "wrong.yaml").write_bytes(b"".join(form.replace(b"evt.type in (open, openat)", b"no.field=1") % (name, b"o", name)
                                               for name in named))
    # The bytes of this one stand in the file as they are.
    raw = b"".join(b"- rule: %s\n  desc: d\n  condition: proc.name=%s\n  output: o\n  priority: ERROR\n" % (
        b"r%d" % index, BEGIN + text.replace(b"\n", b"") + END + b" and no.field=1")
        for index, text in enumerate(NAMES.values()))
    (work / "raw.yaml").write_bytes(raw)


def run(*options, **more):
    """The bytes on standard output and standard error of a replay."""
    done = subprocess.run([analyzer, *options], capture_output=True, timeout=120, **more)
    return done.stdout, done.stderr


def replay(work, *options):
    return run("--replay", str(work / "names.scap"), *options)


def alerts(work, key, *options):
    return replay(work, "-r", str(work / "rules.yaml"), "-o", "stdout_output.enabled=false", "-o", key, *options)


def file(work, *options):
    alerts(work, f"file_output={{enabled: true, filename: {work}/file}}", *options)
    content = (work / "file").read_bytes()
    (work / "file").unlink()
    return content


def program(work, *options):
    alerts(work, f"program_output={{enabled: true, keep_alive: true, program: cat >{work}/program}}", *options)
    within(10, lambda: (work / "program").exists() and (work / "program").stat().st_size > 0)
    return (work / "program").read_bytes()


def unix_socket(work, *options):
    got, path = [], work / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def take():
            client, _ = server.accept()
            with client:
                while part := client.recv(65536):
                    got.append(part)
        reader = threading.Thread(target=take, daemon=True)
        reader.start()
        alerts(work, f"unix_socket_output={{enabled: true, path: {path}}}", *options)
        reader.join(20)
    path.unlink()
    return b"".join(got)


def datagrams(work, place, *command):
    """What the command sends to the socket `place`, which it finds there in a mount namespace of its own."""
    root = work / "machine"
    target = root / place.lstrip("/")
    for folder in (target.parent, root / "dev"):
        folder.mkdir(parents=True, exist_ok=True)
    for minor, device in (3, "null"), (9, "urandom"):
        if not (root / "dev" / device).exists():
            os.mknod(root / "dev" / device, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    got, top = [], "/" + place.split("/")[1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(target))

        def take():
            while part := server.recv(1 << 18):
                got.append(part)
        reader = threading.Thread(target=take, daemon=True)
        reader.start()
        subprocess.run(["unshare", "--mount", "sh", "-c", f'mount --bind "{root}{top}" {top} && exec "$@"', "sh", *command],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last: # an empty datagram ends the reader
            last.connect(str(target))
            last.send(b"")
        reader.join()
    target.unlink()
    return got


def syslog(work, *options):
    return b"\n".join(datagrams(
        work, "/dev/log", analyzer, "--replay", str(work / "names.scap"), "-r", str(work / "rules.yaml"), "-o",
        "syslog_output.enabled=true", *options))


def syslog_json(work):
    return re.sub(rb"(?m)^<\d+>.*? tiercel\[\d+\]: ", b"", syslog(work, "--json"))


def journal(work):
    command = 'export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/$$/fd/1); exec "$@"'
    entries = datagrams(work, "/run/systemd/journal/socket", "sh", "-c", command, "sh", analyzer, "--replay",
                        str(work / "names.scap"), "-r", str(work / "rules.yaml"), "-r", str(work / "named.yaml"), *ALL)
    for entry in entries: # one field a line: none is left out or added by a name
        fields = [line.split(b"=")[0] for line in entry.rstrip(b"\n").split(b"\n")]
        if fields != [b"MESSAGE", b"MESSAGE_ID", b"PRIORITY", b"SYSLOG_IDENTIFIER", b"RULE"]:
            return b"\xff not the fields of an entry: " + entry
    rules = b"\n".join(line for entry in entries for line in entry.split(b"\n") if line.startswith(b"RULE="))
    check_output("the journal's field RULE", rules, from_text)
    return b"".join(entries)


def page(work):
    replay(work, "-r", str(work / "rules.yaml"), "--report", str(work / "page.html"))
    data = re.search(rb'<script type="application/json" id="data">(.*?)</script>', (work / "page.html").read_bytes(), re.S)
    return data[1] if data else b"\xff no page"


def on_live_events(work, *options, events=300_000, listener=None):
    """Runs the analyzer on the example driver's events, with rules that have the names. Without a listener, its standard
    output is a pipe."""
    driver = os.path.join(os.path.dirname(analyzer), "example_driver")
    command = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"' if listener else 'exec "$@"'
    return subprocess.Popen(
        [driver, str(events), "/bin/sh", "-c", command, "sh", analyzer, "-r", str(work / "named.yaml"), *ALL, *options],
        preexec_fn=lambda: listener and os.dup2(listener.fileno(), 3), pass_fds=[3] if listener else [],
        stdout=subprocess.DEVNULL if listener else subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def answer_to(target, work, *options):
    """What the analyzer's listener answers, or what the analyzer said if that has none of the names."""
    path = work / "metrics"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        running = on_live_events(work, *options, listener=listener)
    answer = b""

    def answered():
        nonlocal answer
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            client.sendall(b"GET %s HTTP/1.0\r\n\r\n" % target)
            with client.makefile("rb") as reader:
                answer = reader.read().split(b"\r\n\r\n", 1)[-1]
        return BEGIN in answer
    try:
        within(30, answered)
    except OSError as error:
        answer = repr(error).encode()
    os.killpg(running.pid, signal.SIGKILL) # the analyzer, too
    _, said = running.communicate()
    path.unlink()
    return answer or said


def metrics(work):
    return answer_to(b"/metrics", work)


def live_page(work):
    return answer_to(b"/", work, "-o", "metrics.page=true")


def top(work):
    """The pages that --top prints into a pipe, one each second, until one has named the rules."""
    running, shown = on_live_events(work, "--top", events=1_000_000_000), b""
    late = threading.Timer(60, os.killpg, (running.pid, signal.SIGKILL))
    late.start()
    while shown.count(END) < len(SHORT) and (part := running.stdout.read1(1 << 16)):
        shown += part
    late.cancel()
    os.killpg(running.pid, signal.SIGKILL) # the analyzer, too
    _, said = running.communicate()
    return shown[:shown.rfind(b"\n") + 1] or said


class OnPort:
    """A receiver that the test plays."""

    def __init__(self, kind):
        port = harness.free_port()
        self.server = harness.Lines(port) if kind == "syslog" else harness.Receiver(port)
        self.destination = {"type": kind, **({"address": f"127.0.0.1:{port}", "tls": False} if kind == "syslog" else
                                             {"url": f"http://127.0.0.1:{port}"})}
        self.end = self.server.end

    def bodies(self):
        return self.server.messages if hasattr(self.server, "messages") else self.server.bodies()


class OnTopic(harness.Topic):
    def bodies(self):
        return self.take(len(NAMES))[1]


def receiver_of(kind, work):
    if kind == "nats":
        return harness.Stream(work / "stream")
    return OnTopic(kafka_mock[0]) if kind == "kafka" else OnPort(kind)


def through_courier(kind, work):
    """The texts of the alerts that a receiver of this kind gets."""
    receiver = receiver_of(kind, work)
    service = harness.Courier(courier[0], [{"name": "it", **receiver.destination}]).start()
    texts = b""

    def have_all_come(): # an alert may show its name more than once
        nonlocal texts
        before, texts = texts, b"\n".join(receiver.bodies())
        time.sleep(.5)
        return texts.count(BEGIN) >= len(NAMES) and len(texts) == len(before)
    try:
        within(20, lambda: os.path.exists(service.socket))
        alerts(work, "http_output.enabled=true", "-o", f"courier_output.socket={service.socket}")
        if kind == "kafka": # which gives its messages once
            return b"\n".join(receiver.bodies())
        within(20, have_all_come)
        return texts
    finally:
        service.remove()
        receiver.end()


def from_alerts_in(texts):
    """The decoder of a receiver's JSON, in which `texts` finds the alerts' JSON: strings in strings, each escaped."""
    return lambda shown: from_json("\n".join(bytes_of(text).decode() for line in shown.splitlines()
                                             for text in texts(json.loads(line))))


def loki_texts(body):
    return [value[1] for stream in body["streams"] for value in stream["values"]]


def otlp_texts(body):
    return [log["body"]["stringValue"] for resource in body["resourceLogs"] for scope in resource["scopeLogs"]
            for log in scope["logRecords"]]


def alertmanager_texts(body):
    return [alert["annotations"]["alert"] for alert in body]


def from_syslog(shown):
    return from_json("\n".join(line[line.index("{"):] for line in shown.splitlines() if "{" in line))


def rules_of(work):
    return "-r", str(work / "rules.yaml")


SHORT = ["DEL", "overlong", "surrogate", "too large", "cut"] # the columns of a screen have room for these
# What: what gives the bytes, how the names are had back, and which are in it (all if not given).
OUTPUTS = {
    "alerts": (lambda work: replay(work, *rules_of(work))[0], from_text),
    "alerts in JSON": (lambda work: replay(work, *rules_of(work), "--json")[0], from_json),
    "events": (lambda work: replay(work, "--events")[0], from_text),
    "events in JSON": (lambda work: replay(work, "--events", "--json")[0], from_json),
    "the file": (file, from_text),
    "the file in JSON": (lambda work: file(work, "--json"), from_json),
    "the program": (program, from_text),
    "the program in JSON": (lambda work: program(work, "--json"), from_json),
    "the Unix socket": (unix_socket, from_text),
    "the Unix socket in JSON": (lambda work: unix_socket(work, "--json"), from_json),
    "syslog": (syslog, from_text),
    "syslog in JSON": (syslog_json, from_json),
    "the journal": (journal, from_text),
    "rules' names in JSON": (lambda work: replay(work, "-r", str(work / "named.yaml"), "--json", *ALL)[0], from_json),
    "statistics": (lambda work: replay(work, "-r", str(work / "named.yaml"), *ALL)[1], from_text),
    "-V": (lambda work: b"".join(run("-V", "-r", str(work / "wrong.yaml"))), from_text, []),
    "-V in JSON": (lambda work: run("-V", "--json", "-r", str(work / "wrong.yaml"))[0], from_json),
    "-V of bytes": (lambda work: b"".join(run("-V", "-r", str(work / "raw.yaml"))), from_text, []),
    "-V of bytes in JSON": (lambda work: run("-V", "--json", "-r", str(work / "raw.yaml"))[0], from_json, []),
    "-V of a configuration": (lambda work: b"".join(run("-V", "-c", str(work / "wrong.yaml"))), from_text, []),
    "a wrong --filter": (lambda work: replay(work, "--events", "--filter", os.fsdecode(
        b"proc.name=" + BEGIN + NAMES["turned"] + b"\x1b[2J\xff" + END + b" and no.field=1"))[1], from_text, []),
    "a file that is missing": (lambda work: run("-V", "-r", os.fsdecode(b"/none/" + BEGIN + NAMES["terminal"] + END))[1], from_text,
                               ["terminal"]),
    "the tree": (lambda work: replay(work, "--tree")[0], from_text, SHORT),
    "the time line": (lambda work: replay(work, "--timeline", *rules_of(work))[0], from_text, SHORT),
    "the page": (page, from_page),
    # Three rules are named; JSON has them all.
    "--explain-filter": (lambda work: b"".join(run("--explain-filter", "-r", str(work / "named.yaml"))), from_text, ["DEL"]),
    "--explain-filter in JSON": (lambda work: b"".join(run("--explain-filter", "--json", "-r", str(work / "named.yaml"))),
                                 from_json),
    "/metrics": (metrics, from_metrics),
    "the live page": (live_page, from_html),
    "--top": (top, from_text, SHORT),
}
THROUGH_COURIER = {
    "http": from_json, "loki": from_alerts_in(loki_texts), "otlp": from_alerts_in(otlp_texts),
    "alertmanager": from_alerts_in(alertmanager_texts), "syslog": from_syslog,
    "nats": from_json, "kafka": from_json,
}

with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    work.chmod(0o755)
    make_capture(work / "names.scap")
    make_rules(work)
    for what, (give, decode, *names) in OUTPUTS.items():
        if give in (syslog, syslog_json, journal) and os.geteuid() != 0:
            skip_part(what, "a socket at its place needs root")
        else:
            check_output(what, give(work), decode, *names)
    for kind, decode in THROUGH_COURIER.items() if courier else ():
        if os.geteuid() != 0:
            skip_part(kind, "a user of its own for the courier needs root")
        elif kind == "nats" and not shutil.which(harness.Stream.command):
            skip_part(kind, "nats-server is not installed")
        else:
            check_output(f"the courier's {kind}", through_courier(kind, work), decode)
sys.exit(exit_code())

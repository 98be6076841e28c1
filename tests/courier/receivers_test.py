#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""receivers_test: each destination against its real receiver, where Debian has it, or one that this test plays. Receivers
are away for a while, and nothing is lost.

Usage: receivers_test.py COURIER KAFKA-MOCK [BROKERS TOPIC]

With BROKERS (host:port) and TOPIC only a real Kafka cluster is tested. The topic must be new, with one partition.
"""
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, skip_part, within
from harness import (Client, Courier, Receiver, Stream, Topic, alerts, certificates, first_seen, free_port, numbers_in,
                     server_tls)

program, kafka_mock, *cluster = sys.argv[1:]
if os.geteuid() != 0:
    skip("a user of its own for the courier needs root")
work = pathlib.Path(tempfile.mkdtemp())
work.chmod(0o755)
keys = certificates(work / "keys") if shutil.which("openssl") else None


def start(destination, **keys):
    courier = Courier(program, [{"name": "it", **destination}], **keys).start()
    if not within(20, lambda: os.path.exists(courier.socket)):
        print(courier.said())
    client = Client(courier.socket)
    return courier, client


def expect(what, courier, numbers, wanted, seconds=30):
    """Checks that `numbers()` becomes 0 to wanted - 1, in order but for duplicates."""
    good = within(seconds, lambda: len(set(numbers())) >= wanted)
    got = numbers()
    check(f"{what}: none is lost", good, f"{len(set(got))} of {wanted}: {courier.said()[-600:]}")
    check(f"{what}: the order is kept", first_seen(got) == sorted(set(got)), got[:40])


def web():
    port = free_port()
    courier, client = start({"type": "http", "url": f"http://127.0.0.1:{port}/hook", "compress_uploads": True,
                             "user_agent": "falcosecurity/falco", "headers": ["X-Team: soc"]})
    server = Receiver(port)
    client.send(alerts(range(30)))
    expect("webhook", courier, lambda: numbers_in(server.bodies()), 30)
    path, headers, body = server.noted[-1]
    check("webhook: path, headers and JSON", path == "/hook" and headers["User-Agent"] == "falcosecurity/falco" and
          headers["X-Team"] == "soc" and headers["Content-Type"] == "application/json" and
          headers["X-Tiercel-Id"].startswith("host-a/") and "n" in json.loads(body), headers)
    server.end()
    courier.remove()


def proxied():
    port = free_port()
    server = Receiver(port) # a proxy is asked for the whole URL; here it answers itself
    os.environ["http_proxy"] = f"http://127.0.0.1:{port}"
    courier, client = start({"type": "http", "url": "http://192.0.2.1/hook", "plain_text": True})
    del os.environ["http_proxy"]
    client.send(alerts(range(3)))
    expect("webhook by a proxy", courier, lambda: numbers_in(server.bodies()), 3)
    check("webhook by a proxy: it is asked for the URL", {path for path, *_ in server.noted} == {"http://192.0.2.1/hook"}, server.noted)
    server.end()
    courier.remove()


def secure_web():
    if not keys:
        return skip_part("webhook with TLS", "openssl is not installed")
    port = free_port()
    url = f"https://127.0.0.1:{port}/"
    mutual = {"mtls": True, "client_cert": str(keys / "client.pem"), "client_key": str(keys / "client.key")}
    cases = (("no authority", {}, False), ("insecure", {"insecure": True, **mutual}, True),
             ("authority, no certificate", {"ca_cert": str(keys / "ca.pem")}, False),
             ("mutual TLS", {"ca_cert": str(keys / "ca.pem"), **mutual}, True))
    server = Receiver(port, tls=server_tls(keys, ask_client=True))
    for name, options, good in cases:
        server.noted.clear()
        courier, client = start({"type": "http", "url": url, **options})
        client.send(alerts([1]))
        client.settle()
        came = within(5 if good else 2, lambda: bool(server.noted))
        check(f"TLS, {name}: {'delivered' if good else 'refused'}", came == good, courier.said())
        courier.remove()
    server.end()


def alertmanager():
    if not shutil.which("prometheus-alertmanager"):
        return skip_part("Alertmanager", "prometheus-alertmanager is not installed")
    port, folder = free_port(), work / "alertmanager"
    folder.mkdir()
    (folder / "c.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    command = ["prometheus-alertmanager", f"--config.file={folder}/c.yml", f"--storage.path={folder}",
               f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    courier, client = start({"type": "alertmanager", "url": f"http://127.0.0.1:{port}"})

    def listed():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            return []

    client.send(["{\"n\": 1}"], rule="Shell \"in\" container", priority=2)
    client.settle()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    within(20, lambda: any(a["labels"]["alertname"].startswith("Shell") for a in listed()))
    found = [a for a in listed() if a["labels"]["alertname"] == "Shell \"in\" container"]
    check("Alertmanager: an alert with its labels", len(found) == 1 and found[0]["labels"]["priority"] == "Critical" and
          found[0]["labels"]["hostname"] == "host-a" and found[0]["annotations"]["alert"] == "{\"n\": 1}",
          (listed(), courier.said()))
    server.terminate()
    server.wait()
    courier.remove()


def stand_ins():
    port = free_port()
    server = Receiver(port, status=204)
    courier, client = start({"type": "loki", "url": f"http://127.0.0.1:{port}", "labels": ["site=lab"]})
    client.send(alerts(range(20)), rule="One")
    client.send(alerts(range(20, 40)), rule="Two")
    expect("Loki (played)", courier, lambda: numbers_in(server.bodies()), 40)
    streams = [s for b in server.bodies() for s in json.loads(b)["streams"]]
    check("Loki (played): labels and values", server.noted[0][0] == "/loki/api/v1/push" and
          streams[0]["stream"] == {"job": "tiercel", "hostname": "host-a", "priority": "Error", "rule": "One", "site": "lab"} and
          all(len(v) == 2 and v[0].isdigit() and json.loads(v[1]) for s in streams for v in s["values"]), streams[:1])
    courier.remove()
    server.end()

    server = Receiver(port, answer=b"{}")
    courier, client = start({"type": "otlp", "url": f"http://127.0.0.1:{port}"})
    client.send(alerts(range(20)))
    expect("OTLP (played)", courier, lambda: numbers_in(server.bodies()), 20)
    logs = [(r["resource"], log) for b in server.bodies() for r in json.loads(b)["resourceLogs"] for s in r["scopeLogs"]
            for log in s["logRecords"]]
    resource, log = logs[0]
    check("OTLP (played): a log record", server.noted[0][0] == "/v1/logs" and log["severityNumber"] == 17 and
          {"key": "host.name", "value": {"stringValue": "host-a"}} in resource["attributes"] and
          log["attributes"][0]["value"]["stringValue"].startswith("host-a/") and log["timeUnixNano"].isdigit(), logs[0])
    courier.remove()
    server.end()

    refused, busy = {7}, {13: 2} # 7 is never taken; 13 finds the queue full twice
    server = Receiver(port)

    def statuses(body):
        items = []
        for line in body.split(b"\n")[1::2]:
            n = json.loads(line).get("n")
            busy[n] = busy.get(n, 0) - 1
            status = 400 if n in refused else 429 if busy[n] >= 0 else 201
            if status == 201:
                taken.append(n)
            items.append({"create": {"status": status}})
        return json.dumps({"errors": any(i["create"]["status"] != 201 for i in items), "items": items},
                          separators=(",", ":")).encode()

    taken = []
    server.answer = statuses
    courier, client = start({"type": "elasticsearch", "url": f"http://127.0.0.1:{port}"})
    client.send(alerts(range(20)))
    within(20, lambda: 19 in taken)
    within(5, lambda: set(range(20)) - {7} <= set(taken))
    check("Elasticsearch (played): each document is judged by itself", set(taken) >= set(range(20)) - {7} and
          "refuses the alert" in courier.said(), (taken, courier.said()))
    action, document = map(json.loads, server.bodies()[0].split(b"\n")[:2])
    check("Elasticsearch (played): the alert's id is the document's", len(action["create"]["_id"]) == 32, action)
    check("Elasticsearch (played): the time by which data streams sort", re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", document.get("@timestamp", "")), document)
    check("Elasticsearch (played): the index", server.noted[0][0].startswith("/tiercel/_bulk?"), server.noted[0][0])
    courier.remove()
    server.end()


def rsyslog(tls):
    what = "rsyslog with TLS" if tls else "rsyslog"
    modules = "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so", "/usr/lib/aarch64-linux-gnu/rsyslog/lmnsd_gtls.so"
    if not shutil.which("rsyslogd") or (tls and not (keys and any(os.path.exists(m) for m in modules))):
        return skip_part(what, "rsyslog, rsyslog-gnutls or openssl is not installed")
    port, folder = free_port(), work / ("rsyslog" + str(tls))
    folder.mkdir()
    secure = (f'global(defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{keys}/ca.pem" '
              f'defaultNetstreamDriverCertFile="{keys}/server.pem" defaultNetstreamDriverKeyFile="{keys}/server.key")\n')
    module = 'streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"' if tls else ""
    (folder / "c").write_text((secure if tls else "") + f"""global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imtcp" {module})
input(type="imtcp" port="{port}" address="127.0.0.1")
template(name="all" type="string" string="%hostname% %app-name% %structured-data% %msg%\\n")
action(type="omfile" file="{folder}/out" template="all")
""")

    def run():
        return subprocess.Popen(["rsyslogd", "-n", "-f", folder / "c", "-i", folder / "pid"], stdout=subprocess.DEVNULL,
                                stderr=open(folder / "errors", "a"))

    server = run()
    options = {"ca_cert": str(keys / "ca.pem")} if tls else {"tls": False}
    courier, client = start({"type": "syslog", "address": f"127.0.0.1:{port}", **options})

    def numbers():
        return numbers_in([(folder / "out").read_bytes()]) if (folder / "out").exists() else []

    client.send(alerts(range(200)))
    within(20, lambda: len(numbers()) >= 200)
    server.send_signal(signal.SIGKILL)
    server.wait()
    client.send(alerts(range(200, 600)))
    time.sleep(1)
    server = run()
    expect(what, courier, numbers, 600)
    text = (folder / "out").read_text()
    check(f"{what}: host, structured data with id and rule", 'host-a tiercel [tiercel@32473 id="host-a/' in text and
          'rule="A rule"]' in text, text[:300])
    server.terminate()
    server.wait()
    courier.remove()


def nats():
    if not shutil.which(Stream.command):
        return skip_part("NATS JetStream", "nats-server is not installed")
    server = Stream(work / "nats")
    check("NATS: the stream is made", "error" not in server.made, server.made)
    courier, client = start(server.destination)
    client.send(alerts(range(300)))
    within(20, lambda: server.count() >= 300)
    server.kill()
    client.send(alerts(range(300, 900)))
    time.sleep(1)
    courier.kill() # what it has sent and not noted is sent again; the stream knows the ids
    courier.start()
    server.start()
    within(30, lambda: server.count() >= 900)
    expect("NATS JetStream", courier, lambda: numbers_in(server.bodies()), 900)
    got = numbers_in(server.bodies())
    check("NATS JetStream: the stream has no duplicate", len(got) == len(set(got)), len(got))
    server.end()
    courier.remove()


def kafka():
    topic, name = Topic(kafka_mock, *cluster), f"Kafka at {cluster[0]}" if cluster else "Kafka (librdkafka's mock)"
    courier, client = start(topic.destination)
    client.send(alerts(range(300)))
    client.settle()
    ids, bodies = topic.take(300)
    numbers = numbers_in(bodies)
    check(f"{name}: none is lost, and the order is kept", first_seen(numbers) == list(range(len(set(numbers)))) and
          len(set(numbers)) == 300, (numbers[:20], courier.said()))
    check(f"{name}: each has its id", all(i.startswith(b"host-a/") for i in ids), ids[:3])
    topic.end()
    courier.remove()


def programs():
    folder = work / "program"
    folder.mkdir()
    folder.chmod(0o777)
    port = free_port()
    server = Receiver(port)
    script = f"curl -s -m 5 --data-binary @- http://127.0.0.1:{port}/"
    if shutil.which("curl"):
        courier, client = start({"type": "program", "program": script})
        client.send(alerts(range(5)))
        expect("program with curl", courier, lambda: numbers_in(server.bodies()), 5)
        courier.remove()
    else:
        skip_part("program with curl", "curl is not installed")
    server.end()
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    courier, client = start({"type": "program", "keep_alive": True, "program":
                             f"exec python3 -c 'import socket,sys\nc=socket.create_connection((\"127.0.0.1\", {port}))\n"
                             "for l in sys.stdin.buffer: c.sendall(l)'"})
    client.send(alerts(range(50)))
    connection = listener.accept()[0]
    connection.settimeout(10)
    data = b""
    while data.count(b"\n") < 50:
        data += connection.recv(1 << 16)
    check("a kept program gets all, in order", numbers_in([data]) == list(range(50)))
    courier.remove()
    listener.close()
    courier, client = start({"type": "program", "program": f"echo x >{folder}/made || exit 0; exit 0"})
    client.send(alerts([1]))
    within(5, lambda: client.attempt(lambda: client.receive(0.2)) or client.states.get("it", {}).get("sent"))
    check("a program writes no file", not (folder / "made").exists(), courier.said())
    courier.remove()
    courier, client = start({"type": "program", "program": "exit 3"})
    client.send(alerts([1]))
    check("a program that fails is tried again", within(5, lambda: "exit code is 3" in courier.said()), courier.said())
    courier.remove()


if cluster:
    kafka()
else:
    web()
    proxied()
    secure_web()
    alertmanager()
    stand_ins()
    rsyslog(False)
    rsyslog(True)
    nats()
    kafka()
    programs()
shutil.rmtree(work, ignore_errors=True)
sys.exit(exit_code())

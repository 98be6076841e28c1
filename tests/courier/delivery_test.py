#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""delivery_test: alerts reach every destination in order, and none is lost, while the courier is killed at random moments
and receivers are absent for a while.

Usage: delivery_test.py COURIER [KILLS]
"""
import hashlib
import json
import os
import pathlib
import random
import re
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within
from harness import Client, Courier, Lines, Receiver, alerts, first_seen, free_port, numbers_in

program = sys.argv[1]
kills = int(sys.argv[2]) if len(sys.argv) > 2 else 12
if os.geteuid() != 0:
    skip("a user of its own for the courier needs root")


def statuses(body):
    """Elasticsearch's answer: 201 for each new document, 409 for one that is there."""
    count = body.count(b'{"create"')
    return b'{"errors":false,"items":[' + b",".join([b'{"create":{"status":201}}'] * count) + b"]}"


def killed_at_random():
    bulk_port, syslog_port = free_port(), free_port()
    bulk, syslog = Receiver(bulk_port, answer=statuses), Lines(syslog_port)
    courier = Courier(program, [
        {"name": "bulk", "type": "elasticsearch", "url": f"http://127.0.0.1:{bulk_port}"},
        {"name": "lines", "type": "syslog", "address": f"127.0.0.1:{syslog_port}", "tls": False}]).start()
    stop = threading.Event()

    def kill_again_and_again():
        for _ in range(kills):
            time.sleep(random.uniform(0.02, 0.4))
            courier.kill()
            courier.start()
        stop.set()

    client, sent = Client(courier.socket), 0
    within(10, lambda: os.path.exists(courier.socket))
    killer = threading.Thread(target=kill_again_and_again)
    killer.start()
    while not stop.is_set():
        client.send(alerts(range(sent, sent + 50)))
        sent += 50
        time.sleep(0.01)
    killer.join()
    check(f"{sent} alerts are confirmed over {kills} kills", client.settle(), courier.said()[-500:])
    for name, texts in (("bulk", bulk.bodies), ("lines", lambda: list(syslog.messages))):
        all_there = within(30, lambda: len(set(numbers_in(texts()))) >= sent)
        numbers = numbers_in(texts())
        check(f"{name}: none is lost", all_there, f"{len(set(numbers))} of {sent}\n{courier.said()[-800:]}")
        check(f"{name}: the order is kept", first_seen(numbers) == sorted(set(numbers)), numbers[:50])
        print(f"  {name}: {len(numbers) - len(set(numbers))} duplicates")
    documents = [line for body in bulk.bodies() for line in body.split(b"\n") if line]
    ids = dict(zip(documents[1::2], documents[0::2]))
    again = [i for i in range(0, len(documents), 2) if ids[documents[i + 1]] != documents[i]]
    check("a duplicate has the id of its first", not again, again[:3])
    check("the courier stays below 20 MiB", courier.rss_kib() < 20 << 10, courier.rss_kib())
    courier.remove()
    bulk.end()
    syslog.end()


def receiver_away():
    port = free_port()
    courier = Courier(program, [{"name": "web", "type": "http", "url": f"http://127.0.0.1:{port}/x"}]).start()
    within(10, lambda: os.path.exists(courier.socket))
    client = Client(courier.socket)
    client.send(alerts(range(100)))
    check("alerts are confirmed without a receiver", client.settle(5), courier.said())
    check("that the receiver is absent is said", within(5, lambda: "web fails" in courier.said()), courier.said())
    within(5, lambda: client.attempt(lambda: client.receive(0.2)) or client.states)
    state = client.states.get("web", {})
    check("the state tells of what waits", state.get("connected") == 0 and state.get("spooled_bytes", 0) > 10_000, state)
    check("it ends in time with an absent receiver", courier.stop() == 0)
    courier.start() # what waits survives that
    within(10, lambda: courier.said().count("web fails") == 2)
    web = Receiver(port)
    check("all arrive, in order", within(20, lambda: len(numbers_in(web.bodies())) >= 100) and
          numbers_in(web.bodies())[:100] == list(range(100)), courier.said())
    check("that it is back is said", within(5, lambda: "web is back" in courier.said()), courier.said())
    told = [body for body in web.bodies() if b"Tiercel internal: destination" in body]
    within(5, lambda: len([b for b in web.bodies() if b"destination back" in b]) > 0)
    check("alerts tell of both", any(b"destination fails" in b for b in web.bodies()) and
          any(b"destination back" in b for b in web.bodies()), told)
    web.status = lambda body: 400 if b'"n": 105' in body else 200
    client.send(alerts(range(100, 110)))
    within(10, lambda: 109 in numbers_in(web.bodies()))
    check("an alert that is refused for good holds nothing up",
          [n for n in numbers_in(web.bodies()) if n >= 100] == [100, 101, 102, 103, 104, 106, 107, 108, 109],
          courier.said())
    courier.remove()
    web.end()


def full_spool():
    for drop, kept in (("oldest", 6), ("lowest_priority", 2)):
        port = free_port()
        courier = Courier(program, [{"name": "web", "type": "loki", "url": f"http://127.0.0.1:{port}"}],
                          spool={"max_bytes": "1M", "drop": drop}).start()
        within(10, lambda: os.path.exists(courier.socket))
        client = Client(courier.socket)
        for n in range(400): # 2.4 MB; the first half of priority 2, then 6
            client.send(alerts([n], 6000), priority=2 if n < 130 else 6)
        client.settle()
        size = sum(f.stat().st_size for f in (courier.home / "spool").glob("*.spool"))
        check(f"{drop}: the spool keeps its limit", size < 1.1 * (1 << 20), size)
        check(f"{drop}: what was dropped is said", within(15, lambda: "were dropped" in courier.said()), courier.said())
        web = Receiver(port, status=204)
        within(20, lambda: 399 in numbers_in(web.bodies()))
        numbers = first_seen(numbers_in(web.bodies()))
        severe = [n for n in numbers if n < 130]
        check(f"{drop}: the right alerts are left", len(severe) == (130 if kept == 2 else 0) and numbers == sorted(numbers),
              numbers)
        within(5, lambda: any(b"alerts dropped" in body for body in web.bodies()))
        check(f"{drop}: an alert tells how many", any(b"alerts dropped" in body for body in web.bodies()))
        courier.remove()
        web.end()


def heartbeat():
    port = free_port()
    web = Receiver(port)
    destination = [{"name": "web", "type": "http", "url": f"http://127.0.0.1:{port}"}]
    silent = Courier(program, destination).start()
    courier = Courier(program, destination, heartbeat="1s").start()
    beats = lambda: [json.loads(body) for body in web.bodies()]
    within(10, lambda: len(beats()) > 0)
    check("a heartbeat without an analyzer is a warning", beats()[0]["rule"] == "Tiercel internal: heartbeat"
          and beats()[0]["priority"] == "Warning" and beats()[0]["output_fields"]["analyzers"] == "0", beats()[:1])
    client = Client(courier.socket)
    client.connect()
    check("with one it is information", within(10, lambda: beats()[-1]["priority"] == "Informational"), beats()[-1])
    tags = beats()[-1]["output_fields"]
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    check("it has the host's tags", tags["boot_id"] == boot and tags["analyzers"] == "1" and tags["version"][0].isdigit()
          and re.fullmatch("[0-9a-f]{32}", tags["agent_id"]) and tags["agent_id"] != "0" * 32, tags)
    sums = [hashlib.sha256(text).digest() for text in (b"old", b"new", b"another analyzer's")]
    rules = lambda: beats()[-1]["output_fields"]["rules_sha256"]
    check("without rules it has no sum", rules() == "", rules())
    client.tell_rules(sums[0])
    check("it has the rules' sum", within(10, lambda: rules() == sums[0].hex()), rules())
    client.tell_rules(sums[1])
    check("after a reload it has the new one", within(10, lambda: rules() == sums[1].hex()), rules())
    second = Client(courier.socket)
    second.connect()
    second.tell_rules(sums[2])
    check("each analyzer has its sum", within(10, lambda: rules() == f"{sums[1].hex()},{sums[2].hex()}"), rules())
    second.tell_rules(sums[0][:31])
    check("a sum of another length ends the connection", within(10, lambda: rules() == sums[1].hex())
          and "the rules' sum" in courier.said(), (rules(), courier.said()))
    courier.kill()
    count = len(beats())
    courier.start()
    check("a restart keeps the agent's id", within(10, lambda: len(beats()) > count + 1)
          and {beat["output_fields"]["agent_id"] for beat in beats()} == {tags["agent_id"]}, beats()[-1])
    courier.remove()
    silent.remove()
    web.end()


killed_at_random()
receiver_away()
full_spool()
heartbeat()
sys.exit(exit_code())

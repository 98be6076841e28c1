#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""measure: what an absent receiver costs the courier. For docs/performance.md; it is no test, because the figures depend on
the machine. tests/bench/courier.cpp measures how many alerts a second go through.

Usage: measure.py COURIER [SECONDS-OF-ABSENCE]
"""
import os
import pathlib
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("lib", "courier")]
from check import within
from harness import Client, Courier, Receiver, alerts, first_seen, free_port, numbers_in

program = sys.argv[1]
absence = int(sys.argv[2]) if len(sys.argv) > 2 else 60


def answer(body):
    return b'{"errors":false}'


def away():
    port = free_port()
    courier = Courier(program, [{"name": "bulk", "type": "elasticsearch", "url": f"http://127.0.0.1:{port}"}]).start()
    within(10, lambda: os.path.exists(courier.socket))
    client, sent, slowest, begin = Client(courier.socket), 0, 0.0, time.monotonic()
    while time.monotonic() - begin < absence:
        before = time.monotonic()
        client.send(alerts(range(sent, sent + 100)))
        sent += 100
        slowest = max(slowest, time.monotonic() - before)
        time.sleep(max(0.0, begin + sent / 1000 - time.monotonic()))
    bulk = Receiver(port, answer=answer)
    back = time.monotonic()
    client.settle()
    within(60, lambda: len(set(numbers_in(bulk.bodies()))) >= sent)
    numbers = numbers_in(bulk.bodies())
    print(f"receiver away for {absence} s at 1,000 alerts/s: {sent} sent, lost {sent - len(set(numbers))}, in order "
          f"{first_seen(numbers) == sorted(set(numbers))}, caught up {time.monotonic() - back:.1f} s after its return, the slowest "
          f"hand-over of 100 took {slowest * 1e3:.0f} ms, RSS {courier.rss_kib()} KiB")
    courier.remove()
    bulk.end()


away()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""measure: how many alerts a second go through the courier, and what an absent receiver costs. For docs/performance.md; it is
no test, because the figures depend on the machine.

Usage: measure.py COURIER [SECONDS-OF-ABSENCE]
"""
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Client, Courier, Receiver, alerts, first_seen, free_port, numbers_in, within

program = sys.argv[1]
absence = int(sys.argv[2]) if len(sys.argv) > 2 else 60


def answer(body):
    return b'{"errors":false}'


def rate(count=100_000):
    port = free_port()
    bulk = Receiver(port, answer=answer)
    courier = Courier(program, [{"name": "bulk", "type": "elasticsearch", "url": f"http://127.0.0.1:{port}"}]).start()
    within(10, lambda: os.path.exists(courier.socket))
    client, texts, peak = Client(courier.socket), alerts(range(count)), 0
    client.WINDOW = count
    for text in texts: # made before the clock runs, because this client is slower than the courier
        frame = client.frame(text, 3, "A rule")
        client.waiting[client.sequence] = frame
    begin = time.monotonic()
    client.connect() # sends everything that waits
    while client.waiting:
        client.receive(1)
        peak = max(peak, courier.rss_kib())
    stored = time.monotonic() - begin
    within(60, lambda: sum(b.count(b"\n") for b in bulk.bodies()) >= 2 * count)
    delivered = time.monotonic() - begin
    numbers = numbers_in(bulk.bodies())
    ticks = [int(n) for n in pathlib.Path(f"/proc/{courier.process.pid}/stat").read_text().split()[13:15]]
    cpu = sum(ticks) / os.sysconf("SC_CLK_TCK")
    print(f"{count} alerts of {len(texts[0])} bytes: stored at {count / stored:.0f}/s, delivered at {count / delivered:.0f}/s, "
          f"lost {count - len(set(numbers))}, in order {numbers == sorted(numbers)}, RSS at most {max(peak, courier.rss_kib())} "
          f"KiB, processor {cpu / count * 1e6:.0f} us an alert")
    courier.remove()
    bulk.end()


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


rate()
away()

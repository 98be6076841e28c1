#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""analyzer_test: alerts of the analyzer reach a receiver through the courier, which comes late and is killed; and an output
that fails is said at once.

Usage: analyzer_test.py COURIER ANALYZER CAPTURE
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within
from harness import Courier, Receiver, free_port

program, analyzer, capture = sys.argv[1:]
if os.geteuid() != 0:
    skip("a user of its own for the courier needs root")
work = pathlib.Path(tempfile.mkdtemp())
rules = work / "rules.yaml"
rules.write_text("- {rule: Opened, desc: x, condition: evt.type=openat, output: opened %fd.name by %proc.name, priority: ERROR}\n")


def replay(*options):
    return subprocess.Popen([analyzer, "--replay", capture, "-r", rules, *options], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def alerts_of(web):
    return [json.loads(body) for body in web.bodies() if b'"rule":"Opened"' in body]


def through_the_courier():
    port = free_port()
    web = Receiver(port)
    courier = Courier(program, [{"name": "web", "type": "http", "url": f"http://127.0.0.1:{port}/"}])
    to_courier = ["-o", "http_output.enabled=true", "-o", f"courier_output.socket={courier.socket}", "-o", "hostname=node-1"]
    process = replay(*to_courier, "-o", f"file_output={{enabled: true, filename: {work}/all}}")
    time.sleep(0.5)
    courier.start() # the analyzer waits with the alerts
    time.sleep(0.3)
    courier.kill()
    courier.start()
    _, said = process.communicate(timeout=60)
    # Alerts about the output itself are in the file, too.
    wanted = (work / "all").read_text().count(": Error opened ")
    within(20, lambda: len({a["time"] + a["output"] for a in alerts_of(web)}) >= wanted)
    got = alerts_of(web)
    ids = {headers["X-Tiercel-Id"] for _, headers, body in web.noted if b'"rule":"Opened"' in body}
    check(f"all {wanted} alerts arrive", wanted > 10 and len(ids) == wanted, (len(ids), len(got), said, courier.said()))
    check("they are JSON, although the file's are text", all(a["hostname"] == "node-1" and a["output_fields"] for a in got[:5]),
          got[:1])
    written = re.search(re.escape(f"courier {courier.socket}: ") + r"([0-9]+) written, 0 discarded, 0 failed", said)
    check("the statistics count them", written and int(written.group(1)) >= wanted, said)
    courier.remove()
    web.end()


def without_a_courier():
    process = replay("-o", "courier_output.enabled=true", "-o", f"courier_output.socket={work}/none")
    _, said = process.communicate(timeout=60)
    check("without a courier the analyzer runs, and says what is lost", process.returncode == 0 and
          "before the end" in said and "these alerts are lost" in said, said)


def failing_output():
    said = []
    process = replay("-o", "file_output={enabled: true, filename: /dev/full}")
    reader = threading.Thread(target=lambda: said.extend(iter(process.stderr.readline, "")))
    reader.start()
    process.wait(60)
    reader.join()
    text = "".join(said)
    check("a full disk is said", "/dev/full" in text and "No space left on device" in text, text)


def folded():
    process = replay("-o", "outputs.fold={by: [rule], window: 1000s}", "-o",
                     f"file_output={{enabled: true, filename: {work}/folded}}", "-o", "json_output=true")
    _, said = process.communicate(timeout=60)
    lines = [json.loads(line) for line in (work / "folded").read_text().splitlines()]
    check("many alerts become two, the second with the count", len(lines) == 2 and
          lines[1]["output_fields"].get("count", 0) > 10 and "first_time" in lines[1]["output_fields"], (lines, said))


through_the_courier()
without_a_courier()
failing_output()
folded()
sys.exit(exit_code())

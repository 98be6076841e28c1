#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""analyzer_test: alerts of the analyzer reach a receiver through the courier, which comes late and is killed; an output that
fails is said at once, and the heartbeat has the sum of the rules.

Usage: analyzer_test.py COURIER ANALYZER CAPTURE PRIVD
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, skip_part, within
from harness import ACCOUNT, Courier, Receiver, free_port

program, analyzer, capture, privd = sys.argv[1:]
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


def sum_of_the_rules():
    """The live pair: the heartbeat has what docs/fleet.md says that one computes, also after a reload."""
    port = free_port()
    web = Receiver(port)
    courier = Courier(program, [{"name": "web", "type": "http", "url": f"http://127.0.0.1:{port}/"}], heartbeat="1s",
                      peer=ACCOUNT).start()
    within(10, lambda: os.path.exists(courier.socket))
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    rule = "- {rule: R%d, desc: x, condition: evt.type=openat and proc.name=%s, output: x, priority: INFO}\n"
    for n in (1, 2):
        (folder / f"{n}0-rules.yaml").write_text(rule % (n, f"none{n}"))
    said = open(work / "live", "w+")
    pair = subprocess.Popen([privd, "--exec", "--user", ACCOUNT, "--", analyzer, "-r", folder, "-o", "courier_output.enabled=true",
                             "-o", f"courier_output.socket={courier.socket}"], stdout=subprocess.DEVNULL, stderr=said)

    def is_told():
        wanted = subprocess.run(f"cat {folder}/*.yaml | sha256sum", shell=True, check=True, capture_output=True, text=True)
        return told() == wanted.stdout.split()[0]

    def told():
        beats = [body for body in web.bodies() if b"heartbeat" in body]
        return json.loads(beats[-1])["output_fields"]["rules_sha256"] if beats else None

    if not within(60, lambda: pair.poll() is not None or told()) or pair.poll() is not None:
        skip_part("the sum of live rules", f"the pair does not run: {(work / 'live').read_text()}")
    else:
        check("the heartbeat has the sum of the rules", within(20, is_told), told())
        (folder / "20-rules.yaml").write_text(rule % (2, "another"))
        check("until the reload it is the old one", not is_told())
        pair.send_signal(signal.SIGHUP)
        check("after the reload it is the new one", within(20, is_told), (told(), (work / "live").read_text()))
        before = told()
        (folder / "20-rules.yaml").write_text("- rule: wrong\n")
        pair.send_signal(signal.SIGHUP)
        within(20, lambda: "the old ones stay" in (work / "live").read_text())
        beats = len(web.bodies())
        within(20, lambda: len(web.bodies()) > beats + 2)
        check("rules that are refused do not change it", told() == before, told())
        pair.terminate()
    pair.wait(30)
    courier.remove()
    web.end()


through_the_courier()
without_a_courier()
failing_output()
folded()
sum_of_the_rules()
sys.exit(exit_code())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recording_test.py: live recordings from the command line: sysdig shows the same events, files rotate by size and time,
and alerts start captures.

Usage: recording_test.py PRIVD ANALYZER
"""
import gzip
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, skip_part, within

privd, analyzer = sys.argv[1:]

EVENTS, LARGE_EVENTS = 0x216, 0x221
GENERIC = 1
# What libscap of 2022, under sysdig 0.29, knows: event codes below, and all but one name of a syscall as ours.
KNOWN_BELOW = 336
NAMES = {"rt_sigreturn": "sigreturn"}


def start(*arguments):
    """The pair, when it watches."""
    errors = tempfile.TemporaryFile("w+")
    pair = subprocess.Popen([privd, "--exec", "--", analyzer, *arguments], stdout=subprocess.DEVNULL, stderr=errors)
    pair.errors = errors
    return pair


def stop(pair):
    pair.send_signal(signal.SIGINT)
    status = pair.wait(timeout=60)
    pair.errors.seek(0)
    return status, pair.errors.read()


def size(path):
    return os.stat(path).st_size if os.path.exists(path) else 0


def work(folder):
    """A bit of everything: processes, files, sockets, signals, and a call that is newer than sysdig."""
    path = f"{folder}/file"
    subprocess.run(["/bin/sh", "-c", f"echo x >{path}; cat {path}; ln {path} {path}.2; mv {path}.2 {path}.3; "
                    f"chmod 600 {path}; rm {path} {path}.3; mkdir {path}; rmdir {path}; kill -CONT $$; (cd /; pwd) | cat"],
                   stdout=subprocess.DEVNULL)
    for family, address in (socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET6, ("::1", 0)), (socket.AF_UNIX, path):
        try:
            with socket.create_server(address, family=family) if family != socket.AF_UNIX else socket.socket(family) as one:
                if family == socket.AF_UNIX:
                    one.bind(path)
                    one.listen()
                with socket.socket(family) as other:
                    other.connect(one.getsockname())
                    accepted, _ = one.accept()
                    other.sendall(b"hello")
                    accepted.recv(5)
                    accepted.close()
        except OSError: # no IPv6 here
            pass
    os.unlink(path)
    os.close(os.memfd_create("recording"))
    os.close(os.pidfd_open(os.getpid()))


def blocks(path):
    """Time, thread, CPU, code, first number and place of each event of a capture, plain or packed."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind in (EVENTS, LARGE_EVENTS):
            cpu, ts, tid, _, code, count = struct.unpack_from("<HQQIHI", data, at + 8)
            first = struct.unpack_from("<H", data, at + 8 + 28 + 2 * count)[0] if code == GENERIC else None
            yield ts, tid, cpu, code, first, at
        at += length


def replay(path):
    done = subprocess.run([analyzer, "--replay", path, "--events", "--json"], capture_output=True, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def check_with_sysdig(name, path):
    status, events = replay(path)
    recorded = list(blocks(path))
    check(f"{name}: our replay reads all {len(recorded)} events", (status, len(events)) == (0, len(recorded)),
          (status, len(events)))
    if len(events) != len(recorded):
        return
    named = {event["evt.type"] for event, block in zip(events, recorded) if block[3] == GENERIC and block[4] == 0}
    check(f"{name}: calls too new for sysdig are in it, and named by ours", "rseq" in named, named)
    expected = []
    for event, (ts, tid, cpu, code, first, _) in zip(events, recorded):
        kind = "<unknown>" if code == GENERIC and first == 0 else NAMES.get(event["evt.type"], event["evt.type"])
        if code < KNOWN_BELOW:
            expected.append(f"{ts} {tid} {cpu} {kind}")
    shown = subprocess.run(["sysdig", "-D", "-r", path, "-p", "%evt.rawtime %thread.tid %evt.cpu %evt.type"],
                           capture_output=True, text=True, errors="replace", timeout=120)
    check(f"{name}: sysdig reads it to the end", shown.returncode == 0, (shown.returncode, shown.stderr[-300:]))
    lines = shown.stdout.splitlines()
    different = [pair for pair in zip(lines, expected) if pair[0] != pair[1]]
    check(f"{name}: and shows the same {len(expected)} events", lines == expected,
          (len(lines), len(expected), different[:5]))


def test_standard_output(folder):
    """A recording that goes to standard output, as `tiercel record` makes them, is as one that goes to a file."""
    for name, target in ("out.scap", "-"), ("out.scap.gz", "-.gz"):
        path = f"{folder}/{name}"
        with open(path, "wb") as out:
            subprocess.run([privd, "--exec", "--", analyzer, "--record", target, "-M", "2"], stdout=out,
                           stderr=subprocess.DEVNULL, timeout=120)
        status, events = replay(path)
        check(f"{target}: our replay reads all events", (status, len(events)) == (0, len(list(blocks(path)))), status)
        check(f"{target}: there are events", len(events) > 0)
    with open(path, "rb") as packed:
        check("-.gz: the recording is packed", packed.read(2) == b"\x1f\x8b")


def test_sysdig(folder):
    has_sysdig = shutil.which("sysdig") and b"0.29" in subprocess.run(["sysdig", "--version"], capture_output=True).stdout
    if not has_sysdig:
        skip_part("sysdig 0.29 on live recordings", "it is not installed (apt-get install sysdig)")
    for name in "live.scap", "live.scap.gz":
        path = f"{folder}/{name}"
        pair = start("--record", path)
        if not within(60, lambda: size(path) > 0 or pair.poll() is not None) or pair.poll() is not None:
            skip(stop(pair)[1].strip())
        for _ in range(20):
            work(folder)
        status, said = stop(pair)
        check(f"{name}: recording ends with 0", status == 0, said)
        if has_sysdig:
            check_with_sysdig(name, path)


def test_size(folder):
    pair = start("--record", f"{folder}/size.scap", "-C", "1", "-W", "3")
    numbered = [f"{folder}/size.{number}.scap" for number in range(3)]
    full = within(60, lambda: (work(folder), size(numbered[2]) > 100_000)[1])
    check("-C 1 -W 3 comes to the third file", full)
    again = within(60, lambda: (work(folder), size(numbered[2]) >= 1_000_000 and size(numbered[0]) < 1_000_000)[1])
    check("and then to the first one again", again, [size(each) for each in numbered])
    check("recording in rotation ends with 0", stop(pair)[0] == 0)
    check("no other file was made", not os.path.exists(f"{folder}/size.scap") and not os.path.exists(f"{folder}/size.3.scap"))
    spans = []
    for each in numbered:
        status, events = replay(each)
        check(f"{os.path.basename(each)} can be read by itself", status == 0 and len(events) > 100, (status, len(events)))
        recorded = list(blocks(each))
        spans.append((recorded[0][0], recorded[-1][0]))
        head = recorded[0][5]
        check(f"{os.path.basename(each)} is of about that size", size(each) < max(1_000_000, head) + 200_000, size(each))
    # The recording may have gone on to the next file before it stopped, so the oldest is any of the three.
    oldest = min(range(3), key=lambda number: spans[number][0])
    ordered = [spans[(oldest + step) % 3] for step in range(3)]
    check("their times follow one another", ordered[0][1] <= ordered[1][1] <= ordered[2][1], spans)


def test_time(folder):
    pair = start("--record", f"{folder}/time.scap.gz", "-G", "1", "-W", "2")
    paths = [f"{folder}/time.{number}.scap.gz" for number in range(2)]
    end = time.monotonic() + 60
    while time.monotonic() < end and not all(map(size, paths)):
        work(folder)
    work(folder)
    check("-G 1 -W 2 comes to the second file", all(map(size, paths)))
    check("recording by time ends with 0", stop(pair)[0] == 0)
    for each in paths:
        times = [block[0] for block in blocks(each)]
        check(f"{os.path.basename(each)} spans about a second", 0 < max(times) - min(times) < 1_500_000_000,
              max(times) - min(times))
        check(f"{os.path.basename(each)} can be read by itself", replay(each)[0] == 0)


def test_alert(folder):
    marker, rules = f"{folder}/marker", f"{folder}/rules.yaml"
    with open(rules, "w") as file:
        file.write(f"""
- rule: Marker
  desc: the test opens it
  condition: evt.type in (open, openat) and fd.name={marker}
  output: marker
  priority: WARNING
  capture: true
  capture_duration: 1000
- rule: Ready
  desc: the test asks whether events come
  condition: evt.type in (open, openat) and fd.name={marker}-ready
  output: ready
  priority: WARNING
""")
    for name in "-long-before", "-before", "", "-after", "-long-after", "-ready":
        open(marker + name, "w").close()
    alerts = f"{folder}/alerts"
    pair = start("-r", rules, "-o", "capture.enabled=true", "-o", f"capture.path_prefix={folder}/around", "-o",
                 "capture.before=1000", "-o", "capture.files=2", "-o", "file_output.enabled=true", "-o",
                 f"file_output.filename={alerts}")
    touch = lambda name: open(marker + name).close()
    check("rules are watched", within(60, lambda: (touch("-ready"), size(alerts) > 0)[1]))
    for name, pause in ("-long-before", 3), ("-before", 0.3), ("", 0.3), ("-after", 2), ("-long-after", 0.2):
        touch(name)
        time.sleep(pause)
    status, said = stop(pair)
    check("it ends with 0", status == 0, said)
    path = f"{folder}/around.0.scap"
    check("the rule and the file are told", f"rule 'Marker' matched: capturing to {path}" in said, said)
    status, events = replay(path)
    check("the capture can be read", status == 0 and len(events) > 0, (status, len(events)))
    text = json.dumps(events)
    for name in "-before", "", "-after":
        check(f"what happened at marker{name} is in it", f'{marker}{name}"' in text)
    for name in "-long-before", "-long-after":
        check(f"what happened at marker{name} is not", f'{marker}{name}"' not in text)
    check("the other file was not needed", size(f"{folder}/around.1.scap") == 0)
    again = subprocess.run([analyzer, "--replay", path, "-r", rules, "--json"], capture_output=True, text=True)
    found = [json.loads(line) for line in again.stdout.splitlines()]
    check("replayed, it alerts again", any(one["rule"] == "Marker" for one in found), again.stdout)


def test_captures_by_id(folder):
    """--capture-alerts: each file is named by its alert, whose JSON names it; the number of files is bounded."""
    marker, rules, captures = f"{folder}/by-id", f"{folder}/by-id.yaml", f"{folder}/captures"
    with open(rules, "w") as file:
        file.write(f"""
- rule: By id
  desc: the test opens it
  condition: evt.type in (open, openat) and fd.name={marker}
  output: by id
  priority: WARNING
""")
    open(marker, "w").close()
    os.mkdir(captures, 0o700)
    refused = subprocess.run([privd, "--exec", "--", analyzer, "-r", rules, "--capture-alerts", captures, "-M", "1"],
                             capture_output=True, text=True, timeout=60)
    check("a directory of another account is refused, with what to do",
          refused.returncode == 1 and "install -d -o tiercel" in refused.stderr, refused.stderr)
    os.chmod(captures, 0o777)
    alerts = f"{folder}/by-id.json"
    pair = start("-r", rules, "--json", "--capture-alerts", captures, "-o", "capture.before=500", "-o", "capture.default_duration=500",
                 "-o", "capture.files=3", "-o", "file_output.enabled=true", "-o", f"file_output.filename={alerts}")
    lines = lambda: open(alerts).read().splitlines() if os.path.exists(alerts) else []
    check("the first alert comes", within(60, lambda: (open(marker).close(), len(lines()) > 0)[1]))
    for _ in range(5): # captures of their own, more than there are files
        time.sleep(1.5)
        open(marker).close()
    last = within(20, lambda: len(lines()) > 5) and json.loads(lines()[-1])
    status, said = stop(pair)
    check("it ends with 0", status == 0, said)
    check("there are as many files as were asked for", len(os.listdir(captures)) == 3, os.listdir(captures))
    check("the last alert names its capture", last and os.path.dirname(last["capture_file"]) == captures and size(last["capture_file"]) > 0,
          last)
    if not last:
        return
    page = f"{folder}/by-id.html"
    made = subprocess.run([analyzer, "--replay", last["capture_file"], "-r", rules, "--report", page], capture_output=True, text=True)
    check("the report of that file has the alert", made.returncode == 0 and "(Warning): " in made.stderr and '"By id"' in open(page).read(),
          made.stderr)


if os.geteuid() != 0:
    skip("events need root")
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o777) # the analyzer is another user
    test_sysdig(folder)
    test_standard_output(folder)
    test_size(folder)
    test_time(folder)
    test_alert(folder)
    test_captures_by_id(folder)
sys.exit(exit_code())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""names_test.py: a program whose name, arguments and files contain terminal escapes, line breaks and broken UTF-8 cannot
forge a line of the output, steer a terminal, or break the JSON.

Usage: names_test.py PRIVD ANALYZER
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within

privd, analyzer = sys.argv[1:]
# Each would do harm if it were printed as it is.
HOSTILE = [b"\x1b[2J\x1b]0;owned\x07", b"line\n{\"forged\":true}", b"carriage\rreturn", b"\xff\xfe\x80 no UTF-8",
           "\u202etxt.exe".encode(), b"\xc2\x9b31m", b'"quoted\\'] # \xc2\x9b is CSI as one character
MARKER = "hostile-names"


def attack(folder):
    """Runs a program of each hostile name, with the name as argument, on a file of that name."""
    for text in HOSTILE:
        program = os.path.join(os.fsencode(folder), text)
        if not os.path.exists(program):
            shutil.copy("/bin/cat", program)
            os.mkdir(program + b"-" + MARKER.encode())
        subprocess.run([program, text, program + b"-" + MARKER.encode() + b"/file"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)


def watch(folder, rules, *options):
    """The bytes that the analyzer prints while the attacks run."""
    out, err = open(f"{folder}/out", "w+b"), open(f"{folder}/err", "w+b")
    pair = subprocess.Popen([privd, "--exec", "--", analyzer, *rules, *options], stdout=out, stderr=err)

    def attacked():
        attack(folder)
        return pair.poll() is not None or os.fstat(out.fileno()).st_size > 0
    within(60, attacked)
    attack(folder)
    if pair.poll() is not None:
        err.seek(0)
        skip(err.readline().decode().strip())
    pair.send_signal(signal.SIGINT)
    check("the analyzer ends with 0", pair.wait(timeout=60) == 0)
    for file in out, err:
        file.seek(0)
    return out.read(), err.read()


def controls(data):
    """The characters of `data`, but line feeds, that steer terminals or turn text around."""
    text = data.decode(errors="surrogateescape")
    return {character for character in text if character != "\n" and
            (ord(character) < 32 or 127 <= ord(character) < 160 or 0x202a <= ord(character) <= 0x202e or
             0x2066 <= ord(character) <= 0x2069)}


def check_lines(what, data):
    check(f"{what}: the attack is in it", MARKER.encode() in data, data[:200])
    check(f"{what}: no character steers a terminal", not controls(data), controls(data))
    check(f"{what}: no line is forged", b"\n{\"forged\"" not in data)


def check_json(what, data):
    check(f"{what}: no control character is in it", not any(byte < 32 and byte != 10 for byte in data))
    try:
        events = [json.loads(line) for line in data.splitlines()]
    except ValueError as error:
        events = []
        check(f"{what}: each line is JSON", False, error)
    check(f"{what}: the attack is in it", any(MARKER in json.dumps(event) for event in events), data[:200])
    check(f"{what}: no event is forged", not any("forged" in event for event in events))


if os.geteuid() != 0:
    skip("watching events needs root")
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o777) # the analyzer is another user
    rules = f"{folder}/rules.yaml"
    pathlib.Path(rules).write_text(f"""
- rule: Hostile
  desc: the attack opens files of this name
  condition: evt.type in (open, openat) and fd.name contains {MARKER}
  output: file=%fd.name name=%proc.name line=%proc.cmdline exe=%proc.exepath
  priority: WARNING
""")
    only = ["--events", "--filter", f"evt.type in (open, openat) and fd.name contains {MARKER}"]
    for what, arguments in ("events", only), ("alerts", ["-r", rules]):
        shown, said = watch(folder, arguments)
        check_lines(what, shown)
        check(f"{what}: standard error steers no terminal", not controls(said), said[-300:])
        check_json(f"{what} as JSON", watch(folder, arguments, "--json")[0])
sys.exit(exit_code())

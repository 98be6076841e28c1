#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run_cli.py: runs command-line tests that are written as data.

Usage: run_cli.py FILE NAME=VALUE...     each NAME becomes a variable of the environment

A file consists of blocks, which blank lines separate. Lines that begin with `#` are comments. A test is

    NAME    what is tested
    RUN     a command line of bash, which lines that are indented continue
    EXIT    its exit code (0 if not given)
    EXPECT  TEXT     standard output contains the text; ERROR TEXT: so does standard error
    EXPECT_LINES N   standard output has so many lines; ERROR_LINES N: so does standard error

and `FILE NAME` makes a file of the indented lines that follow. `NEEDS PATH WHAT` skips the rest of the file, loudly, if the
path is absent. All commands of a file run in one empty directory, one after the other.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from check import check, exit_code, skip_part

WORDS = {"NAME", "RUN", "EXIT", "EXPECT", "ERROR", "EXPECT_LINES", "ERROR_LINES", "FILE", "NEEDS"}


def parse(text):
    """Returns the blocks, each a list of (word, value). Indented lines belong to the line before, blank ones between too."""
    blocks, blank = [], 1
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            blank += 1
        elif line[0] == " " and blocks:
            word, value = blocks[-1][-1]
            blocks[-1][-1] = (word, value + "\n" * (blank + 1) + line)
            blank = 0
        else:
            word, _, value = line.partition(" ")
            if word not in WORDS:
                sys.exit(f"line {number}: '{word}' is none of {', '.join(sorted(WORDS))}")
            if blank > 0:
                blocks.append([])
            blocks[-1].append((word, value))
            blank = 0
    return blocks


def matches(word, value, done):
    """Returns whether the run is as the line says, and what it is."""
    if word == "EXIT":
        return done.returncode == int(value), done.returncode
    stream = done.stderr if word.startswith("ERROR") else done.stdout
    if word.endswith("_LINES"):
        return stream.count("\n") == int(value), stream[-2000:]
    return value in stream, stream[-2000:]


def run(block, environment):
    settings = dict(block)
    if "RUN" not in settings or "NAME" not in settings:
        sys.exit(f"a block has no NAME or no RUN: {block}")
    done = subprocess.run(["bash", "-c", settings["RUN"]], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=120)
    wanted = [each for each in block if each[0] not in ("NAME", "RUN")]
    if "EXIT" not in settings:
        wanted.append(("EXIT", "0"))
    faults = [f"{word} {value}, but it is {seen!r}" for word, value in wanted
              for good, seen in [matches(word, os.path.expandvars(value), done)] if not good]
    check(settings["NAME"], not faults, "\n".join([*faults, done.stderr[-500:]]))


def main():
    file, values = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    os.environ.update(value.split("=", 1) for value in values)
    tests = 0
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        for block in parse(file.read_text()):
            word, value = block[0]
            if word == "NEEDS":
                path, _, what = value.partition(" ")
                if not os.path.exists(os.path.expandvars(path)):
                    skip_part(what, f"{os.path.expandvars(path)} is absent")
                    break
            elif word == "FILE":
                name, _, content = value.partition("\n")
                pathlib.Path(name).write_text(os.path.expandvars(textwrap.dedent(content)) + "\n")
            else:
                run(block, os.environ)
                tests += 1
    check(f"{tests} tests have run", tests > 0)
    sys.exit(exit_code())


main()

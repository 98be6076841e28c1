#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tidy.py: runs clang-tidy on sources of ours, several at once.

Usage: tidy.py DATABASE CHECKS FILE...      DATABASE is a compile_commands.json

Most of clang-tidy's time goes to the headers that every source includes. Sources of one folder that are compiled alike
are therefore checked as one: a file that includes them. A group whose names clash is halved until none clashes.
"""
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

MOST_AT_ONCE = 6
OURS = r"/(shared|policy|kernel|privd|analyzer|enricher|courier|ptrace|tests)/.*\.(h|cpp)$"
CONFIGURATIONS = tempfile.TemporaryDirectory()
DIAGNOSTIC = re.compile(r"^(/[^:\n]+:\d+:\d+: (?:warning|error): .*)$", re.M)


def flags_of(entry):
    """Returns what the compiler is told besides the source and the object."""
    words = shlex.split(entry["command"])
    while not words[0].endswith(("++", "cc")) or words[0].endswith("ccache"):
        words.pop(0)
    for option in "-o", "-c":
        at = words.index(option)
        del words[at:at + 2]
    return tuple(words[1:])


def groups_of(entries):
    alike = {}
    for entry in entries:
        key = os.path.dirname(entry["file"]), flags_of(entry), entry["directory"]
        alike.setdefault(key, []).append(entry["file"])
    for (_, flags, directory), files in alike.items():
        for at in range(0, len(files), MOST_AT_ONCE):
            yield files[at:at + MOST_AT_ONCE], flags, directory


@functools.cache
def config_of(folder):
    """Returns a file with the configuration of the folder's sources, those of the folders above put in."""
    config = pathlib.Path(CONFIGURATIONS.name) / (folder.strip("/").replace("/", "-") + ".yaml")
    dumped = subprocess.run(["clang-tidy-16", "--dump-config", f"{folder}/x.cpp", "--"], check=True, capture_output=True,
                            text=True)
    # clang-tidy 16 writes the largest number as -1, and does not read that.
    config.write_text("".join(line for line in dumped.stdout.splitlines(True) if not line.endswith(": '-1'\n")))
    return config


def tidy(checks, source, config, flags, directory):
    done = subprocess.run(["clang-tidy-16", "--quiet", f"--checks={checks}", f"--header-filter={OURS}",
                           f"--config-file={config}", source, "--", *flags],
                          cwd=directory, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + ("" if done.returncode == 0 else done.stderr)


def check_group(checks, files, flags, directory):
    """Returns whether the files are clean, and clang-tidy's words about them."""
    config = config_of(os.path.dirname(files[0]))
    if len(files) == 1:
        return tidy(checks, files[0], config, flags, directory)
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as together:
        together.writelines(f'#include "{file}" // NOLINT\n' for file in files)
        together.flush()
        clean, words = tidy(checks, together.name, config, flags + (f"-iquote{os.path.dirname(files[0])}",), directory)
    if clean or "[clang-diagnostic-" not in words:
        return clean, words
    half = len(files) // 2
    results = [check_group(checks, part, flags, directory) for part in (files[:half], files[half:])]
    return all(clean for clean, _ in results), "".join(words for _, words in results)


def main():
    database, checks, *files = sys.argv[1:]
    wanted = set(files)
    entries = {entry["file"]: entry for entry in json.load(open(database)) if entry["file"] in wanted}
    clean, seen = True, set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        tasks = [workers.submit(check_group, checks, *group) for group in groups_of(entries.values())]
        for task in concurrent.futures.as_completed(tasks):
            good, words = task.result()
            clean = clean and good
            # A fault in a header is found once for each source that includes it.
            found = set(DIAGNOSTIC.findall(words))
            if not good and (found - seen or not found):
                print(words, end="", flush=True)
            seen |= found
    sys.exit(0 if clean else 1)


main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tidy.py: runs clang-tidy on sources of ours, several at once.

Usage: tidy.py DATABASE CHECKS FILE...      DATABASE is a compile_commands.json

Most of clang-tidy's time goes to the headers that every source includes. Sources that can be compiled alike are therefore
checked as one: a file that includes them. A source whose names clash with those of the sources before it is checked in
another file.
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

MOST_AT_ONCE = 24
OURS = r"/(shared|policy|kernel|privd|analyzer|enricher|courier|ptrace|tests)/.*\.(h|cpp)$"
# Where headers are and what a name means; the flags of code and of debug symbols do not change what is found.
MEANT = "-I", "-isystem", "-D", "-U", "-std", "-pthread", "-fno-exceptions", "-fno-rtti", "-include"
WITH_A_WORD = "-isystem", "-include"
CONFIGURATIONS = tempfile.TemporaryDirectory()
DIAGNOSTIC = re.compile(r"^(/[^:\n]+:\d+:\d+: (?:warning|error): .*)$", re.M)


def flags_of(entry):
    """Returns the flags that say what the source means, each with its word, in the order of the command."""
    words = iter(shlex.split(entry["command"]))
    return [(word, next(words)) if word in WITH_A_WORD else (word,) for word in words if word.startswith(MEANT)]


@functools.cache
def config_of(folder):
    """Returns a file with the configuration of the folder's sources, those of the folders above put in."""
    dumped = subprocess.run(["clang-tidy-16", "--dump-config", f"{folder}/x.cpp", "--"], check=True, capture_output=True,
                            text=True).stdout
    # clang-tidy 16 writes the largest number as -1, and does not read that.
    text = "".join(line for line in dumped.splitlines(True) if not line.endswith(": '-1'\n"))
    config = pathlib.Path(CONFIGURATIONS.name) / f"{abs(hash(text))}.yaml"
    config.write_text(text)
    return config


def defined(flags):
    return dict(flag[0][2:].partition("=")[::2] for flag in flags if flag[0].startswith("-D"))


def groups_of(entries):
    """Yields lists of sources with flags that fit all of them: no two give one macro two values."""
    groups = []
    for entry in sorted(entries, key=lambda entry: entry["file"]):
        flags = flags_of(entry)
        macros = defined(flags)
        dialect = (config_of(os.path.dirname(entry["file"])), entry["file"].rpartition(".")[2],
                   [flag for flag in flags if flag[0].startswith(("-std", "-fno", "-include"))])
        for group in groups:
            known = group["macros"]
            if group["dialect"] == dialect and len(group["files"]) < MOST_AT_ONCE and \
                    all(known.get(name, value) == value for name, value in macros.items()):
                break
        else:
            group = {"dialect": dialect, "files": [], "flags": {}, "macros": {}}
            groups.append(group)
        group["files"].append(entry["file"])
        group["flags"].update(dict.fromkeys(flags))
        group["macros"].update(macros)
    for group in groups:
        yield group["files"], group["dialect"][0], [word for flag in group["flags"] for word in flag]


def together(files, room):
    """Returns the path of a file that includes those, one in each third line, their main() under other names."""
    path = pathlib.Path(room) / f"together.{files[0].rpartition('.')[2]}"
    path.write_text("".join(f'#define main main_{number}\n#include "{file}" // NOLINT\n#undef main\n'
                            for number, file in enumerate(files)))
    return str(path)


def clashing(files, flags, room):
    """Returns the files that do not compile behind those before them."""
    done = subprocess.run(["clang++-16", "-fsyntax-only", "-w", "-ferror-limit=0", together(files, room), *flags],
                          capture_output=True, text=True)
    lines = re.findall(r"^In file included from .*/together\.[a-z]+:(\d+):$", done.stderr, re.M)
    return [files[number // 3] for number in sorted({int(line) - 1 for line in lines})] if done.returncode != 0 else []


def parts_of(files, flags, room):
    """Yields the files in parts that compile together. Files that all define the same names are parts of their own."""
    while files:
        part, later = files, []
        # A clash hides others, so the compiler is asked until it has no complaint.
        while clash := clashing(part, flags, room):
            later += clash
            part = [file for file in part if file not in clash]
        if part:
            yield part
        if len(later) > len(part):
            yield from ([file] for file in later)
            return
        files = later


def check_group(checks, files, config, flags):
    """Returns whether the files are clean, and clang-tidy's words about them."""
    clean, words = True, ""
    flags = [*flags, *(f"-iquote{folder}" for folder in dict.fromkeys(map(os.path.dirname, files))),
             "-Wno-return-type"] # only main() may leave its value out, and has another name here
    if files[0].endswith(".c"):
        checks += ",-readability-identifier-naming" # C of ours is named as the kernel's is
    with tempfile.TemporaryDirectory() as room:
        for part in parts_of(files, flags, room):
            done = subprocess.run(["clang-tidy-16", "--quiet", f"--checks={checks}", f"--header-filter={OURS}",
                                   f"--config-file={config}", together(part, room), "--", *flags],
                                  capture_output=True, text=True)
            clean = clean and done.returncode == 0
            words += done.stdout + ("" if done.returncode == 0 else done.stderr)
    return clean, words


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

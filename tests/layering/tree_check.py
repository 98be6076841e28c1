# SPDX-License-Identifier: Apache-2.0
"""tree_check.py: what the checks of the source tree share: the list of files, the command line and the self-test.

A check is a function that takes a tree and returns how many files it read and the faults that it found, as lines.
"""
import os
import subprocess
import sys
import tempfile


def files_of(tree, ending=""):
    """The files that git knows; in an unpacked archive, all but the build directories."""
    known = subprocess.run(["git", "-c", f"safe.directory={tree}", "-C", tree, "ls-files", "-z"],
                           capture_output=True, check=False)
    if known.returncode == 0 and os.path.exists(os.path.join(tree, ".git")):
        names = known.stdout.decode().split("\0")
        return sorted(name for name in names if name.endswith(ending) and os.path.isfile(os.path.join(tree, name)))
    found = []
    for directory, folders, names in os.walk(tree):
        folders[:] = [name for name in folders if name != ".git" and not name.startswith("build")]
        found += [os.path.relpath(os.path.join(directory, name), tree) for name in names if name.endswith(ending)]
    return sorted(found)


def self_test(check, sound, planted):
    """Plants one fault at a time in a small sound tree, and expects that it is found. `sound`: {path: content};
    `planted`: (path, content, a part of the line that tells the fault)."""
    for name, text, expected in [(None, None, None)] + planted:
        with tempfile.TemporaryDirectory() as tree:
            for path, content in {**sound, **({name: text} if name else {})}.items():
                os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
                with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
                    file.write(content)
            _, faults = check(tree)
        if [expected in fault for fault in faults] != ([True] if expected else []):
            sys.exit(f"{name}: expected {expected!r}, found {faults}")
    print(f"{len(planted)} planted faults are found")


def main(check, files, sound, planted):
    """Runs the check, or its self-test. `files`: what the check calls the files that it counts."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} TREE | --self-test")
    if sys.argv[1] == "--self-test":
        self_test(check, sound, planted)
        return
    count, found = check(os.path.abspath(sys.argv[1]))
    for line in found:
        print(line)
    print(f"{count} {files} checked, {len(found)} faults")
    sys.exit(1 if found else 0)

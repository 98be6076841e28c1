#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""licences.py: every file names its licence. Prints each fault as FILE: what, and exits 1 when there is one.

Usage: licences.py TREE
       licences.py --self-test

A file names its licence by an SPDX line among its first ten lines, or by an annotation of REUSE.toml other than the
one for all files. The text of each named licence lies in LICENSES/. What the kernel runs or shares (kernel/,
shared/event/) is "GPL-2.0-only OR Apache-2.0"; everything else is Apache-2.0.
"""
import os
import re
import tomllib

import tree_check

SPDX = re.compile(rb"SPDX-License-Identifier: ([A-Za-z0-9.()\- ]*[A-Za-z0-9.)])")
DUAL = "GPL-2.0-only OR Apache-2.0"


def matcher(pattern):
    """REUSE's globs: `*` stays within a folder, `**` does not."""
    parts = re.split(r"(\*\*|\*)", pattern)
    text = "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
    return re.compile(text + r"\Z")


def annotations(tree):
    with open(os.path.join(tree, "REUSE.toml"), "rb") as file:
        listed = tomllib.load(file)["annotations"]
    for entry in listed:
        paths = [entry["path"]] if isinstance(entry["path"], str) else entry["path"]
        if paths != ["**"]:
            yield [matcher(path) for path in paths], entry["SPDX-License-Identifier"]


def named_licence(tree, name, listed):
    """The licence that the file itself names, else the last annotation that matches it, else None."""
    with open(os.path.join(tree, name), "rb") as file:
        found = SPDX.search(b"\n".join(file.read(4096).split(b"\n")[:10]))
    if found:
        return found.group(1).decode()
    licence = None
    for patterns, entry in listed:
        if any(pattern.match(name) for pattern in patterns):
            licence = entry
    return licence


def check(tree):
    listed = list(annotations(tree))
    faults = []
    files = tree_check.files_of(tree)
    for name in files:
        licence = named_licence(tree, name, listed)
        if licence is None:
            faults.append(f"{name}: names no licence (add an SPDX line, or a path to REUSE.toml)")
            continue
        for part in re.split(r" OR | AND ", licence):
            if not os.path.isfile(os.path.join(tree, "LICENSES", part + ".txt")):
                faults.append(f"{name}: LICENSES/{part}.txt is missing")
        dual = name.startswith(("kernel/", "shared/event/"))
        if dual and licence != DUAL:
            faults.append(f"{name}: the kernel's part is {DUAL}, this says {licence}")
    return len(files), faults


REUSE = 'version = 1\n[[annotations]]\npath = "**"\nSPDX-License-Identifier = "Apache-2.0"\n' \
        '[[annotations]]\npath = "**.md"\nSPDX-License-Identifier = "Apache-2.0"\n'
SPDX_LINE = "// SPDX-License-" + "Identifier: "
SOUND = {"REUSE.toml": "# SPDX-License-" + "Identifier: Apache-2.0\n" + REUSE, "LICENSES/Apache-2.0.txt.md": "",
         "LICENSES/Apache-2.0.txt": SPDX_LINE + "Apache-2.0", "LICENSES/GPL-2.0-only.txt": SPDX_LINE + "Apache-2.0",
         "notes.md": "", "policy/plan.h": SPDX_LINE + "Apache-2.0\n", "kernel/probe.c": SPDX_LINE + DUAL + "\n"}
PLANTED = [("policy/plan.h", "int plan;\n", "names no licence"),
           ("policy/plan.h", "\n" * 10 + SPDX_LINE + "Apache-2.0\n", "names no licence"),
           ("policy/plan.h", SPDX_LINE + "MIT\n", "LICENSES/MIT.txt is missing"),
           ("kernel/probe.c", SPDX_LINE + "Apache-2.0\n", "the kernel's part is")]

if __name__ == "__main__":
    tree_check.main(check, "files", SOUND, PLANTED)

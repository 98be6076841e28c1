#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""links.py: the pages name each other rightly. Prints each fault as FILE: what, and exits 1 when there is one.

Usage: links.py TREE
       links.py --self-test

Each relative link of a Markdown page leads to a file or folder that exists, and to a heading that the page has. So does
each path in `backticks` that begins with a folder of the tree; a part in capitals stands for any name. Each page of docs/
is listed in docs/README.md.
"""
import os
import re

import tree_check

LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`([A-Za-z0-9_.-]+/[A-Za-z0-9_./-]*)`")


def read(tree, page):
    with open(os.path.join(tree, page), encoding="utf-8") as file:
        return file.read()


def anchors(text):
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ +(.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check(tree):
    faults = []
    pages = tree_check.files_of(tree, ".md")
    for page in pages:
        text = re.sub(r"^```.*?^```", "", read(tree, page), flags=re.M | re.S)
        for link in LINK.findall(text):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if not os.path.exists(os.path.join(tree, target)):
                faults.append(f"{page}: there is no {link}")
            elif anchor and target.endswith(".md") and anchor not in anchors(read(tree, target)):
                faults.append(f"{page}: {target} has no heading #{anchor}")
    index = read(tree, "docs/README.md") if "docs/README.md" in pages else ""
    folders = {name for name in os.listdir(tree) if os.path.isdir(os.path.join(tree, name)) and not name.startswith("build")}
    for page in pages:
        for path in PATH.findall(read(tree, page)):
            parts = path.rstrip("/").split("/")
            while any(part.isupper() for part in parts):
                parts.pop()
            if parts and parts[0] in folders and not os.path.exists(os.path.join(tree, *parts)):
                faults.append(f"{page}: there is no {path}")
    for page in pages:
        name = os.path.basename(page)
        if os.path.dirname(page) == "docs" and name != "README.md" and f"({name})" not in index:
            faults.append(f"{page}: docs/README.md does not list it")
    return len(pages), faults


SOUND = {"README.md": "[a](docs/a.md#one-two) [web](https://example.org/x)", "docs/README.md": "[a](a.md)",
         "docs/a.md": "# One: two\n[up](../README.md) [here](#one-two)\n"}
PLANTED = [("README.md", "[a](docs/b.md)", "there is no docs/b.md"),
           ("README.md", "[a](docs/a.md#three)", "has no heading #three"),
           ("README.md", "[a](docs/a.md) `docs/a.md` `docs/NAME/x.md` `docs/c.md` `etc/c`", "there is no docs/c.md"),
           ("docs/b.md", "", "does not list it")]

if __name__ == "__main__":
    tree_check.main(check, "pages", SOUND, PLANTED)

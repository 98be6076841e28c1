#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bombs.py: makes captures, rule files and configuration files of at most 10 MB that cost a careless reader minutes or
gigabytes. bombs_test.py reads them all; the fuzz targets begin with small ones.

Usage: bombs.py FOLDER [SCALE]    SCALE: the share of the full numbers of entries, 1 by default
"""
import gzip
import hashlib
import itertools
import pathlib
import shutil
import struct
import sys

PROCESSES, EVENTS, FDS = 0x215, 0x216, 0x218
CLONE, OPEN, READ = 223, 3, 7
MOST_BYTES = 10_000_000


def block(kind, content):
    content += b"\0" * (-len(content) % 4)
    length = len(content) + 12
    return struct.pack("<II", kind, length) + content + struct.pack("<I", length)


def text(value):
    return struct.pack("<H", len(value)) + value


def head():
    machine = struct.pack("<IQQ", 4, 1 << 34, 32768) + b"host".ljust(128, b"\0") + struct.pack("<4Q", 1, 0, 0, 0)
    return block(0x0A0D0D0A, struct.pack("<IHHQ", 0x1A2B3C4D, 1, 2, 2**64 - 1)) + block(0x201, machine)


def process(tid, parent=0, name=b"c", args=b"", environment=b"", cgroups=b""):
    content = struct.pack("<5q", tid, tid, parent, 1, 1) + text(name) + text(name) + text(b"/c") + text(args) + text(b"/")
    content += struct.pack("<qIII", 1024, 0, 0, 0) + struct.pack("<IIIQQ", 0, 0, 0, 0, 0) + text(environment)
    content += struct.pack("<qq", tid, tid) + text(cgroups) + text(b"/")
    return struct.pack("<I", 4 + len(content)) + content


def file(number, name):
    content = struct.pack("<qQB", number, 1, 1) + text(name)
    return struct.pack("<I", 4 + len(content)) + content


def event(time, tid, code, *params):
    content = struct.pack("<QQIHI", time, tid, 26 + 2 * len(params) + sum(map(len, params)), code, len(params))
    content += b"".join(struct.pack("<H", len(param)) for param in params) + b"".join(params)
    return block(EVENTS, struct.pack("<H", 0) + content)


def clone(time, tid, child, parent, result=0):
    def number(value, kind="q"):
        return struct.pack("<" + kind, value)
    return event(time, tid, CLONE, number(result), b"c\0", b"", number(child), number(child), number(parent), b"",
                 number(1024), number(0), number(0), *[number(0, "I")] * 3, b"c\0", b"", *[number(0, "I")] * 3,
                 number(child), number(child), number(0))


def colliding_tids(count):
    """Thread ids with the same middle bits of their product with the golden ratio, by which hash tables often index."""
    inverse = pow(0x9E3779B97F4A7C15, -1, 1 << 64)
    tids = ((high << 44 | 5 << 24) * inverse % (1 << 64) for high in range(1, 4 * count))
    return [tid for tid in tids if tid < 1 << 63][:count]


def filler(seed, size=65_000):
    """Text that packs to about a ninetieth, so that a packed capture stays below the reader's limit of 100 times."""
    return hashlib.shake_128(str(seed).encode()).hexdigest(size // 180).encode().ljust(size, b"A")


def lists(kind, entries, each=1000, prefix=b""):
    """Blocks of `each` entries."""
    entries = iter(entries)
    while some := b"".join(itertools.islice(entries, each)):
        yield block(kind, prefix + some)


def captures(scale):
    """Yields (name, the capture's parts)."""
    def many(count):
        return max(int(count * scale), 4)

    end = [event(10**9, 1, READ, struct.pack("<q", 0), b"")]
    yield "colliding", itertools.chain([head()], lists(PROCESSES, map(process, colliding_tids(many(60_000)))), end)
    yield "large-processes", itertools.chain([head()], lists(
        PROCESSES, (process(tid, 0, *[filler(tid)] * 4) for tid in range(1, many(2_000))), 20), end)
    yield "large-files", itertools.chain([head(), block(PROCESSES, process(1))], *(lists(
        FDS, (file(number, b"/" + filler(tid * 100 + number)) for number in range(100)), 100, struct.pack("<q", tid))
        for tid in range(1, many(40))), end)
    yield "many-files", itertools.chain([head()], lists(PROCESSES, map(process, range(1, 101))), *(lists(
        FDS, (file(number, b"/f%d" % (tid * number)) for number in range(many(10_000))), 1000, struct.pack("<q", tid))
        for tid in range(1, 101)), end)
    yield "files-of-nobody", itertools.chain([head()], (
        block(FDS, struct.pack("<q", tid) + file(3, b"/f")) for tid in range(1, many(150_000))), end)
    yield "self-parent", [head(), clone(1, 5, 5, 5), clone(2, 5, 6, 5, 6), clone(3, 6, 5, 6, 5), *end]
    yield "clone-chain", itertools.chain([head(), block(PROCESSES, process(1))], (
        clone(tid, tid - 1, tid, tid - 1) for tid in range(2, many(100_000))), end)
    yield "nested-processes", itertools.chain([head()], lists(PROCESSES, (process(tid, tid - 1, b"")
                                                                       for tid in range(1, many(900_000)))), end)
    yield "nested-processes-from-below", itertools.chain([head()], lists(PROCESSES, (
        process(tid, tid - 1, b"") for tid in range(many(900_000), 0, -1))), end)
    yield "one-parent", itertools.chain([head(), block(PROCESSES, process(1) + process(2, 1))], lists(
        FDS, (file(number, b"/file/%d" % number) for number in range(many(4_000))), 1000, struct.pack("<q", 2)), (
        clone(tid, tid, tid, 2) + event(tid, tid, OPEN, struct.pack("<q", 9), b"/own\0", struct.pack("<I", 1),
                                        struct.pack("<I", 0), struct.pack("<I", 0), struct.pack("<Q", 0))
        for tid in range(3, many(3_000))), end)
    yield "large-events", itertools.chain([head()], (
        event(time, time, READ, struct.pack("<q", 0), filler(time)) for time in range(1, many(3_000))), end)
    yield "lengths-that-lie", [head(), struct.pack("<II", PROCESSES, 0xFFFFFFF0) + b"A" * 1000]


RULE = "- rule: r\n  desc: d\n  condition: %s\n  output: o\n  priority: INFO\n"


def rules(scale):
    def many(count):
        return max(int(count * scale), 4)

    def joined(between, form, count):
        return between.join(form % number for number in range(many(count)))

    yield "doubling-lists", "- list: l0\n  items: [a, b]\n" + "".join(
        f"- list: l{n}\n  items: [l{n - 1}, l{n - 1}]\n" for n in range(1, 40)) + RULE % "proc.name in (l39)"
    yield "doubling-macros", "- macro: m0\n  condition: proc.name=a\n" + "".join(
        f"- macro: m{n}\n  condition: (m{n - 1} or m{n - 1})\n" for n in range(1, 40)) + RULE % "m39"
    yield "doubling-empty-lists", "- list: l0\n  items: []\n" + "".join(
        f"- list: l{n}\n  items: [l{n - 1}, l{n - 1}]\n" for n in range(1, 40)) + RULE % "proc.name in (l39)"
    yield "chain-of-lists", "- list: l0\n  items: [a]\n" + "".join(
        f"- list: l{n}\n  items: [l{n - 1}]\n" for n in range(1, many(9_980))) + RULE % f"proc.name in (l{many(9_980) - 1})"
    yield "chain-of-macros", "- macro: m0\n  condition: evt.num>0\n" + "".join(
        f"- macro: m{n}\n  condition: m{n - 1}\n" for n in range(1, many(9_980))) + RULE % f"m{many(9_980) - 1}"
    yield "nested-macros", "- macro: m0\n  condition: evt.num>0\n" + "".join(
        f"- macro: m{n}\n  condition: {'not (proc.name=a and ' * 90}m{n - 1}{')' * 90}\n" for n in range(1, 63)) + RULE % "m62"
    yield "macros-of-many", "".join(f"- macro: m{n}\n  condition: proc.name=x{n}\n" for n in range(many(4_900))) + (
        f"- macro: all\n  condition: {joined(' or ', 'm%d', 4_900)}\n") + "".join(
        f"- macro: n{n}\n  condition: all\n" for n in range(many(4_900)))
    yield "list-in-many-rules", f"- list: l\n  items: [{joined(', ', 'a%d', 490_000)}]\n" + "".join(
        (RULE % "proc.name in (l)").replace("rule: r", f"rule: r{n}") for n in range(many(9_000)))
    yield "list-in-many-lists", f"- list: l\n  items: [{joined(', ', 'a%d', 490_000)}]\n" + "".join(
        f"- list: l{n}\n  items: [l]\n" + (RULE % f"proc.name in (l{n})").replace("rule: r", f"rule: r{n}")
        for n in range(many(4_000)))
    yield "circle-of-macros", "- macro: a\n  condition: b\n- macro: b\n  condition: a\n" + RULE % "a"
    yield "list-of-itself", "- list: a\n  items: [a]\n" + RULE % "proc.name in (a)"
    yield "prefixes", RULE % f"fd.name pmatch ({joined(', ', '/a%d', 100_000)})"
    yield "nested-prefixes", RULE % ("fd.name pmatch (" + ", ".join("/a" * n for n in range(1, many(2_000))) + ")")
    yield "many-or", RULE % joined(" or ", "proc.name=a%d", 200_000)
    yield "unknown-macros", "".join(f"- macro: makro{n}\n  condition: evt.num>0\n" for n in range(many(4_900))) + "".join(
        (RULE % joined(" or ", "mekro%d", 150)).replace("rule: r", f"rule: r{n}") for n in range(many(4_500)))
    yield "unknown-fields", "".join((RULE % joined(" or ", "proc.nane%d=a", 40)).replace("rule: r", f"rule: r{n}")
                                    for n in range(many(9_900)))
    yield "unknown-fields-in-one-call", RULE % f"concat({joined(', ', 'proc.nane%d', 600_000)})=a"
    yield "unknown-fields-to-skip", "".join(
        (RULE % f"concat({joined(', ', 'proc.nane%d', 60)})=a").replace("rule: r", f"rule: r{n}")
        + "  skip-if-unknown-filter: true\n" for n in range(many(9_000)))
    yield "unknown-types", f"- list: l\n  items: [{joined(', ', 'opan%d', 490_000)}]\n" + RULE % "evt.type in (l)"
    yield "many-and-not", RULE % joined(" and not ", "proc.name=a%d", 100_000)
    yield "parentheses", RULE % ("(" * many(100_000) + "evt.num>0" + ")" * many(100_000))
    yield "negations", RULE % ("not " * many(200_000) + "evt.num>0")
    yield "long-list", f"- list: l\n  items: [{joined(', ', 'a%d', 800_000)}]\n" + RULE % "proc.name in (l)"
    yield "aliases", "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    yield "list-of-aliases", "- list: l0\n  items: &a0 [x, y, z, x, y, z, x, y, z]\n" + "".join(
        f"- list: l{n}\n  items: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)) + RULE % "proc.name in (l8)"
    long = "evt.num>0 and proc.name=" + "a" * many(1_000_000)
    yield "aliases-of-long-text", f"- macro: m\n  condition: &c {long}\n" + "".join(
        f"- macro: m{n}\n  condition: *c\n" for n in range(many(9_900)))
    yield "list-of-aliases-of-long-text", f"- list: l\n  items: [&a {'a' * many(5_000_000)}]\n- list: m\n  items: [" + (
        joined(", ", "*a%.0s", 900_000)) + "]\n"
    yield "escapes", RULE % ("\"evt.num>0 and proc.name='" + "\\x5a" * many(2_300_000) + "'\"")
    yield "escapes-after-blanks", RULE % ("\"evt.num>0 and proc.name='b" + "\n" * many(5_000_000)
                                          + "\\x5a" * many(1_000_000) + "'\"")
    yield "one-line", "[" + joined(", ", "{rule: r%d, bad: 1, worse: 2}", 280_000) + "]"
    yield "long-name", f"- rule: {'n' * many(4_000_000)}\n" + joined("", "  k%d: 1\n", 400_000)
    yield "many-keys", "- rule: r\n" + joined("", "  k%d: 1\n", 490_000)
    yield "overrides-of-one-key", "- rule: r\n" + joined("", "  k%d: 1\n", 240_000) + "  condition: x\n  override:\n" + (
        "    condition: append\n" * many(240_000))
    yield "nested-sequences", "[" * many(1_000_000)
    yield "nested-mappings", "{a: " * many(200_000)
    yield "regex", RULE % "proc.name regex '(((((a{1,1000}){1,1000}){1,1000}){1,1000}){1,1000})'"
    yield "nested-regex", RULE % ("proc.name regex '" + "(" * many(5_000) + "a" + ")" * many(5_000) + "'")
    yield "stars", RULE % ("proc.name glob '" + "*a" * many(50_000) + "*b'")
    yield "long-output", RULE.replace("output: o", 'output: "' + "%%proc.aname[1] " * many(200_000) + '"') % "evt.num>0"
    yield "exceptions", RULE % "evt.num>0" + (
        "  exceptions:\n  - name: e\n    fields: [proc.name, fd.name]\n    comps: [=, =]\n    values:\n"
        + "".join(f"    - [a{n}, b{n}]\n" for n in range(many(200_000))))
    yield "names-of-exceptions", RULE % "evt.num>0" + "  exceptions:\n" + joined(
        "", "  - {name: e%d, fields: [proc.name], values: [[a]]}\n", 180_000)
    yield "many-rules", "".join((RULE % "evt.num>0").replace("rule: r", f"rule: r{n}") for n in range(many(80_000)))
    yield "different-rules", "".join((RULE % f"evt.type=open and proc.name=a{n}").replace("rule: r", f"rule: r{n}")
                                     for n in range(many(70_000)))
    yield "appends-to-nothing", "".join(f"- macro: macro{n}\n  condition: evt.num>0\n" for n in range(many(4_900))) + "".join(
        f"- macro: makro{n}\n  append: true\n  condition: or evt.num>0\n" for n in range(many(100_000)))
    yield "long-text", RULE % f"proc.name='{'a' * many(9_000_000)}'"
    yield "tags", RULE % "evt.num>0" + f"  tags: [{joined(', ', 't%d', 800_000)}]\n"


def write(folder, scale=1.0):
    """Writes the files below the folder. A capture that would be too large is packed."""
    for name, parts in captures(scale):
        path = folder / f"{name}.scap"
        with open(path, "wb") as plain:
            plain.writelines(parts)
        if path.stat().st_size > MOST_BYTES:
            with open(path, "rb") as plain, gzip.open(folder / f"{name}.scap.gz", "wb", 6) as packed:
                shutil.copyfileobj(plain, packed, 1 << 20)
            path.unlink()
    for name, content in rules(scale):
        if len(content) > MOST_BYTES:
            content = content[:content.rindex("\n", 0, MOST_BYTES)]
        (folder / f"{name}.yaml").write_text(content)
    for path in folder.iterdir():
        assert path.stat().st_size <= MOST_BYTES, path


def main():
    folder, scale = pathlib.Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, scale)


if __name__ == "__main__":
    main()

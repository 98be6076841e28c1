#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""types_of_kernel.py VMLINUZ OUTPUT: writes the kernel's types, the section .BTF of the ELF file within a bzImage.

The place of that file is in the header of the Linux/x86 boot protocol (setup_sects, payload_offset, payload_length).
Exit code 77: it is compressed in a way that this machine cannot read.
"""
import gzip
import lzma
import struct
import subprocess
import sys


def payload(image):
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    return image[start:start + length]


def unpack(data):
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.LZMADecompressor().decompress(data)
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data[:-4])  # its size follows
    for magic, tool in ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\x02\x21\x4c\x18", "lz4")):
        if data[:4] == magic:
            try:
                return subprocess.run([tool, "-dcq"], input=data[:-4], stdout=subprocess.PIPE, check=True).stdout
            except FileNotFoundError:
                print(f"SKIPPED: all: {tool} is not installed")
                sys.exit(77)
    print("SKIPPED: all: the kernel is compressed in an unknown way")
    sys.exit(77)


def section(elf, wanted):
    sections, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)

    def header(index):  # name, then the file's offset and the size
        at = sections + index * size
        return struct.unpack_from("<I", elf, at)[0], *struct.unpack_from("<QQ", elf, at + 24)

    _, strings, _ = header(names)
    for index in range(count):
        name, offset, length = header(index)
        if elf[strings + name:elf.index(b"\0", strings + name)] == wanted:
            return elf[offset:offset + length]
    raise SystemExit("types_of_kernel.py: the kernel has no section .BTF")


def main():
    with open(sys.argv[1], "rb") as file:
        types = section(unpack(payload(file.read())), b".BTF")
    with open(sys.argv[2], "wb") as file:
        file.write(types)


main()

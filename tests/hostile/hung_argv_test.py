#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hung_argv_test.py: the start of the analyzer does not wait for processes whose command lines cannot be read.

Usage: hung_argv_test.py PRIVD ANALYZER HUNG-ARGV
"""
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, notice_within, skip

privd, analyzer, hung_argv = sys.argv[1:]


def line_within(stream, seconds, wanted=b""):
    """The first line that contains `wanted`, or b"" if there is none in time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([stream], [], [], left)[0]:
            line = stream.readline()
            if not line or wanted in line:
                return line
    return b""


def read_all(file):
    file.seek(0)
    return file.read()


def start_hung(directory):
    """The hostile processes, in a process group of their own."""
    node = directory / "fuse"
    os.mknod(node, 0o666 | 0o020000, os.makedev(10, 229))
    os.chmod(node, 0o666)
    (directory / "mount").mkdir()
    os.chmod(directory, 0o755)
    hung = subprocess.Popen([hung_argv, str(directory / "mount"), str(node)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, start_new_session=True)
    if line_within(hung.stdout, 60) != b"ready\n":
        os.killpg(hung.pid, signal.SIGKILL)
        skip(f"no FUSE file system of an unprivileged user: {hung.stderr.read().decode().strip()}")
    return hung


def watch(directory):
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(str(directory / "notify"))
    os.chmod(directory / "notify", 0o666)
    opens = "import time\nwhile True:\n open('/etc/hostname').close()\n time.sleep(0.1)"
    older = subprocess.Popen([sys.executable, "-c", opens, "known-argument"], start_new_session=True)
    complaints = open(directory / "stderr", "w+b")
    pair = subprocess.Popen([privd, "--exec", "--", analyzer, "--events", "--filter",
                             "evt.type=openat and proc.cmdline contains known-argument"],
                            stdout=subprocess.PIPE, stderr=complaints, start_new_session=True,
                            env=dict(os.environ, NOTIFY_SOCKET=str(directory / "notify")))
    try:
        notice = notice_within(notices, 10, b"READY=1")
        text = read_all(complaints)
        if b"may not" in text or b"not permitted" in text:
            skip(text.decode().strip())
        check("READY=1 comes within 10 seconds", b"READY=1" in notice, (notice, text))
        check("events come, and the command line of an older process is known",
              line_within(pair.stdout, 10) != b"")
        text = read_all(complaints)
        check("the lock's process is told of", b"command lines of" in text and b"not known" in text, text)
        os.killpg(pair.pid, signal.SIGTERM)
        try:
            pair.wait(5)
        except subprocess.TimeoutExpired:
            pass
        check("SIGTERM ends the analyzer within 5 seconds", pair.poll() is not None)
    finally:
        for group in (older, pair):
            try:
                os.killpg(group.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


if os.geteuid() != 0:
    skip("needs root, to load the probe")
if not os.path.exists("/dev/fuse"):
    skip("this machine has no /dev/fuse")
with tempfile.TemporaryDirectory() as place:
    hung = start_hung(pathlib.Path(place))
    try:
        watch(pathlib.Path(place))
    finally:
        os.killpg(hung.pid, signal.SIGKILL)  # ends the file system's connection, and so every wait for it
        hung.wait()
sys.exit(exit_code())

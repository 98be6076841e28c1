#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bombs_test.py: no file of at most 10 MB, capture, rules or configuration, takes more than 10 s of one CPU or 512 MiB.
bombs.py makes the files.

Usage: bombs_test.py ANALYZER RULES
"""
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code

analyzer, default_rules = sys.argv[1:]
MOST_SECONDS, MOST_MIB = 10, 512
PATIENCE = 600 # seconds on the clock, for a machine whose CPUs others use


def measure(*arguments):
    """Runs the analyzer. Returns its exit status, the seconds of CPU, the MiB at its peak, and its last line."""
    with tempfile.TemporaryFile("w+") as said:
        run = subprocess.Popen([analyzer, *arguments], stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)))
        end = time.monotonic() + PATIENCE
        while True:
            pid, status, used = os.wait4(run.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.kill(run.pid, signal.SIGKILL)
                end += PATIENCE
            time.sleep(0.02)
        run.returncode = status
        said.seek(0)
        last = said.read(4000).splitlines()
        return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, last[-1:]


def check_file(name, *arguments):
    status, seconds, mib, last = measure(*arguments)
    check(f"{name}: {seconds:.1f} s, {mib:.0f} MiB", status in (0, 1, 2) and seconds <= MOST_SECONDS and mib <= MOST_MIB,
          (status, seconds, mib, last))
    return mib


def check_memory_option(folder):
    """--memory bounds what a capture with many files takes."""
    path = os.path.join(folder, "many-files.scap.gz")
    free, bounded = (measure("--replay", path, "--events", "--memory", size)[2] for size in ("256M", "16M"))
    check(f"--memory 16M takes less than the default: {bounded:.0f} and {free:.0f} MiB", bounded < free - 50 and bounded < 64)


with tempfile.TemporaryDirectory() as folder:
    # In a process of its own, because the peak of this one's memory counts as its children's (getrusage(2)).
    subprocess.run([sys.executable, pathlib.Path(__file__).with_name("bombs.py"), folder], check=True)
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if ".scap" in name:
            check_file(name, "--replay", path, "--events")
            check_file(f"{name} with rules", "--replay", path, "-r", default_rules)
        else:
            check_file(name, "-V", "-r", path)
            check_file(f"{name} as configuration", "-V", "-c", path)
    check_memory_option(folder)
sys.exit(exit_code())

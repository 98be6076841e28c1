# SPDX-License-Identifier: Apache-2.0
"""check: functions that the test programs in Python share.

A test program exits with 0 if it passed, 1 if it failed, and 77 if it cannot run here; then its last line says why.
"""
import sys
import time

sys.dont_write_bytecode = True # imports of tests leave no files in the source tree
failures = 0


def check(what, good, seen=""):
    """Counts a failure unless `good`, and then prints `seen`."""
    global failures
    print(("ok: " if good else "FAILED: ") + what + ("" if good else f"\n  {seen!r}"), flush=True)
    failures += not good


def skip(why):
    """Ends the program, because the whole test cannot run here."""
    print(f"SKIPPED: all: {why}", flush=True)
    sys.exit(77)


def skip_part(what, why):
    """Reports a part of the test that cannot run here."""
    print(f"SKIPPED: {what}: {why}", flush=True)


def exit_code():
    """Returns the exit code that the failures ask for."""
    return int(failures > 0)


def within(seconds, condition):
    """Returns whether `condition()` becomes true before that time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def notice_within(notices, seconds, wanted):
    """The first notification that contains `wanted`, or b"" if there is none in time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        notices.settimeout(left)
        try:
            notice = notices.recv(4096)
        except TimeoutError:
            break
        if wanted in notice:
            return notice
    return b""

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""monitor_test.py: metrics and health on a passed socket, --top and the status line on terminals, on live events.

Usage: monitor_test.py PRIVD ANALYZER RULES
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip

privd, analyzer, rules = sys.argv[1:]


def chatter(seconds):
    """Processes and files, so that there is something to see."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        subprocess.run(["/bin/cat", "/etc/shadow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def with_socket(listener):
    """In the child, before exec: the socket as systemd passes it."""
    def pass_it():
        os.dup2(listener.fileno(), 3)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    return pass_it


def get(port, path, token=None, method="GET"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def values(text, name):
    return [float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.M)]


def test_metrics():
    errors = tempfile.TemporaryFile("w+")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # fork and exec by hand: Popen would look for LISTEN_PID too early.
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o777) # the analyzer is another user, and makes the token here
    child = os.fork()
    if child == 0:
        out = os.open("/dev/null", os.O_WRONLY)
        os.dup2(out, 1)
        os.dup2(errors.fileno(), 2)
        with_socket(listener)()
        os.environ["STATE_DIRECTORY"] = folder
        os.execv(privd, [privd, "--exec", "--", analyzer, "-r", rules])
    listener.close()
    chatter(2)
    if os.waitpid(child, os.WNOHANG)[0]:
        errors.seek(0)
        skip(errors.readline().strip())
    path = pathlib.Path(folder, "metrics.token")
    check("a token is made for its owner alone", stat.S_IMODE(path.stat().st_mode) == 0o600, oct(path.stat().st_mode))
    token = path.read_text().strip()
    check("without it /metrics is refused", get(port, "/metrics")[0] == 401, get(port, "/metrics"))
    check("with another one, too", get(port, "/metrics", "0" * len(token))[0] == 401)
    status, first = get(port, "/metrics", token)
    check("with it /metrics answers", status == 200, first)
    check("to HEAD without a body", get(port, "/metrics", token, "HEAD") == (200, ""))
    chatter(1)
    _, second = get(port, "/metrics", token)
    for name in "falcosecurity_scap_n_evts_total", "tiercel_events_total", "falcosecurity_falco_duration_seconds_total":
        check(f"{name} grows", values(first, name) < values(second, name), (values(first, name), values(second, name)))
    check("a rule has matched", sum(values(second, "falcosecurity_falco_rules_matches_total")) > 0)
    check("the driver is named", 'engine_name_info{engine_name="modern_bpf"' in second, second[:300])
    check("drops are told by CPU and reason", 'tiercel_drops_total{cpu="0",reason="ring full"}' in second)
    check("resident memory is that of a process", 1 << 20 < values(second, "falcosecurity_falco_memory_rss_bytes")[0] < 1 << 30)
    check("the lag is below a second", values(second, "tiercel_lag_seconds")[0] < 1, values(second, "tiercel_lag_seconds"))
    check("there is a queue for standard output", 'tiercel_output_queue_lines{output="stdout"}' in second)
    dashboard = json.loads((pathlib.Path(__file__).parents[2] / "packaging/grafana/tiercel.json").read_text())
    asked = {name for panel in dashboard["panels"] for target in panel["targets"]
             for name in re.findall(r"\b(?:tiercel|falcosecurity)_[a-z_]+", target["expr"])}
    given = set(re.findall(r"^# TYPE (\S+)", second, re.M))
    check(f"all {len(asked)} metrics of the Grafana dashboard are there", asked and asked <= given, asked - given)
    check("/healthz is well while events come", get(port, "/healthz") == (200, "ok\n"), get(port, "/healthz"))
    check("nothing else is there", get(port, "/")[0] == 404)
    status = open(f"/proc/{child}/status").read()
    check("all of it within the sandbox", re.search(r"^Seccomp:\s+2$", status, re.M) is not None, status)
    os.kill(child, signal.SIGTERM)
    check("SIGTERM ends it with 0", os.waitpid(child, 0)[1] == 0)
    shutil.rmtree(folder)


def screen(text, rows=24, columns=80):
    """What a terminal of that size shows after `text`: only what --top uses is understood."""
    cells, row, column = [[" "] * columns for _ in range(rows)], 0, 0
    for part in re.finditer(r"\x1b\[([0-9;]*)([A-Za-z])|(\r)|(\n)|(.)", text):
        code = part.group(2)
        if code == "H":
            row = column = 0
        elif code == "J":
            cells = [[" "] * columns for _ in range(rows)]
        elif code == "K":
            cells[row][column:] = [" "] * (columns - column)
        elif part.group(3):
            column = 0
        elif part.group(4):
            row += 1
            if row == rows: # scrolls
                cells, row = cells[1:] + [[" "] * columns], rows - 1
        elif part.group(5):
            assert column < columns, "a line is longer than the terminal"
            cells[row][column] = part.group(5)
            column += 1
    return ["".join(line).rstrip() for line in cells]


def test_top():
    child, terminal = pty.fork()
    if child == 0:
        time.sleep(0.3) # until the size is set
        os.execv(privd, [privd, "--exec", "--", analyzer, "--top", "-r", rules, "-M", "4"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    text, end = b"", time.monotonic() + 20
    work = subprocess.Popen(["/bin/sh", "-c", "while :; do /bin/cat /etc/shadow >/dev/null; done"])
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                got = os.read(terminal, 65536)
            except OSError: # the end
                break
            text += got
    work.kill()
    work.wait()
    os.waitpid(child, 0)
    pages = text.decode(errors="replace").split("\x1b[H")
    check("several pages come", len(pages) >= 3, len(pages))
    if len(pages) < 3:
        return
    shown = screen("".join("\x1b[H" + page for page in pages[1:-1])) # all but the last, which the statistics follow
    print("\n".join("  |" + line for line in shown))
    check("the first line has rates", re.match(r"tiercel   \d+ events/s   \d+ drops/s", shown[0]) is not None, shown[0])
    check("the second the lag", shown[1].startswith("lag "), shown[1])
    check("a process is named", any(re.search(r"\d  cat\b", line) for line in shown), shown)
    check("an event type is named", any(re.search(r"\d  (openat|read|mmap|close)\b", line) for line in shown), shown)
    check("a rule is named", any("MATCHES/s" in line for line in shown), shown)
    check("nothing has scrolled away", "events/s" in shown[0])


def test_status_line():
    """Alerts on a terminal come with a line that is drawn again each second; without a terminal there is none."""
    command = [privd, "--exec", "--", analyzer, "-r", rules, "-M", "4"]
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(privd, command)
    text = b""
    while True:
        try:
            text += os.read(terminal, 65536)
        except OSError: # the end
            break
    os.waitpid(child, 0)
    drawn = re.findall(r"(\d+) events/s, \d+ dropped\x1b\[K\r", text.decode(errors="replace"))
    check("the status line is drawn each second", len(drawn) >= 2, text[-500:])
    check("and counts events", any(int(rate) > 0 for rate in drawn), drawn)
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=100)
    check("a pipe gets no status line", b"\x1b" not in done.stderr, done.stderr[:200])


if os.geteuid() != 0:
    skip("events need root")
test_metrics()
test_top()
test_status_line()
sys.exit(exit_code())

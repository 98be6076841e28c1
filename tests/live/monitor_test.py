#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""monitor_test.py: metrics, health and the live page on a passed socket, --top, the tree and the status line, on live events.

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
import browser
from check import check, exit_code, skip, skip_part, within

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


class Sensor:
    """privd and the analyzer with a listening socket for metrics."""

    def __init__(self, *options):
        self.errors = tempfile.TemporaryFile("w+")
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o777) # the analyzer is another user, and makes the token here
        # fork and exec by hand: Popen would look for LISTEN_PID too early.
        self.pid = os.fork()
        if self.pid == 0:
            out = os.open("/dev/null", os.O_WRONLY)
            os.dup2(out, 1)
            os.dup2(self.errors.fileno(), 2)
            with_socket(listener)()
            os.environ["STATE_DIRECTORY"] = self.folder
            os.execv(privd, [privd, "--exec", "--", analyzer, "-r", rules, *options])
        listener.close()
        if not within(60, self.watches):
            self.errors.seek(0)
            skip(self.errors.readline().strip())
        chatter(2)

    def watches(self):
        """Returns whether the analyzer answers, which it does when the probe is loaded."""
        token = pathlib.Path(self.folder, "metrics.token")
        try:
            return token.exists() and get(self.port, "/metrics", token.read_text().strip())[0] == 200
        except OSError:
            return False

    def end(self):
        """Ends both programs and returns their status."""
        os.kill(self.pid, signal.SIGTERM)
        status = os.waitpid(self.pid, 0)[1]
        shutil.rmtree(self.folder)
        return status


def test_metrics():
    sensor = Sensor()
    port, folder, child = sensor.port, sensor.folder, sensor.pid
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
    asked = {name for name in asked if not name.startswith("tiercel_courier_")} # no courier runs here
    given = set(re.findall(r"^# TYPE (\S+)", second, re.M))
    check(f"all {len(asked)} metrics of the Grafana dashboard are there", asked and asked <= given, asked - given)
    check("/healthz is well while events come", get(port, "/healthz") == (200, "ok\n"), get(port, "/healthz"))
    check("nothing else is there", get(port, "/")[0] == 404)
    status = open(f"/proc/{child}/status").read()
    check("all of it within the sandbox", re.search(r"^Seccomp:\s+2$", status, re.M) is not None, status)
    check("SIGTERM ends it with 0", sensor.end() == 0)


HOSTILE = "<img src=x onerror=window.hacked=1>"


def test_page():
    sensor = Sensor("-o", "metrics.page=true")
    # A program whose name attacks the page raises an alert.
    program = os.path.join(tempfile.mkdtemp(), HOSTILE)
    shutil.copy("/bin/cat", program)
    subprocess.run([program, "/etc/shadow"], stdout=subprocess.DEVNULL, check=True)
    token = pathlib.Path(sensor.folder, "metrics.token").read_text().strip()
    escaped = HOSTILE.replace("<", "&lt;").replace(">", "&gt;")
    check("the page has the alert, with its names escaped", within(20, lambda: escaped in get(sensor.port, "/", token)[1]),
          get(sensor.port, "/", token)[1][-3000:])
    check("without the token it is refused", get(sensor.port, "/")[0] == 401)
    status, page = get(sensor.port, "/", token)
    check("no name becomes an element", status == 200 and "<img" not in page and "<script" not in page)
    check("its policy forbids what it does not need", "default-src 'none'" in page)
    for what, pattern in {"the driver": r"driver <b>modern_bpf</b>", "a rate": r"now <b>\d+</b> a second", "drops": r"dropped <b>\d+",
                          "the filter": r"kernel filter <b>[1-9]\d*", "an output": r"<td>stdout</td><td class=\"number\">[1-9]",
                          "a rule": r"<td>Password file read by an unexpected program</td><td>\w+</td><td class=\"number\">[1-9]",
                          "the seconds of a capability": r"<td>CAP_BPF</td><td>\d+\.\d\d\d</td>"}.items():
        check(f"it has {what}", re.search(pattern, page) is not None, page[:3000])
    page_in_browser(sensor.port, token)
    check("SIGTERM ends it with 0", sensor.end() == 0)
    shutil.rmtree(os.path.dirname(program))


def page_in_browser(port, token):
    if browser.find() is None:
        skip_part("the live page in Chromium", "Chromium is not installed (package chromium)")
        return
    tab = browser.Browser()
    try:
        tab.call("Network.setExtraHTTPHeaders", headers={"Authorization": f"Bearer {token}"})
        check("Chromium shows the page", tab.load(f"http://127.0.0.1:{port}/") and HOSTILE in tab.value("document.body.innerText"),
              tab.problems)
        first = tab.value("document.getElementById('facts').innerText")
        check("no name has run or become an element",
              tab.value("window.hacked") is None and tab.value("document.querySelectorAll('img, script').length") == 0)
        check("its style is in force", tab.value("getComputedStyle(document.querySelector('#facts')).listStyleType") == "none")
        check("it loads itself again", within(30, lambda: tab.value("document.getElementById('facts')?.innerText") not in (None, first)))
        check("it asks for nothing else", all(url.endswith((f":{port}/", "/favicon.ico")) for url in tab.requests), tab.requests)
    finally:
        tab.close()


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


class Terminal:
    """--top on a terminal of 80 by 24, and what it shows after keys."""

    def __init__(self):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            time.sleep(0.3) # until the size is set
            os.execv(privd, [privd, "--exec", "--", analyzer, "--top", "-r", rules, "-M", "60"])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.text = ""

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.terminal, 65536).decode(errors="replace")
                except OSError: # the end
                    return

    def shows(self, pattern, seconds=60):
        """Returns whether the last whole page matches within `seconds`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.3)
            if re.search(pattern, "\n".join(self.page()), re.M):
                return True
        return False

    def page(self):
        """Returns the lines of the last page that is whole. While the page is paused, no other one follows it."""
        whole = [page for page in self.text.split("\x1b[H") if page.count("\r\n") >= 23 and page.endswith("\x1b[K")]
        return screen("\x1b[H" + whole[-1]) if whole else []


def test_top_keys():
    work = subprocess.Popen(["/bin/sh", "-c", "while :; do /bin/cat /etc/shadow >/dev/null; done"])
    top = Terminal()
    check("the container column is there", top.shows(r"PROCESS +CONTAINER"), top.page())
    check("and the process on the host", top.shows(r"\d  cat +host"), top.page())
    top.type("p")
    check("p pauses", top.shows("PAUSED"), top.page())
    top.read(0.5)
    paused = top.page()
    top.read(2.5)
    check("a paused page stands still", top.page() == paused, (paused, top.page()))
    top.type("p")
    check("p goes on", within(20, lambda: top.shows("^q ends", 1) and top.page()[0] != paused[0]), top.page())
    top.type("/ca")
    check("/ takes a filter while it is typed", top.shows(r"filter: ca_"), top.page())
    top.type("t\r")
    check("which narrows the page", top.shows(r"filter: cat  ") and not re.search(r"\d  sh +host", "\n".join(top.page())),
          top.page())
    top.type("\x1b")
    check("Esc shows all again", top.shows(r"\d  sh +host"), top.page())
    top.type("n")
    time.sleep(1.5)
    top.read(1.5)
    names = [found[1] for found in re.finditer(r"^ +\d+  (\S+) +host", "\n".join(top.page()), re.M)]
    check("n sorts by name", len(names) > 1 and names == sorted(names), names)
    check("rules have totals", re.search(r"MATCHES/s +TOTAL +RULE\n +\d+ +[1-9]\d*  \S", "\n".join(top.page())), top.page())
    check("the kernel filter's count is there", top.shows(r"kernel filter: keeps back \d+ events/s, [1-9]\d* so far"), top.page())
    check("keys are not echoed", not termios.tcgetattr(top.terminal)[3] & termios.ECHO)
    top.type("q")
    top.read(10)
    check("q ends it with 0", os.waitpid(top.child, 0)[1] == 0)
    os.close(top.terminal)
    work.kill()
    work.wait()


def test_top_in_a_pipe():
    command = [privd, "--exec", "--", analyzer, "--top", "-r", rules, "-M", "4"]
    work = subprocess.Popen(["/bin/sh", "-c", "while :; do /bin/cat /etc/shadow >/dev/null; done"])
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    work.kill()
    work.wait()
    lines = done.stdout.decode().splitlines()
    check("--top in a pipe ends with 0", done.returncode == 0, (done.returncode, done.stderr[-300:]))
    check("and prints plain lines", len(lines) > 3 and "\x1b" not in done.stdout.decode(), lines[:5])
    check("with rates, processes and rules", all(any(word in line for line in lines) for word in (" events ", " filtered ", " process ", " rule ")),
          lines[:30])


def test_tree():
    command = [privd, "--exec", "--", analyzer, "--tree", "--json", "-M", "1"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    children = {}
    for row in rows:
        children.setdefault(row["proc.ppid"], []).append((row.get("started", ""), row["proc.pid"]))
    check("the live tree has this process", os.getpid() in [row["proc.pid"] for row in rows], done.stderr[-500:])
    mixed = {parent: found for parent, found in children.items() if parent in [row["proc.pid"] for row in rows] and found != sorted(found)}
    check("the eldest of a process's children come first", not mixed, mixed)


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
test_page()
test_top()
test_top_keys()
test_top_in_a_pipe()
test_tree()
test_status_line()
sys.exit(exit_code())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""filter_test.py: the kernel filter on live events. It keeps back what no rule can match, it counts that, and on recordings
of all events of several workloads the alerts with it are those without it.

Usage: filter_test.py PRIVD ANALYZER FILTER_SOUNDNESS RULES [ROUNDS]
"""
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, skip_part, within

privd, analyzer, soundness, rules = sys.argv[1:5]
rounds = sys.argv[5] if len(sys.argv) > 5 else "40"
STOCK = pathlib.Path(__file__).resolve().parents[2] / "../shared/peer/falco_rules.yaml"
ATTEMPTS = 500


class Pair:
    """privd and the analyzer, from the moment when they watch."""

    def __init__(self, *arguments):
        self.output, self.errors = tempfile.NamedTemporaryFile("w+"), tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen([privd, "--exec", "--", analyzer, *arguments], stdout=self.output,
                                        stderr=self.errors, start_new_session=True)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=120)
        return pathlib.Path(self.output.name).read_text(), pathlib.Path(self.errors.name).read_text()


def shell(command, folder):
    subprocess.run(["/bin/sh", "-c", command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compile_something(folder):
    pathlib.Path(folder, "a.c").write_text("#include <stdio.h>\n#include <sys/socket.h>\nint main(void) { return puts(\"\"); }\n")
    shell("cc -O0 -o a a.c && ./a", folder)


def shell_session(folder):
    shell("ls -l /usr/bin | head -50; grep -r model /proc/cpuinfo; find /etc -name '*.conf' | head; tar cf t.tar /etc/ssl; "
          "id; ps aux; df; cat /etc/passwd; dd if=/dev/zero of=x count=9; mv x y; ln -s y z; cat z; rm y z", folder)


def web(folder):
    """TCP: a server, and clients that connect, send and receive."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for _ in range(20):
            with socket.create_connection(server.server_address) as client:
                client.sendall(b"GET /nothing HTTP/1.0\r\n\r\n")
                while client.recv(4096):
                    pass
        server.shutdown()
        thread.join()


def datagrams(folder):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        for _ in range(20):
            other.sendto(b"x", one.getsockname())
            one.recvfrom(10)
        other.sendto(b"x", ("127.0.0.1", 9))


def suspicious(folder):
    """What rules look for: shells on sockets, secrets, links to them, names with dots, failures."""
    shell("cat /etc/shadow; cat /etc/../etc/shadow; cat /etc/../etc/nothing; ln -s /etc/shadow s; cat s; cd /etc; cat ./shadow; "
          "cat ../etc/pam.d/../nothing; find / -maxdepth 1 -name id_rsa; cp /bin/true ./true; ./true", folder)
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            child = os.fork()
            if child == 0:
                for number in 0, 1, 2:
                    os.dup2(client.fileno(), number)
                os.execv("/bin/true", ["/bin/true"])
            os.waitpid(child, 0)
            accepted.close()
    for path in "/nowhere/a", f"{folder}/b", "/etc/shadow-":
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError:
            pass


WORKLOADS = compile_something, shell_session, web, datagrams, suspicious


def test_soundness(folder):
    sets = {"the shipped rules": rules}
    if STOCK.exists():
        sets["the rules of others"] = str(STOCK)
    else:
        skip_part("the rules of others", f"{STOCK} is not there")
    for workload in WORKLOADS:
        path = f"{folder}/{workload.__name__}.scap"
        pair = Pair("--record", path)
        watches = within(60, lambda: os.path.exists(path) and os.stat(path).st_size > 0)
        workload(folder)
        _, errors = pair.stop()
        check(f"{workload.__name__}: is recorded", watches, errors[-300:])
        for name, files in sets.items():
            done = subprocess.run([soundness, path, rounds, files], capture_output=True, text=True)
            check(f"{workload.__name__}: {name} say the same on filtered events ({done.stdout.strip()})",
                  done.returncode == 0, done.stdout + done.stderr)


def alerts(output):
    """Rule and values of each alert, without what differs between two sensors: times."""
    found = []
    for line in output.splitlines():
        alert = json.loads(line)
        fields = {name: value for name, value in alert["output_fields"].items() if "time" not in name}
        found.append((alert["rule"], tuple(sorted((name, str(value)) for name, value in fields.items()))))
    return found


def test_side_by_side(folder):
    """Two sensors watch the same work, one with the filter."""
    marker = f"{folder}/side-by-side"
    begin = f"{folder}/begin.yaml"
    pathlib.Path(begin).write_text(f"""
- rule: Begin
  desc: the test opens it
  condition: evt.type in (open, openat) and evt.is_open_write=true and fd.name = {marker}
  output: marker %fd.name by %proc.pid
  priority: WARNING
""")
    files = [begin, rules] + ([str(STOCK)] if STOCK.exists() else [])
    configuration = f"{folder}/both.yaml"
    pathlib.Path(configuration).write_text(json.dumps({
        "rules_files": files, "rule_matching": "all", "json_output": True, "stdout_output": {"enabled": True},
        "append_output": [{"extra_fields": ["proc.sid"]}]}))
    pairs = Pair("-c", configuration), Pair("-c", configuration, "--no-kernel-filter")

    def begun():
        pathlib.Path(marker).write_text("")
        return all('"Begin"' in pathlib.Path(pair.output.name).read_text() for pair in pairs)
    check("two sensors watch", within(60, begun))
    for workload in WORKLOADS:
        workload(folder)
    time.sleep(2)
    outputs = [pair.stop() for pair in pairs]
    mine = ("proc.sid", str(os.getsid(0))) # other programs of the machine may begin or end meanwhile
    with_filter, without = (sorted(alert for alert in alerts(output) if alert[0] != "Begin" and mine in alert[1])
                            for output, _ in outputs)
    check(f"both give the same {len(without)} alerts", with_filter == without and len(without) > 3,
          (outputs[0][1][-300:], [a for a in without if a not in with_filter][:3], [a for a in with_filter if a not in without][:3]))
    check(f"the filter has kept {filtered(outputs[0][1])} events back", filtered(outputs[0][1]) > 0, outputs[0][1][-300:])


def filtered(errors):
    """The events that the end statistics say were filtered, and those that were captured."""
    return sum(int(n) for n in re.findall(r"cpu \d+: .* (\d+) filtered in the kernel", errors))


def test_counters(folder):
    """Failed opens do not leave the kernel if the only rule asks for opens that succeed."""
    file = f"{folder}/opened.yaml"
    pathlib.Path(file).write_text(f"""
- rule: Opened
  desc: the test opens it
  condition: evt.type in (open, openat) and fd.num >= 0 and fd.name = {folder}/marker
  output: opened %fd.name
  priority: WARNING
""")
    for name, options, at_least in ("with the filter", [], ATTEMPTS), ("without it", ["--no-kernel-filter"], 0):
        pair = Pair("-r", file, *options)

        def alerted():
            pathlib.Path(folder, "marker").write_text("")
            return os.stat(pair.output.name).st_size > 0
        check(f"{name}: an open that the rule matches gives an alert", within(60, alerted))
        for number in range(ATTEMPTS):
            try:
                os.open(f"{folder}/missing-{number}", os.O_RDONLY)
            except OSError:
                pass
        _, errors = pair.stop()
        seen = filtered(errors)
        check(f"{name}: {seen} events are filtered", seen >= at_least and (seen > 0) == (at_least > 0), errors[-600:])


def test_explanation(folder):
    file = f"{folder}/opened.yaml"
    done = subprocess.run([analyzer, "-r", file, "--explain-filter"], capture_output=True, text=True)
    check("--explain-filter says when an openat leaves the kernel, and who asks",
          re.search(r'^openat +succeeded +tables, "Opened"$', done.stdout, re.M), done)
    done = subprocess.run([analyzer, "-r", file, "--explain-filter", "--json"], capture_output=True, text=True)
    check("and as JSON", '"event":"openat","passes":[{"if":"succeeded","tables":true,"rules":["Opened"]}]' in done.stdout, done)


if os.geteuid() != 0:
    skip("watching events needs root")
refused = subprocess.run([privd, "--exec", "--", analyzer, "--events", "-n", "1"], capture_output=True, text=True, timeout=120)
if refused.returncode != 0 and "not permitted" in refused.stderr:
    skip(refused.stderr.splitlines()[0])
with tempfile.TemporaryDirectory() as made:
    os.chmod(made, 0o777)
    test_counters(made)
    test_explanation(made)
    test_side_by_side(made)
    test_soundness(made)
sys.exit(exit_code())

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""keys_test: the analyzer starts, alerts and ends with each documented key of analyzer.yaml, under the system calls that its
unit allows.

Usage: keys_test.py EXAMPLE-DRIVER FILTERED ANALYZER PAGE DROP-IN
PAGE is the made page analyzer.yaml(5); DROP-IN the one that is shipped for program_output.
Exit codes: 0 passed, 1 failed.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

driver, filtered, analyzer, page, dropin = sys.argv[1:]
failures = 0

RULES = """
- rule: Always
  desc: Each event raises an alert.
  condition: evt.type=openat
  output: opened %fd.name
  priority: ERROR
  capture: true
"""

CAPTURE = pathlib.Path(__file__).resolve().parents[1] / "data/web.scap.gz"
# A configuration for each documented key. FOLDER is a directory of the test.
CONFIGURATIONS = {
    "config_files": "config_files: [{path: FOLDER/more.yaml, strategy: override}]",
    "rules_files": "rules_files: [FOLDER/always.yaml]",
    "rules": "rules: [{disable: {rule: None}}, {enable: {tag: mine}}]",
    "priority": "priority: error",
    "rule_matching": "rule_matching: all",
    "paths": "paths: as-given",
    "kernel_filter": "kernel_filter: false",
    "append_output": "append_output: [{match: {rule: Always}, extra_output: more, extra_fields: [evt.num]}]",
    "static_fields": "static_fields: {site: north}",
    "json_output": "json_output: true",
    "json_include_output_property": "{json_output: true, json_include_output_property: false}",
    "json_include_tags_property": "{json_output: true, json_include_tags_property: false}",
    "json_include_output_fields_property": "{json_output: true, json_include_output_fields_property: false}",
    "json_include_message_property": "{json_output: true, json_include_message_property: true}",
    "time_format_iso_8601": "time_format_iso_8601: true",
    "buffer_format_base64": "buffer_format_base64: true",
    "hostname": "{hostname: node1, json_output: true}",
    "stdout_output.enabled": "stdout_output: {enabled: true}",
    "file_output.enabled": "file_output: {enabled: true, filename: FOLDER/alerts.log}",
    "file_output.filename": "file_output: {enabled: true, filename: FOLDER/other.log}",
    "syslog_output.enabled": "{syslog_output: {enabled: true}, stdout_output: {enabled: true}}",
    "program_output.enabled": "program_output: {enabled: true, program: 'cat >>FOLDER/program.log'}",
    "program_output.program": "program_output: {enabled: true, program: 'cat >>FOLDER/program.log'}",
    "unix_socket_output.enabled": "unix_socket_output: {enabled: true, path: FOLDER/alerts.sock}",
    "unix_socket_output.path": "unix_socket_output: {enabled: true, path: FOLDER/alerts.sock}",
    "file_output.keep_alive": "file_output: {enabled: true, filename: FOLDER/kept.log, keep_alive: true}",
    "program_output.keep_alive": "program_output: {enabled: true, program: 'cat >>FOLDER/kept-program.log', keep_alive: true}",
    "courier_output.enabled": "courier_output: {enabled: true, socket: FOLDER/alerts.sock}",
    "courier_output.socket": "courier_output: {enabled: true, socket: FOLDER/alerts.sock}",
    "http_output.enabled": "{http_output: {enabled: true, url: 'http://localhost/'}, courier_output: {socket: FOLDER/alerts.sock}}",
    "outputs.fold.by": "{outputs: {fold: {by: [rule, proc.name]}}, file_output: {enabled: true, filename: FOLDER/fold.log}}",
    "outputs.fold.window": "{outputs: {fold: {by: [rule], window: 100s}}, file_output: {enabled: true, filename: FOLDER/window.log}}",
    "outputs_queue.capacity": "outputs_queue: {capacity: 5}",
    "outputs.rate": "{outputs: {rate: 0.5, max_burst: 1}, file_output: {enabled: true, filename: FOLDER/rate.log}}",
    "outputs.max_burst": "{outputs: {rate: 0.001, max_burst: 7}, file_output: {enabled: true, filename: FOLDER/burst.log}}",
    "syscall_event_drops.threshold": "syscall_event_drops: {threshold: 0.5}",
    "syscall_event_drops.actions": "syscall_event_drops: {actions: [ignore]}",
    "syscall_event_drops.rate": "syscall_event_drops: {rate: 0.5}",
    "syscall_event_drops.max_burst": "syscall_event_drops: {max_burst: 10}",
    "syscall_event_drops.simulate_drops": "syscall_event_drops: {simulate_drops: true}",
    "metrics.page": "metrics: {page: true}",
    "health.max_drop_share": "health: {max_drop_share: 0.25}",
    "engine.kind": "engine: {kind: modern_ebpf}",
    "engine.replay.capture_file": "{engine: {kind: replay, replay: {capture_file: FOLDER/web.scap.gz}}, "
                                  "file_output: {enabled: true, filename: FOLDER/replay.log}}",
    "engine.modern_ebpf.cpus_for_each_buffer": "engine: {kind: modern_ebpf, modern_ebpf: {cpus_for_each_buffer: 0}}",
    "falco_libs.snaplen": "falco_libs: {snaplen: 160}",
    "metrics.token_file": "metrics: {token_file: FOLDER/metrics.token}",
    "memory_limit": "memory_limit: 64M",
    "load_plugins": "load_plugins: [container]",
    "engine.modern_ebpf.buf_size_preset": "engine: {kind: modern_ebpf, modern_ebpf: {buf_size_preset: 2}}",
    "engine.ebpf.buf_size_preset": "engine: {kind: ebpf, ebpf: {buf_size_preset: 2}}",
    "engine.kmod.buf_size_preset": "engine: {kind: kmod, kmod: {buf_size_preset: 2}}",
    "engine.modern_ebpf.drop_failed_exit": "engine: {kind: modern_ebpf, modern_ebpf: {drop_failed_exit: true}}",
    "engine.ebpf.drop_failed_exit": "engine: {kind: ebpf, ebpf: {drop_failed_exit: true}}",
    "engine.kmod.drop_failed_exit": "engine: {kind: kmod, kmod: {drop_failed_exit: true}}",
    "base_syscalls.custom_set": "base_syscalls: {custom_set: [clone, execve]}",
    "base_syscalls.repair": "base_syscalls: {repair: true}",
    "enricher.socket": "enricher: {socket: FOLDER/enricher.sock}",
    "capture.enabled": "capture: {enabled: true, path_prefix: FOLDER/enabled}",
    "capture.mode": "capture: {enabled: true, path_prefix: FOLDER/mode, mode: all_rules}",
    "capture.directory": "capture: {enabled: true, mode: all_rules, directory: FOLDER}",
    "capture.path_prefix": "capture: {enabled: true, path_prefix: FOLDER/prefix}",
    "capture.default_duration": "capture: {enabled: true, path_prefix: FOLDER/duration, default_duration: 10}",
    "capture.before": "capture: {enabled: true, path_prefix: FOLDER/before, before: 10}",
    "capture.files": "capture: {enabled: true, path_prefix: FOLDER/files, files: 2, default_duration: 1}",
    "log_level": "log_level: debug",
    "log_stderr": "log_stderr: true",
    "log_syslog": "log_syslog: false",
}
# What a key must have done, besides: a file that is not empty afterwards.
MADE = {"config_files": "more.log", "file_output.filename": "other.log", "file_output.keep_alive": "kept.log",
        "program_output.program": "program.log", "program_output.keep_alive": "kept-program.log", "outputs.rate": "rate.log",
        "outputs.max_burst": "burst.log", "engine.replay.capture_file": "replay.log", "capture.path_prefix": "prefix.0.scap"}
# How many alerts of the test's 50 events the file then holds.
ALERTS = {"file_output.keep_alive": 50, "outputs.rate": 1, "outputs.max_burst": 7}


def check(what, good, seen=""):
    global failures
    print(("ok: " if good else "FAILED: ") + what + ("" if good else f"\n  {seen}"))
    failures += not good


def documented():
    text = pathlib.Path(page).read_text()
    terms = re.findall(r"^\.TP\n\.B (.*)$", text, re.MULTILINE)
    return [key for term in terms for key in term.replace("\\", "").split(", ") if re.fullmatch(r"[a-z][a-z0-9_.]+", key)]


def listener(path, kind):
    server = socket.socket(socket.AF_UNIX, kind)
    server.bind(path)
    server.listen()
    os.chmod(path, 0o666)
    return server


def allowed_by_dropin():
    """The names of the system calls that the drop-in adds to the unit's."""
    wanted = re.search(r"^SystemCallFilter=(.*)$", pathlib.Path(dropin).read_text(), re.MULTILINE).group(1).split()
    names = set()
    while wanted:
        name = wanted.pop()
        if not name.startswith("@"):
            names.add(name)
            continue
        group = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
        wanted += [line.strip() for line in group.stdout.splitlines()[1:] if line.startswith("    ") and "#" not in line]
    return ",".join(sorted(names))


def configure(folder, key):
    """Writes the key's configuration and returns the file's name."""
    text = CONFIGURATIONS[key].replace("FOLDER", folder)
    config = pathlib.Path(folder, "analyzer.yaml")
    config.write_text(text + "\n")
    return str(config)


def run(folder, key, more=()):
    config = configure(folder, key)
    rules = [] if key == "rules_files" else ["-r", f"{folder}/always.yaml"]
    return subprocess.run([driver, "50", filtered, *more, analyzer, *rules, "-c", config], capture_output=True,
                          text=True, timeout=60)


def test_key(folder, key):
    more = []
    if key.startswith("program_output."):
        if not shutil.which("systemd-analyze"):
            print(f"SKIPPED: keys_test: {key}: systemd-analyze, which knows systemd's groups of calls, is not installed")
            return
        more = ["--also", allowed_by_dropin()]
    if key.startswith("syslog_output.") and not os.path.exists("/dev/log"):
        print(f"SKIPPED: keys_test: {key}: no syslog daemon runs here")
        return
    if key == "engine.replay.capture_file": # which needs no driver
        account = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run([filtered, analyzer, "-r", f"{folder}/always.yaml", "-c", configure(folder, key)],
                              capture_output=True, text=True, timeout=60, **account)
    else:
        done = run(folder, key, more)
    killed = "; killed by SIGSYS: a call is not on the unit's list" if done.returncode in (-31, 159) else ""
    check(f"{key} works", done.returncode == 0, f"exit code {done.returncode}{killed}: {done.stderr[-400:]}")
    if key in MADE:
        made = pathlib.Path(folder, MADE[key])
        check(f"{key} has made {made.name}", made.exists() and made.stat().st_size > 0, os.listdir(folder))
        if key in ALERTS:
            alerts = made.read_text().count("opened ")
            check(f"{key} has let {ALERTS[key]} alerts through", alerts == ALERTS[key], alerts)


keys = documented()
check("the page documents more than 30 keys", len(keys) > 30, keys)
check("each documented key has a configuration here", set(keys) <= set(CONFIGURATIONS), set(keys) - set(CONFIGURATIONS))
check("each configuration here is of a documented key", set(CONFIGURATIONS) <= set(keys), set(CONFIGURATIONS) - set(keys))
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o777) # under root the analyzer is another user
    pathlib.Path(folder, "always.yaml").write_text(RULES)
    pathlib.Path(folder, "more.yaml").write_text(f"file_output: {{enabled: true, filename: {folder}/more.log}}\n")
    shutil.copy(CAPTURE, f"{folder}/web.scap.gz")
    alerts = listener(f"{folder}/alerts.sock", socket.SOCK_STREAM)
    enricher = listener(f"{folder}/enricher.sock", socket.SOCK_SEQPACKET)
    for each in CONFIGURATIONS:
        test_key(folder, each)
sys.exit(failures > 0)

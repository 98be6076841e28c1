#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""pull_test: tiercel-pull takes rules that minisign has signed, and refuses everything else in one line, so that the rules in
force stay. minisign makes the keys and signatures, tar and Python's tarfile the archives; HTTP and TLS servers give them out.

Usage: pull_test.py PULL ANALYZER TIERCEL
"""
import base64
import functools
import gzip
import http.server
import io
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, within
from harness import ACCOUNT, certificates, free_port, server_tls

pull_program, analyzer, tiercel = sys.argv[1:]
if os.geteuid() != 0:
    skip("a user of its own for tiercel-pull needs root")
if not shutil.which("minisign"):
    skip("minisign, which signs the rules, is not installed")
work = pathlib.Path(tempfile.mkdtemp(prefix="pull-"))
work.chmod(0o755)
served, placed = work / "served", work / "placed"
for folder in (served, placed):
    folder.mkdir()
shutil.chown(placed, ACCOUNT)
RULE = "- {rule: R%d, desc: x, condition: evt.type=openat and proc.name=none, output: x, priority: INFO}\n"


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves the folder; below /slow a byte a second, below /away a redirection to another machine without TLS."""

    def do_GET(self):
        if self.path.startswith("/away/"):
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/rules.tar.gz")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if self.path.startswith("/slow/"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            try:
                for _ in range(30):
                    self.wfile.write(b"x")
                    time.sleep(1)
            except OSError:
                pass
            return None
        return super().do_GET()

    def log_message(self, *_):
        pass


def serve(tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), functools.partial(Files, directory=str(served)))
    server.handle_error = lambda *_: None
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"


def make_key(name):
    subprocess.run(["minisign", "-G", "-W", "-f", "-p", work / f"{name}.pub", "-s", work / f"{name}.key"], check=True,
                   capture_output=True)


def sign(name, version, key="ours", comment=None, legacy=False):
    comment = comment if comment is not None else f"timestamp:{version}\tfile:{name}"
    subprocess.run(["minisign", "-S", "-s", work / f"{key}.key", "-m", served / name, "-t", comment, *(["-l"] if legacy else [])],
                   check=True, capture_output=True, input=b"")


def entry(name, text="", kind=tarfile.REGTYPE, link=""):
    item = tarfile.TarInfo(name)
    item.type, item.linkname, item.size = kind, link, len(text)
    return item, io.BytesIO(text.encode())


def archive(name, entries, version, **signing):
    with tarfile.open(served / name, "w:gz") as tar:
        for item, content in entries:
            tar.addfile(item, content)
    sign(name, version, **signing)


def configure(**rules):
    rules = {"path": str(placed), "key": str(work / "ours.pub"), **rules}
    lines = "".join(f"  {key}: {value}\n" for key, value in rules.items())
    (work / "courier.yaml").write_text(f"rules:\n{lines}")


def pull(*arguments, program=(pull_program, "--analyzer", analyzer)):
    done = subprocess.run([*program, "--config", work / "courier.yaml", "--user", ACCOUNT, *arguments], capture_output=True,
                          text=True, timeout=120)
    return done.returncode, done.stderr


def link(name):
    return os.readlink(placed / name) if (placed / name).is_symlink() else None


def refused(what, url, wanted, code=1, lines=1, **options):
    before = link("current"), link("previous")
    got, said = pull(url, **options)
    check(f"{what}: refused in a line, and the rules stay", got == code and re.search(wanted, said)
          and (lines is None or said.count("\n") == lines) and (link("current"), link("previous")) == before, (got, said))


def accepted(plain, secure):
    folder = work / "rules"
    folder.mkdir()
    (folder / "10-a.yaml").write_text(RULE % 1)
    (folder / "20-b.yml").write_text(RULE % 2)
    subprocess.run(["tar", "-C", folder, "-czf", served / "first.tar.gz", "."], check=True)
    sign("first.tar.gz", 100)
    code, said = pull(f"{plain}/first.tar.gz")
    names = sorted(path.name for path in (placed / "current").iterdir()) if link("current") else []
    check("signed rules are placed", code == 0 and link("current") == "100" and names == ["10-a.yaml", "20-b.yml"], (code, said))
    check("the analyzer's account can read them", (placed / "current/10-a.yaml").stat().st_mode & 0o777 == 0o644
          and (placed / "current/").stat().st_mode & 0o777 == 0o755 and (placed / "current").owner() == ACCOUNT)
    code, said = pull(f"{plain}/first.tar.gz")
    check("the same again is nothing newer", code == 3 and "are in place" in said, (code, said))
    (folder / "10-a.yaml").write_text(RULE % 3)
    subprocess.run(["tar", "-C", folder, "--zstd", "-cf", served / "second.tar.zst", "10-a.yaml"], check=True)
    sign("second.tar.zst", 200, legacy=True)
    code, said = pull(f"{secure}/second.tar.zst")
    check("a certificate that no authority has signed is refused", code == 1 and "certificate" in said, (code, said))
    configure(ca_cert=work / "tls/ca.pem", url=f"{secure}/second.tar.zst")
    code, said = pull(program=(tiercel, "rules", "pull"))
    check("by TLS, zstd, a legacy signature, and the command", code == 0 and link("current") == "200" and link("previous") == "100"
          and os.listdir(placed / "current") == ["10-a.yaml"], (code, said))
    refused("older rules", f"{plain}/first.tar.gz", "signed at 100, and newer ones \\(200\\)")
    code, said = pull("--rollback")
    check("a rollback brings the former rules back", code == 0 and link("current") == "100", (code, said))
    code, said = pull(f"{secure}/second.tar.zst")
    check("a pull does not undo it", code == 3 and "rolled back" in said and link("current") == "100", (code, said))
    code, said = pull("--rollback")
    check("a second rollback does", code == 0 and link("current") == "200", (code, said))
    archive("third.tar.gz", [entry("c.yaml", RULE % 4)], 300)
    code, said = pull(f"{plain}/third.tar.gz")
    check("two sets are kept", code == 0 and sorted(os.listdir(placed)) == ["200", "300", "current", "previous"], (code, said))


def refused_transport(plain):
    refused("another machine without TLS", "http://192.0.2.1/third.tar.gz", "without TLS", code=2)
    refused("another protocol", "file:///etc/passwd", "must begin with", code=2)
    refused("a redirection to another machine without TLS", f"{plain}/away/rules.tar.gz", "http.*(not supported|disabled)")
    refused("no signature", f"{plain}/none.tar.gz", "none.tar.gz.minisig: .*404")
    (served / "huge.tar.gz").write_bytes(bytes(17 << 20))
    sign("huge.tar.gz", 900)
    refused("a huge tarball", f"{plain}/huge.tar.gz", "more than 16777216 bytes")
    (served / "long.tar.gz").write_bytes(b"x")
    (served / "long.tar.gz.minisig").write_bytes(b"x" * 5000)
    refused("a huge signature", f"{plain}/long.tar.gz", "more than 4096 bytes")
    configure(timeout="2s")
    process = subprocess.Popen([pull_program, "--config", work / "courier.yaml", "--user", ACCOUNT, f"{plain}/slow/rules.tar.gz"],
                               stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    uid = pwd.getpwnam(ACCOUNT).pw_uid
    for pid, filtered in ((process.pid, "0"), (children[0], "2")):
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
        check(f"{status['Name']} has its account, no capability, no new privileges", status["Uid"].split()[0] == str(uid)
              and int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1"
              and status["Seccomp"] == filtered, status)
    begin = time.monotonic()
    _, said = process.communicate(timeout=60)
    check("a slow server is left after rules.timeout", process.returncode == 1 and "timed out" in said.lower()
          and time.monotonic() - begin < 10, said)
    configure()


def refused_signatures(plain):
    def good():
        return [entry("c.yaml", RULE % 5)]
    archive("other-key.tar.gz", good(), 900, key="theirs")
    refused("another key", f"{plain}/other-key.tar.gz", "by another key")
    archive("changed.tar.gz", good(), 900)
    (served / "changed.tar.gz").write_bytes((served / "third.tar.gz").read_bytes())
    refused("another file", f"{plain}/changed.tar.gz", "does not fit the file")
    archive("changed.tar.gz", good(), 900)
    text = (served / "changed.tar.gz.minisig").read_text()
    for what, old, new, wanted in (("a changed timestamp", "timestamp:900", "timestamp:901", "trusted comment was changed"),
                                   ("a cut signature", text[-20:], "", "no signature of minisign"),
                                   ("more behind the signature", text[-4:], text[-4:] + "x\n", "no signature of minisign"),
                                   ("an empty signature", text, "", "no signature of minisign")):
        (served / "changed.tar.gz.minisig").write_text(text.replace(old, new))
        refused(what, f"{plain}/changed.tar.gz", wanted)
    # The id of our key on a signature of theirs.
    lines, theirs = text.splitlines(), (served / "other-key.tar.gz.minisig").read_text().splitlines()
    ours, other = base64.b64decode(lines[1]), base64.b64decode(theirs[1])
    theirs[1] = base64.b64encode(ours[:10] + other[10:]).decode()
    (served / "other-key.tar.gz.minisig").write_text("\n".join(theirs) + "\n")
    refused("another key under our key's id", f"{plain}/other-key.tar.gz", "does not fit the file")
    for what, comment in (("no timestamp", "file:x"), ("a timestamp of 0", "timestamp:0"), ("a wrong timestamp", "timestamp:9x")):
        archive("comment.tar.gz", good(), 0, comment=comment)
        refused(what, f"{plain}/comment.tar.gz", "timestamp:SECONDS")
    (work / "wrong.pub").write_text("nonsense\n")
    for name, wanted in (("absent.pub", "cannot read"), ("wrong.pub", "no public key")):
        got, said = pull("--key", work / name, f"{plain}/third.tar.gz")
        check(f"{name}: without a key nothing is taken", got == 2 and wanted in said, (got, said))


def refused_archives(plain):
    rule = RULE % 6
    bomb = entry("big.yaml")
    bomb[0].size = 100 << 20
    cases = {
        "a name upwards": ([entry("../up.yaml", rule)], "'../up.yaml' is no plain name"),
        "an absolute name": ([entry("/tmp/up.yaml", rule)], "no plain name"),
        "a directory": ([entry("more", kind=tarfile.DIRTYPE)], "'more/' is no plain file"),
        "a name in a directory": ([entry("more/a.yaml", rule)], "no plain name"),
        "a hidden name": ([entry(".a.yaml", rule)], "no plain name"),
        "a control character": ([entry("a\n.yaml", rule)], "no plain name"),
        "another suffix": ([entry("a.yaml", rule), entry("a.sh", "x")], "no plain name of a .yaml"),
        "a symbolic link": ([entry("a.yaml", kind=tarfile.SYMTYPE, link="/etc/shadow")], "'a.yaml' is no plain file"),
        "a hard link": ([entry("a.yaml", rule), entry("b.yaml", kind=tarfile.LNKTYPE, link="a.yaml")], "'b.yaml' is no plain"),
        "a fifo": ([entry("a.yaml", kind=tarfile.FIFOTYPE)], "is no plain file"),
        "a device": ([entry("a.yaml", kind=tarfile.CHRTYPE)], "is no plain file"),
        "a name twice": ([entry("a.yaml", rule), entry("a.yaml", rule)], "is in it twice"),
        "too many files": ([entry(f"{n}.yaml", "#\n") for n in range(1001)], "more than 1000 files"),
        "a bomb": ([(bomb[0], Zeros())], "more than 64 MiB"),
        "no file": ([], "no file in it"),
    }
    for what, (entries, wanted) in cases.items():
        archive("attack.tar.gz", entries, 900)
        refused(what, f"{plain}/attack.tar.gz", wanted)
    archive("attack.tar.gz", [entry("a.yaml", rule + "".join(f"# {random.random()}\n" for _ in range(20_000)))], 900)
    cut = (served / "attack.tar.gz").read_bytes()[:100_000]
    whole = gzip.compress(os.urandom(100)) + (served / "third.tar.gz").read_bytes()
    for what, content, wanted in (("a cut tarball", cut, "truncated"),
                                  ("no tarball", os.urandom(5000), "refused"), ("an empty one", b"", "refused"),
                                  ("a damaged one", whole[:100], "refused")):
        (served / "attack.tar.gz").write_bytes(content)
        sign("attack.tar.gz", 900)
        refused(what, f"{plain}/attack.tar.gz", wanted)
    archive("attack.tar.gz", [entry("a.yaml", "- rule: x\n  condition: no.such.field=1\n")], 900)
    refused("wrong rules", f"{plain}/attack.tar.gz", "no.such.field.*|do not load", lines=None)
    archive("attack.tar.gz", [entry("a.yaml", "# nothing\n")], 900)
    refused("rules without a rule", f"{plain}/attack.tar.gz", "there is no rule in them")
    check("nothing was written outside", not os.path.exists("/tmp/up.yaml") and not (placed / "up.yaml").exists()
          and not (work / "up.yaml").exists())


class Zeros(io.RawIOBase):
    def read(self, size=-1):
        return bytes(size)


def killed(plain):
    archive("next.tar.gz", [entry(f"{n}.yaml", RULE % n) for n in range(100)], 1000)
    seen = set()
    for n in range(20):
        archive("next.tar.gz", [entry(f"{m}.yaml", RULE % m) for m in range(100)], 1000 + n)
        process = subprocess.Popen([pull_program, "--analyzer", analyzer, "--config", work / "courier.yaml", "--user", ACCOUNT,
                                    f"{plain}/next.tar.gz"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.01, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.05)
        seen.add(link("current"))
        loads = subprocess.run([analyzer, "-V", "-r", placed / "current"], capture_output=True, text=True)
        if loads.returncode != 0:
            check("a pull that is killed leaves rules that load", False, (link("current"), loads.stderr))
            return
    archive("next.tar.gz", [entry("a.yaml", RULE % 7)], 2000)
    code, said = pull(f"{plain}/next.tar.gz")
    check(f"20 pulls that were killed left rules that load ({len(seen)} versions), and the next one works", code == 0 and
          link("current") == "2000" and len(os.listdir(placed)) == 4, (code, said, os.listdir(placed)))


make_key("ours")
make_key("theirs")
configure()
over_http, over_tls = serve(), serve(server_tls(certificates(work / "tls")))
accepted(over_http, over_tls)
configure()
refused_transport(over_http)
refused_signatures(over_http)
refused_archives(over_http)
killed(over_http)
shutil.rmtree(work, ignore_errors=True)
sys.exit(exit_code())

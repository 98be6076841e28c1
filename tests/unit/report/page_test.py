#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""page_test: the incident page in a real Chromium: it opens, draws, filters and finds the alert, asks the network for
nothing, and hostile names in a capture do nothing.

Usage: page_test.py ANALYZER MAKE_CAPTURE [SCREENSHOT]     the screenshot of the page in docs/
"""
import os
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../../lib"))
from check import check, exit_code, skip, skip_part  # noqa: E402
import browser  # noqa: E402

top = os.path.join(here, "../../..")
analyzer, make_capture = map(os.path.abspath, sys.argv[1:3])
RULES = """
- rule: Curl connects
  desc: curl has opened a connection.
  condition: evt.type=connect and proc.name=curl
  output: curl connects (%fd.name %proc.cmdline)
  priority: WARNING
  tags: [network]
- rule: Deleted
  desc: A file was deleted.
  condition: evt.type=unlink and evt.rawres=0
  output: deleted (%fs.path.name)
  priority: CRITICAL
"""


def report(capture, page, *options):
    """Makes the page of a capture, and returns the program's end."""
    return subprocess.run([analyzer, "--replay", capture, "-r", "rules.yaml", "--report", page, *options],
                          capture_output=True, text=True)


def rows(page, section):
    """Returns the texts of a section's rows."""
    return page.value(f"[...document.querySelectorAll('#{section} tbody tr.row')].map((row) => row.innerText)")


def type_filter(page, text):
    """Types into the filter."""
    page.value(f"""(() => {{ const search = document.getElementById('search'); search.value = {text!r};
                   search.dispatchEvent(new Event('input')); }})()""")


def ordinary(page, capture):
    """The page of an ordinary capture."""
    page.problems.clear()
    page.requests.clear()
    check("the page opens and draws", page.open("web.html"), page.problems)
    check("the page asks for nothing but itself", page.requests and all(url.endswith("/web.html") for url in page.requests),
          page.requests)
    check("there is no exception, no violation of the policy, no message", not page.problems, page.problems)
    alerts = rows(page, "alerts")
    check("the alert is listed", any("Curl connects" in row and "Warning" in row for row in alerts), alerts)
    check("the timeline has lanes and marks of alerts",
          page.value("document.querySelectorAll('#chart .lane').length") > 0
          and page.value("document.querySelectorAll('#chart .alert').length") > 0)
    branch = page.value("[...document.querySelectorAll('#branches .node')].map((node) => node.innerText)")
    check("the tree shows the alerted process below its ancestors",
          len(branch) > 1 and any("curl" in node and "alert" in node for node in branch), branch)
    page.value("document.querySelector('#alerts tbody tr.row').click()")
    details = page.value("document.querySelector('#alerts tr.details').innerText")
    lines = subprocess.run([analyzer, "--replay", capture, "--events"], capture_output=True, text=True).stdout.splitlines()
    shown = page.value("document.querySelector('#alerts tr.details pre.events').textContent")
    check("an alert opens to its rule's text", "condition: evt.type=connect and proc.name=curl" in details, details)
    check("an alert opens to its event, as --events prints it", shown in lines, shown)
    before = len(rows(page, "files"))
    type_filter(page, "nothing-has-this-name")
    check("a filter that nothing matches shows nothing", not rows(page, "files") and not rows(page, "alerts"))
    type_filter(page, "curl")
    filtered = rows(page, "files")
    check("the filter keeps the files of a process", 0 < len(filtered) < before
          and all("curl" in row.lower() for row in filtered), filtered)
    type_filter(page, "")
    axis = "[...document.querySelectorAll('#chart text.axis')].map((text) => text.textContent).join()"
    whole = page.value(axis)
    page.value("document.getElementById('in').click()")
    check("the timeline zooms", page.value(axis) != whole, whole)
    page.value("document.getElementById('whole').click()")
    check("and back", page.value(axis) == whole, page.value(axis))
    page.value("document.querySelector('#files thead button').click()")
    paths = page.value("[...document.querySelectorAll('#files tbody tr.row td:first-child')].map((cell) => cell.textContent)")
    check("a table sorts", paths == sorted(paths), paths[:5])
    printed = page.call("Page.printToPDF")["data"]
    check("the page prints", len(printed) > 10000, len(printed))
    for scheme, channel in (("light", 255), ("dark", 22)):
        page.emulate(scheme)
        colour = page.value("getComputedStyle(document.querySelector('#filters')).backgroundColor")
        red = int(colour.split("(")[1].split(",")[0])
        check(f"it has a {scheme} form", abs(red - channel) < 12, colour)


def hostile(page):
    """The page of a capture whose names attack the page and its reader."""
    with open("hostile.scap", "wb") as file:
        subprocess.run([make_capture, "hostile"], stdout=file, check=True)
    check("a hostile capture is reported", report("hostile.scap", "hostile.html").returncode == 0)
    page.problems.clear()
    page.requests.clear()
    check("its page draws", page.open("hostile.html"), page.problems)
    check("no name has run as a program", page.value("window.hacked") is None)
    check("no name has become an element", page.value("document.querySelectorAll('img, main script, main i, main b > b').length") == 0)
    check("its page asks for nothing", all(url.endswith("/hostile.html") for url in page.requests), page.requests)
    check("it has no problem", not page.problems, page.problems)
    body = page.value("document.body.innerText")
    check("the names are shown as text", "</script><script>window.hacked=1</script>" in body)
    check("what turns the direction is shown, and does not turn it", "\\u202egpj.exe" in body and "\u202e" not in body)
    check("control characters are shown", "\\x1b[2J\\x07\\x0d\\x0aforged line" in body)
    check("a path of 4,000 bytes is cut, and says so", "bytes)" in body)
    check("the alerts are there", any("Deleted" in row for row in rows(page, "alerts")), rows(page, "alerts"))
    check("the DNS name is there, as text", any("<script>.evil.example" in row for row in rows(page, "connections")),
          rows(page, "connections"))
    page.value("document.querySelectorAll('tr.row').forEach((row) => row.click())")
    page.value("document.querySelectorAll('.node').forEach((node) => node.click())")
    check("opening every row runs nothing", page.value("window.hacked") is None and not page.problems, page.problems)
    # The policy holds on its own, if a text ever became HTML.
    page.value("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=http://192.0.2.1/x onerror=window.hacked=1>')")
    page.value("new Promise((done) => setTimeout(done, 300))")
    check("the policy refuses handlers and loads", page.value("window.hacked") is None and page.problems, page.problems)


def peers(page):
    """The captures that other sensors made."""
    folder = os.path.join(top, "../shared/peer")
    captures = [name for name in ("curl_google.scap", "single_ipv6_conn.scap") if os.path.exists(os.path.join(folder, name))]
    if not captures:
        return skip_part("captures of other sensors", f"there are none in {folder}")
    for name in captures:
        made = report(os.path.join(folder, name), "peer.html")
        check(f"the page of {name} draws", made.returncode == 0 and page.open("peer.html"), made.stderr)
        check(f"it has connections", len(rows(page, "connections")) > 0)
    return None


def main():
    if browser.find() is None:
        skip("Chromium is not installed (package chromium)")
    capture = os.path.abspath(os.path.join(top, "tests/data/web.scap.gz"))
    shot = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        with open("rules.yaml", "w", encoding="utf-8") as file:
            file.write(RULES)
        made = report(capture, "web.html")
        check("the report is written", made.returncode == 0 and os.path.getsize("web.html") > 10000, made.stderr)
        check("only its owner may read it", os.stat("web.html").st_mode & 0o777 == 0o600)
        page = browser.Browser()
        try:
            ordinary(page, capture)
            hostile(page)
            peers(page)
            if shot:
                page.emulate("light")
                page.open("web.html")
                page.screenshot(shot)
        finally:
            page.close()
            os.chdir("/")
    sys.exit(exit_code())


main()

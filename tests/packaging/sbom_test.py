#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The bill of materials: valid SPDX 2.3, complete for what the programs load, and the same each time.

Usage: sbom_test.py SBOM-SCRIPT PROGRAM...
"""
import json
import re
import subprocess
import sys

script, programs = sys.argv[1], sys.argv[2:]
failures = 0


def check(good, what):
    global failures
    if not good:
        print(f"failed: {what}")
        failures += 1


def make():
    return subprocess.run([script, "/dev/stdout", "tiercel", "1.2.3", "zlib1g-dev,no-such-package", *programs], check=True, capture_output=True, text=True).stdout


text = make()
check(text == make(), "two runs over the same programs give the same bytes")
bill = json.loads(text)

# SPDX 2.3, clause 6: what each document has.
check(bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0", "version and data licence")
check(bill["SPDXID"] == "SPDXRef-DOCUMENT" and bill["name"] == "tiercel-1.2.3", "the document's identifier and name")
check(re.fullmatch(r"https://[^#]+", bill["documentNamespace"]), "the namespace is a URI without a fragment")
check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"]), "the time of creation")

# Clause 7: what each package has.
packages = {each["name"]: each for each in bill["packages"]}
identifiers = [each["SPDXID"] for each in bill["packages"]]
check(len(set(identifiers)) == len(identifiers), "identifiers are unique")
check(all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each) for each in identifiers), "identifiers have permitted characters only")
check(all(each["downloadLocation"] for each in bill["packages"]), "each package has a download location or NOASSERTION")
check(packages["tiercel"]["versionInfo"] == "1.2.3", "the project itself")
check(packages["no-such-package"]["versionInfo"] == "unknown", "a package that is not installed is listed as unknown")
related = {each["relatedSpdxElement"] for each in bill["relationships"]}
check(related == set(identifiers), "every package has a relationship")

# What the programs load is there under the package that owns it.
for program in programs:
    dynamic = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        found = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True).stdout
        names = {line.split(":")[0] for line in found.splitlines()} or {library}
        check(names & set(packages), f"{library} of {program} is listed")

print(f"{len(packages)} packages, {failures} failures")
sys.exit(failures != 0)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dashboard_test.py: every metric that the Grafana dashboard asks for is one that the analyzer gives.

Usage: dashboard_test.py SOURCE
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code

source = pathlib.Path(sys.argv[1])
table = (source / "analyzer/output/metrics.def").read_text()
given = set(re.findall(r'^METRIC\(\w+, \w+, "((?:tiercel|falcosecurity)_[a-z_]+)"', table, re.MULTILINE))
dashboard = json.loads((source / "packaging/grafana/tiercel.json").read_text())
expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
asked = {name for expression in expressions for name in re.findall(r"\b(?:tiercel|falcosecurity)_[a-z_]+", expression)}
unknown, places = asked - given, [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
check(f"the dashboard asks for metrics, in {len(expressions)} expressions", len(asked) > 0)
check(f"all {len(asked)} of them are given", not unknown, unknown)
courier = {name for name in given if name.startswith("tiercel_courier_")}
check("and all that the courier tells of its destinations is shown", len(courier) > 4 and courier <= asked, courier - asked)
check("no panel lies on another", len(set(places)) == len(places), places)
sys.exit(exit_code())

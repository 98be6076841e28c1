#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make-readme: prints the chart's README.md, whose table of values comes from values.yaml and values.schema.json.

Usage: make-readme.py CHART >CHART/README.md
"""
import json
import pathlib
import sys

import yaml

HEAD = """# The Helm chart of Tiercel

    helm install tiercel packaging/helm/tiercel --namespace tiercel --create-namespace

The chart runs a DaemonSet with two containers: privd, which loads the probe, and the analyzer, which raises alerts by the
image's rules and those of `rules`. `enricher.runtimeSocket` adds a third, which asks the container runtime for names, and
`courier.destinations` a fourth, which sends alerts to other machines. The namespace needs the Pod Security level
`privileged` (docs/kubernetes.md).

## Values

This table is made from values.yaml and values.schema.json by packaging/helm/make-readme.py.

| value | default | description |
|---|---|---|
"""

chart = pathlib.Path(sys.argv[1])
values = yaml.safe_load((chart / "values.yaml").read_text())
schema = json.loads((chart / "values.schema.json").read_text())


def rows(properties, values, prefix=""):
    for name, about in properties.items():
        if "properties" in about:
            yield from rows(about["properties"], values[name], f"{prefix}{name}.")
        elif "description" in about and name in values:
            default = json.dumps(values[name], ensure_ascii=False)
            yield f"| `{prefix}{name}` | `{default}` | {about['description']} |\n"


sys.stdout.write(HEAD + "".join(rows(schema["properties"], values)))

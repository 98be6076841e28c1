#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""schema_test.py: checks the manifests and the rendered chart by the schemas of the Kubernetes API, as the npm package
kubernetes-models has them.

Usage: schema_test.py SOURCE
Where the package is: $NODE_PATH, or wherever node looks (npm install kubernetes-models).
"""
import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")
import render

JUDGE = """
const documents = JSON.parse(require("fs").readFileSync(0, "utf8"));
let failures = 0;
for (const [title, document] of documents) {
    try {
        const models = require("kubernetes-models/" + document.apiVersion);
        new models[document.kind](document).validate();
        console.log("ok: " + title + ": " + document.kind);
    } catch (error) {
        console.log("FAILED: " + title + ": " + document.kind + ": " + error.message);
        ++failures;
    }
}
process.exit(failures > 0 ? 1 : 0);
"""


source = pathlib.Path(sys.argv[1])
if not shutil.which("node"):
    skip("node is not installed")
if subprocess.run(["node", "-e", 'require("kubernetes-models/apps/v1")'], capture_output=True).returncode != 0:
    skip("kubernetes-models is not installed (npm install kubernetes-models)")


def judge(documents):
    return subprocess.run(["node", "-e", JUDGE], input=json.dumps(documents), text=True, capture_output=True)


chart = source / "packaging/helm/tiercel"
documents = [("kubernetes", each) for each in yaml.safe_load_all((source / "packaging/kubernetes/tiercel.yaml").read_text())]
if render.why_not():
    print(f"SKIPPED: container.schema: the chart: {render.why_not()}")
else:
    # The schemas do not have the kinds of the Prometheus operator and of OpenShift.
    for title, change in {"helm": {}, "helm, changed": {"hostPID": True, "rules": {"a.yaml": "[]"}, "nodeSelector": {"a": "b"},
                                                        "enricher": {"runtimeSocket": "/run/crio/crio.sock"}}}.items():
        documents += [(title, each) for each in render.documents(chart, change)]
judged = judge(documents)
print(judged.stdout, end="")
check("the schemas accept all documents", judged.returncode == 0, judged.stderr)

# And it does judge.
wrong = json.loads(json.dumps(next(each for _, each in documents if each["kind"] == "DaemonSet")))
wrong["spec"]["template"]["spec"]["containers"][0]["securityContext"]["capabilities"] = ["BPF"]
check("the schemas refuse capabilities of another shape", judge([("a wrong one", wrong)]).returncode != 0)
sys.exit(exit_code())

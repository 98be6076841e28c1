# SPDX-License-Identifier: Apache-2.0
"""render: the documents of our chart, rendered by Go's own templates (render.go), as Helm renders them."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
SPRIG = pathlib.Path("/usr/share/gocode/src/github.com/Masterminds/sprig")
_program = None


def why_not():
    """What is missing here, or None."""
    if not shutil.which("go") or not SPRIG.exists():
        return "Go and sprig are not both installed (packages golang-go, golang-github-masterminds-sprig-dev)"
    return None


def program():
    global _program
    if _program is None:
        folder = tempfile.TemporaryDirectory(prefix="render-")
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "tiercel/go")
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(cache), "GOFLAGS": ""}
        subprocess.run(["go", "build", "-o", f"{folder.name}/render", str(HERE / "render.go")], env=environment, check=True)
        _program = folder
    return f"{_program.name}/render"


def merged(values, change):
    """The values with a user's laid over them, as Helm does: mappings are merged, all else is replaced."""
    if not isinstance(values, dict) or not isinstance(change, dict):
        return change
    return {**values, **{key: merged(values.get(key), value) for key, value in change.items()}}


def render(chart, change=None, release=("tiercel", "sensors")):
    """The texts of the chart's files, by name."""
    values = merged(yaml.safe_load((chart / "values.yaml").read_text()), change or {})
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    given = {"Values": values, "Release": {"Name": release[0], "Namespace": release[1], "Service": "Helm"},
             "Chart": {"Name": about["name"], "Version": about["version"], "AppVersion": about["appVersion"]}}
    done = subprocess.run([program(), str(chart)], input=json.dumps(given), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)


def documents(chart, change=None, release=("tiercel", "sensors")):
    """The Kubernetes objects of the chart."""
    return [each for name, text in sorted(render(chart, change, release).items()) if name.endswith(".yaml")
            for each in yaml.safe_load_all(text) if each]

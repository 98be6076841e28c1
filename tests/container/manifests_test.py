#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""manifests_test.py: checks capabilities, users and Pod Security "restricted" on the YAML of the manifests.

The chart is rendered by Go's own templates (render.go); Helm itself is not asked.

Usage: manifests_test.py SOURCE SECCOMP_DIRECTORY
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from check import check, exit_code, skip, skip_part

try:
    import jsonschema
    import yaml
except ImportError:
    skip("python3-yaml and python3-jsonschema are not both installed")
import render

source, profiles = map(pathlib.Path, sys.argv[1:])


def beyond_restricted(pod, container):
    """What Pod Security "restricted" (its items as of Kubernetes 1.30) refuses of a container, by name."""
    own, common = container.get("securityContext", {}), pod.get("securityContext", {})
    both = {**common, **own}
    capabilities = own.get("capabilities", {})
    profile = both.get("seccompProfile", {}).get("type")
    items = {
        "privileged": own.get("privileged", False),
        "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation", True),
        "runAsNonRoot": not both.get("runAsNonRoot", False),
        "runAsUser": both.get("runAsUser") == 0,
        "capabilities.drop": capabilities.get("drop") != ["ALL"],
        "capabilities.add": bool(set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}),
        "seccompProfile": profile not in ("RuntimeDefault", "Localhost"),
        "procMount": own.get("procMount", "Default") != "Default",
        "hostPort": any("hostPort" in port for port in container.get("ports", [])),
    }
    return {name for name, refused in items.items() if refused}


def pod_beyond_restricted(pod):
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    kinds = {kind for volume in pod.get("volumes", []) for kind in volume if kind != "name"}
    return {name for name in ("hostPID", "hostIPC", "hostNetwork") if pod.get(name)} | (kinds - allowed)


def check_daemonset(title, documents):
    daemonset = next(d for d in documents if d["kind"] == "DaemonSet")
    pod = daemonset["spec"]["template"]["spec"]
    containers = {c["name"]: c for c in pod["containers"]}
    privd, analyzer, keeper = (containers[name] for name in ("privd", "analyzer", "keeper"))
    check(f"{title}: the pod itself asks for nothing beyond `restricted`", pod_beyond_restricted(pod) == set())
    check(f"{title}: nor does the analyzer's container", beyond_restricted(pod, analyzer) == set())
    check(f"{title}: nor the keeper's, which is of the analyzer's account", beyond_restricted(pod, keeper) == set() and
          keeper["securityContext"]["runAsUser"] == analyzer["securityContext"]["runAsUser"])
    check(f"{title}: the analyzer finds the keeper", {"name": "TIERCEL_KEEPER", "value": keeper["command"][-1]} in analyzer["env"])
    check(f"{title}: privd's asks for exactly two items",
          beyond_restricted(pod, privd) == {"capabilities.add", "allowPrivilegeEscalation"})
    check(f"{title}: privd's capabilities are the plan's four",
          privd["securityContext"]["capabilities"]["add"] == ["BPF", "PERFMON", "SYS_RESOURCE", "SYS_PTRACE"])
    for container in privd, analyzer, keeper:
        check(f"{title}: {container['name']}'s root is read-only",
              container["securityContext"].get("readOnlyRootFilesystem") is True)
        check(f"{title}: {container['name']} has a memory limit", "memory" in container["resources"]["limits"])
    check(f"{title}: the analyzer detects, by rules, and names the node",
          "-r" in analyzer["args"] and "--events" not in analyzer["args"] and "hostname=$(TIERCEL_HOSTNAME)" in analyzer["args"])
    check(f"{title}: it has probes", {"startupProbe", "livenessProbe", "readinessProbe"} <= set(analyzer))
    check(f"{title}: no token of the API server", pod.get("automountServiceAccountToken") is False)
    uids = {c["securityContext"]["runAsUser"] for c in (privd, analyzer)}
    check(f"{title}: two users", len(uids) == 2 and 0 not in uids)
    check(f"{title}: the labels select the pods",
          daemonset["spec"]["selector"]["matchLabels"].items() <=
          daemonset["spec"]["template"]["metadata"]["labels"].items())
    volumes = {v["name"] for v in pod["volumes"]}
    check(f"{title}: each mount is a volume of the pod",
          {m["name"] for c in containers.values() for m in c.get("volumeMounts", [])} <= volumes)


def check_enricher(documents):
    """The patch for the enricher, laid over the DaemonSet as kubectl's strategic merge does for what it has: by name."""
    pod = next(d for d in documents if d["kind"] == "DaemonSet")["spec"]["template"]["spec"]
    patch = yaml.safe_load((source / "packaging/kubernetes/enricher.yaml").read_text())["spec"]["template"]["spec"]
    for key in "containers", "volumes":
        by_name = {each["name"]: each for each in pod[key]}
        for each in patch[key]:
            by_name[each["name"]] = {**by_name.get(each["name"], {}), **each}
        pod = {**pod, key: list(by_name.values())}
    containers = {c["name"]: c for c in pod["containers"]}
    check("enricher: the pod asks for one item beyond `restricted`", pod_beyond_restricted(pod) == {"hostPath"})
    check("enricher: its container for none", beyond_restricted(pod, containers["enricher"]) == set())
    check("enricher: nor does the analyzer's any more", beyond_restricted(pod, containers["analyzer"]) == set())
    holders = [name for name, c in containers.items() if any(m["name"] == "runtime" for m in c["volumeMounts"])]
    check("enricher: no other container has the runtime's socket", holders == ["enricher"])
    check("enricher: a user of its own", len({c["securityContext"]["runAsUser"] for c in containers.values()}) == 3)
    volumes = {v["name"] for v in pod["volumes"]}
    check("enricher: each mount is a volume of the pod",
          {m["name"] for c in containers.values() for m in c["volumeMounts"]} <= volumes)


def refused(values, schema):
    try:
        jsonschema.validate(values, schema)
        return False
    except jsonschema.ValidationError:
        return True


def check_chart():
    chart = source / "packaging/helm/tiercel"
    values = yaml.safe_load((chart / "values.yaml").read_text())
    schema = json.loads((chart / "values.schema.json").read_text())
    check("helm: the default values fit the schema", not refused(values, schema))
    for title, change in {
            "a capability that privd does not know": {"privd": {**values["privd"], "capabilities": ["SYS_ADMIN"]}},
            "an unknown key": {"privileged": True},
            "a rule file of another name": {"rules": {"../x.yaml": ""}},
            "a driver that is none": {"driver": "ebpf"},
            "a destination of an unknown type": {"courier": {**values["courier"], "destinations": [{"name": "a", "type": "ftp"}]}},
            "a destination without a name": {"courier": {**values["courier"], "destinations": [{"type": "http"}]}},
            "a spool that is no path": {"courier": {**values["courier"], "spool": {"sizeLimit": "1Gi", "hostPath": "spool"}}},
            "destinations in the courier's further keys": {"courier": {**values["courier"], "config": {"destinations": []}}},
            "a Localhost profile without its path": {
                "seccompProfiles": {**values["seccompProfiles"], "analyzer": {"type": "Localhost"}}}}.items():
        check(f"helm: the schema refuses {title}", refused({**values, **change}, schema))
    made = subprocess.run([source / "packaging/helm/make-readme.py", chart], capture_output=True, text=True).stdout
    check("helm: README.md is as make-readme.py makes it", made == (chart / "README.md").read_text())
    if render.why_not():
        print(f"SKIPPED: container.manifests: the chart's templates: {render.why_not()}")
        return
    check_templates(chart, schema)


ALL_ON = {
    "images": {"registry": "registry.example", "tag": "1.2", "pullSecrets": [{"name": "secret"}],
               "analyzer": {"registry": "other.example", "digest": "sha256:" + "0" * 64}, "enricher": {"tag": "9"}},
    "driver": "classic_bpf",
    "enricher": {"runtimeSocket": "/run/crio/crio.sock", "group": 7},
    "analyzer": {"extraEnv": [{"name": "TZ", "value": "UTC"}]},
    "metrics": {"port": 9000, "tokenSecret": "scrape", **{name: {"enabled": True, "labels": {"release": "prometheus"}}
                                 for name in ("serviceMonitor", "podMonitor", "prometheusRule", "dashboard")}},
    "courier": {"destinations": [{"name": "siem", "type": "elasticsearch", "url": "https://siem.example:9200",
                                  "headers": ["Authorization: ApiKey ${SIEM_KEY}"], "ca_cert": "/etc/tiercel/secrets/siem-tls/ca.pem"}],
                "config": {"spool": {"max_bytes": "64M"}, "heartbeat": "60s"}, "secrets": ["siem-tls"],
                "extraEnv": [{"name": "SIEM_KEY", "valueFrom": {"secretKeyRef": {"name": "siem", "key": "key"}}}]},
    "openshift": {"scc": True}, "priorityClassName": "system-node-critical", "serviceAccount": {"name": "watcher"},
    "annotations": {"a": "b"}, "commonLabels": {"team": "security"}, "podAnnotations": {"c": "d: #"}, "podLabels": {"e": "f"},
    "nodeSelector": {"disk": "ssd"}, "affinity": {"nodeAffinity": {}}, "updateStrategy": {"type": "OnDelete", "rollingUpdate": None},
}


def pod_of(documents):
    return next(d for d in documents if d["kind"] == "DaemonSet")["spec"]["template"]["spec"]


def check_courier(documents, without):
    """The courier of a chart that has one destination, and its absence from a chart that has none."""
    pod = pod_of(documents)
    containers = {c["name"]: c for c in pod["containers"]}
    courier, analyzer = containers["courier"], containers["analyzer"]
    check("courier: off by default", "courier" not in json.dumps(pod_of(without)))
    check("courier: its container asks for nothing beyond `restricted`", beyond_restricted(pod, courier) == set())
    check("courier: nor does the analyzer's with it", beyond_restricted(pod, analyzer) == set())
    check("courier: its root is read-only, and it has a memory limit",
          courier["securityContext"]["readOnlyRootFilesystem"] is True and "memory" in courier["resources"]["limits"])
    # The keeper holds what the analyzer holds, and is of its account.
    uids = [c["securityContext"]["runAsUser"] for c in pod["containers"] if c["name"] != "keeper"]
    check("courier: a user of its own", len(set(uids)) == len(uids) == 4, uids)
    check("courier: the analyzer hands alerts to its socket",
          "courier_output.socket=/run/tiercel/courier.sock" in analyzer["args"] and "courier_output.enabled=true" in analyzer["args"]
          and courier["args"][:2] == ["--socket", "/run/tiercel/courier.sock"])
    mounts = {m["name"]: m for m in courier["volumeMounts"]}
    volumes = {v["name"]: v for v in pod["volumes"]}
    check("courier: each mount is a volume of the pod", set(mounts) <= set(volumes), set(mounts) - set(volumes))
    check("courier: its spool is a bounded volume that no other container has",
          volumes["spool"]["emptyDir"] == {"sizeLimit": "512Mi"} and mounts["spool"]["mountPath"] == "/var/lib/tiercel-courier"
          and [c["name"] for c in pod["containers"] if any(m["name"] == "spool" for m in c["volumeMounts"])] == ["courier"])
    check("courier: secrets are files for its group alone",
          volumes["secret-siem-tls"]["secret"] == {"secretName": "siem-tls", "defaultMode": 0o440}
          and mounts["secret-siem-tls"] == {"name": "secret-siem-tls", "mountPath": "/etc/tiercel/secrets/siem-tls", "readOnly": True}
          and [c["name"] for c in pod["containers"] if any(m["name"] == "secret-siem-tls" for m in c["volumeMounts"])] == ["courier"])
    check("courier: and variables", courier["env"] == ALL_ON["courier"]["extraEnv"])
    text = next(d for d in documents if d["metadata"]["name"] == "tiercel-courier")["data"]["courier.yaml"]
    check("courier: its configuration comes through as it is", yaml.safe_load(text) == {
        "destinations": ALL_ON["courier"]["destinations"], **ALL_ON["courier"]["config"]}, text)
    check_configuration(text)
    ready = analyzer["readinessProbe"]["httpGet"]["path"], analyzer["livenessProbe"]["httpGet"]["path"]
    check("courier: readiness asks for alerts that arrive, liveness does not", ready == ("/readyz", "/healthz"), ready)
    service = next(d for d in documents if d["kind"] == "Service")
    check("courier: a pod that is not ready is still scraped", service["spec"]["publishNotReadyAddresses"] is True)


def check_configuration(text):
    """What the chart makes of the values is what the courier reads."""
    program = profiles.parent / "bin/tiercel-courier"
    if not program.exists():
        skip_part("container.manifests: the courier reads the chart's configuration", "tiercel-courier is not built")
        return
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "courier.yaml")
        config.write_text(text.replace("/etc/tiercel/secrets/siem-tls/ca.pem", str(config)))
        done = subprocess.run([program, "--check", "--config", config], capture_output=True, text=True,
                              env={**os.environ, "SIEM_KEY": "k"}, check=False)
    check("courier: it reads that configuration", done.returncode == 0 and "1 destinations are valid" in done.stdout,
          done.stdout + done.stderr)


def check_spool_on_the_node(chart):
    spool = {"spool": {"hostPath": "/var/lib/tiercel-courier"}}
    documents = render.documents(chart, {"courier": {**ALL_ON["courier"], **spool}, "openshift": {"scc": True}})
    check("courier: the spool can be a directory of the node",
          {"path": "/var/lib/tiercel-courier", "type": "Directory"} in [v.get("hostPath") for v in pod_of(documents)["volumes"]])
    check("courier: which is then all that the pod asks beyond `restricted`", pod_beyond_restricted(pod_of(documents)) == {"hostPath"})
    scc = next(d for d in documents if d["kind"] == "SecurityContextConstraints")
    check("courier: and OpenShift permits it", scc["allowHostDirVolumePlugin"] is True
          and {"hostPath", "secret"} <= set(scc["volumes"]) and scc["runAsUser"]["uidRangeMax"] == 65533)


def check_templates(chart, schema):
    documents = render.documents(chart)
    check_daemonset("helm", documents)
    check("helm: by default there are only the objects that every cluster knows",
          sorted({d["kind"] for d in documents}) == ["ConfigMap", "DaemonSet", "Pod", "Service", "ServiceAccount"])
    check("helm: values that turn everything on fit the schema",
          not refused(render.merged(yaml.safe_load((chart / "values.yaml").read_text()), ALL_ON), schema))
    full = render.documents(chart, ALL_ON)
    kinds = [d["kind"] for d in full]
    for kind in "ServiceMonitor", "PodMonitor", "PrometheusRule", "SecurityContextConstraints":
        check(f"helm: {kind} can be turned on", kinds.count(kind) == 1)
    daemonset = next(d for d in full if d["kind"] == "DaemonSet")
    pod = daemonset["spec"]["template"]["spec"]
    containers = {c["name"]: c for c in pod["containers"]}
    check_courier(full, documents)
    check_spool_on_the_node(chart)
    images = [containers[name]["image"] for name in ("privd", "analyzer", "enricher")]
    check("helm: images by registry, repository, tag and digest", images == [
        "registry.example/tiercel-privd:1.2", "other.example/tiercel-analyzer@sha256:" + "0" * 64,
        "registry.example/tiercel-enricher:9"], images)
    check("helm: the classic driver is asked for on both sides",
          all("classic_bpf" in containers[name]["args"] for name in ("privd", "analyzer")))
    check("helm: the runtime's directory is mounted in the enricher alone",
          [name for name, c in containers.items() if any(m["name"] == "runtime" for m in c["volumeMounts"])] == ["enricher"])
    check("helm: and it is the socket's", {"path": "/run/crio", "type": "Directory"} in
          [v.get("hostPath") for v in pod["volumes"]])
    check("helm: the port is the container's, the starter's and the service's",
          containers["analyzer"]["ports"][0]["containerPort"] == 9000 and "9000" in containers["analyzer"]["command"]
          and next(d for d in full if d["kind"] == "Service")["spec"]["ports"][0]["port"] == 9000)
    check("helm: the token of the metrics is mounted for the group, and named",
          {"secretName": "scrape", "defaultMode": 0o440} in [v.get("secret") for v in pod["volumes"]]
          and "metrics.token_file=/etc/tiercel/metrics/token" in containers["analyzer"]["args"])
    sent = [(d["spec"].get("endpoints") or d["spec"]["podMetricsEndpoints"])[0].get("authorization") for d in full
            if d["kind"] in ("ServiceMonitor", "PodMonitor")]
    check("helm: and both monitors send it", sent == [{"credentials": {"name": "scrape", "key": "token"}}] * 2, sent)
    labels = daemonset["spec"]["template"]["metadata"]["labels"]
    check("helm: labels of all objects and of the pods", labels["team"] == "security" and labels["e"] == "f")
    check("helm: they are not in the selector, which cannot change",
          set(daemonset["spec"]["selector"]["matchLabels"]) == {"app.kubernetes.io/name", "app.kubernetes.io/instance"})
    check("helm: annotations come through as they are",
          daemonset["spec"]["template"]["metadata"]["annotations"]["c"] == "d: #")
    scc = next(d for d in full if d["kind"] == "SecurityContextConstraints")
    check("helm: OpenShift permits what the pods ask for and no more",
          scc["allowedCapabilities"] == containers["privd"]["securityContext"]["capabilities"]["add"]
          and scc["allowHostDirVolumePlugin"] is True and scc["allowPrivilegedContainer"] is False)
    dashboard = next(d for d in full if d["metadata"]["name"].endswith("-dashboard"))
    check("helm: the dashboard is the shipped one",
          json.loads(dashboard["data"]["tiercel.json"]) == json.loads((source / "packaging/grafana/tiercel.json").read_text()))
    notes = render.render(chart)["templates/NOTES.txt"]
    check("helm: the notes say how to read alerts", "logs -f daemonset/tiercel -c analyzer" in notes)
    check_pass_through(chart, documents)


def check_pass_through(chart, documents):
    rules = {"10-ours.yaml": '- rule: "x"\n  desc: a: {b}\n'}
    changed = render.documents(chart, {"rules": rules, "hostPID": True, "config": {"priority": "error: #"}})
    maps = {d["metadata"]["name"]: d["data"] for d in changed if d["kind"] == "ConfigMap"}
    check("helm: rule files come through as they are", maps["tiercel-rules"] == rules)
    check("helm: so does the configuration", yaml.safe_load(maps["tiercel"]["analyzer.yaml"])["priority"] == "error: #")
    pods = [next(d for d in each if d["kind"] == "DaemonSet")["spec"]["template"] for each in (documents, changed)]
    check("helm: hostPID is the pod's", [pod["spec"]["hostPID"] for pod in pods] == [False, True])
    for name in "checksum/config", "checksum/rules":
        check(f"helm: {name} changes with its content",
              pods[0]["metadata"]["annotations"][name] != pods[1]["metadata"]["annotations"][name])


def check_compose():
    services = yaml.safe_load((source / "packaging/container/compose.yaml").read_text())["services"]
    check("compose: privd's capabilities are the plan's four",
          services["privd"]["cap_add"] == ["BPF", "PERFMON", "SYS_RESOURCE", "SYS_PTRACE"])
    check("compose: the analyzer has none", "cap_add" not in services["analyzer"])
    for name, service in services.items():
        check(f"compose: {name} drops all others", service["cap_drop"] == ["ALL"])
        check(f"compose: {name} is neither root nor privileged",
              not service["user"].startswith("0") and not service.get("privileged"))
        check(f"compose: {name} is read-only", service["read_only"] is True)
        check(f"compose: {name} has {'a' if name == 'courier' else 'no'} network",
              service.get("network_mode", "") == ("" if name == "courier" else "none"))
    courier = services["courier"]
    check("compose: the courier is off by default, may gain nothing, and has its own profile", courier["profiles"] == ["courier"]
          and courier["security_opt"] == ["no-new-privileges:true", "seccomp=../../build/seccomp/courier.json"])
    holders = [name for name, service in services.items() if any(v.startswith("spool:") for v in service["volumes"])]
    check("compose: no other service has the spool", holders == ["courier"])
    check("compose: each service has a user of its own", len({s["user"] for s in services.values()}) == len(services) == 4)


def check_profiles():
    calls = {}
    for name in "analyzer", "privd", "enricher", "courier":
        profile = json.loads((profiles / f"{name}.json").read_text())
        check(f"seccomp: {name}'s profile refuses by default", profile["defaultAction"] == "SCMP_ACT_ERRNO")
        calls[name] = {call for rule in profile["syscalls"] for call in rule["names"]}
        check(f"seccomp: {name} starts and ends", {"execve", "exit_group", "seccomp"} <= calls[name])
        check(f"seccomp: {name} may not what neither does",
              not calls[name] & {"ptrace", "mount", "unshare", "setns", "init_module", "kexec_load", "keyctl",
                                 "process_vm_writev", "pidfd_send_signal", "rt_sigqueueinfo", "tkill"})
    check("seccomp: bpf(2) is privd's alone",
          "bpf" in calls["privd"] - calls["analyzer"] - calls["enricher"] - calls["courier"])
    # While it starts, the analyzer ends a child that does not answer. Its own filter refuses kill(2) afterwards.
    check("seccomp: kill(2) is the analyzer's alone", "kill" in calls["analyzer"] - calls["privd"] - calls["enricher"] - calls["courier"])


def check_images():
    """The images are packed from what their build makes. privd's own programs are made with it."""
    folder = source / "packaging/container"
    packed = set(re.findall(r'^ *program "[^"]*" ([a-z-]+)', (folder / "rootfs").read_text(), re.M))
    built = set(re.search(r"/dev build release ([a-z -]+)", (folder / "Containerfile").read_text())[1].split())
    check("images: each packed program is built", packed and packed <= built, packed - built)


manifest = list(yaml.safe_load_all((source / "packaging/kubernetes/tiercel.yaml").read_text()))
check_daemonset("kubernetes", manifest)
check_enricher(manifest)
check_chart()
check_compose()
check_profiles()
check_images()
sys.exit(exit_code())

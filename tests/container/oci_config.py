#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""oci_config: what a container runtime makes of one container of a Kubernetes manifest: an OCI config.json.

Usage: oci_config MANIFEST CONTAINER ROOT SECCOMP SHARED [KEY=VALUE]...

ROOT: the image's root file system; SECCOMP: a profile, or `none`; SHARED: the directory that stands for the emptyDir.
KEY=VALUE override keys of the container's securityContext, as JSON: capabilities={"drop":["ALL"]}. `args=[...]`
replaces its arguments. `binds={PATH:SOURCE}` gives the sources of other mounts of the container; `network="host"` leaves it
in this network namespace.

Capabilities as Docker sets them for a user other than root, which is the least that runtimes do: the list goes into
the bounding set alone, and the exec gives what the file has of it. `permitted=true`: into the permitted set too.
"""
import json
import sys

import yaml

# Linux's numbers of the capabilities that a manifest of ours may name.
NUMBERS = {"SYS_PTRACE": 19, "SYS_RESOURCE": 24, "PERFMON": 38, "BPF": 39}

# The node's name, which the kubelet puts into the environment and the arguments.
TIERCEL_HOSTNAME, NODE = "TIERCEL_HOSTNAME", "node1"


def ours_to_give():
    """The capabilities that this process may give: a machine may lack one, and a runtime then gives none at all."""
    line = next(line for line in open("/proc/self/status") if line.startswith("CapPrm:"))
    return {name for name, number in NUMBERS.items() if int(line.split()[1], 16) >> number & 1}


def mounts(volumes, sources):
    """The container's mounts. Those without a source here, as its files of the configuration may be, are left out."""
    bound = [{"destination": mount["mountPath"], "type": "bind", "source": sources[mount["mountPath"]],
              "options": ["bind", "ro" if mount.get("readOnly") else "rw"]}
             for mount in volumes if mount["mountPath"] in sources]
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
        *bound,
    ]


def main(manifest, name, root, profile, shared, *overrides):
    daemonset = next(d for d in yaml.safe_load_all(open(manifest)) if d["kind"] == "DaemonSet")
    pod = daemonset["spec"]["template"]["spec"]
    container = next(c for c in pod["containers"] if c["name"] == name)
    security = {**pod["securityContext"], **container["securityContext"]}
    for override in overrides:
        key, value = override.split("=", 1)
        security[key] = json.loads(value)
    if security["capabilities"]["drop"] != ["ALL"]:
        sys.exit("oci_config: this test knows no container that keeps its runtime's default capabilities")
    wanted = security["capabilities"].get("add", [])
    for capability in set(wanted) - ours_to_give():
        print(f"note: this machine cannot give CAP_{capability}: tested without", file=sys.stderr)
    held = ["CAP_" + capability for capability in wanted if capability in ours_to_give()]
    namespaces = ["mount", "ipc", "uts"] + ([] if security.get("network") == "host" else ["network"]) + ([] if pod.get("hostPID") else ["pid"])
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": security["runAsUser"], "gid": security["runAsGroup"],
                     "additionalGids": [pod["securityContext"]["fsGroup"]]},
            "args": [word.replace(f"$({TIERCEL_HOSTNAME})", NODE) for word in
                     container.get("command", ["/usr/bin/" + name]) + security.get("args", container["args"])],
            "env": ["PATH=/usr/bin", f"{TIERCEL_HOSTNAME}={NODE}"],
            "cwd": "/",
            "noNewPrivileges": not security.get("allowPrivilegeEscalation", True),
            "capabilities": {"bounding": held, "permitted": held if security.get("permitted") else []},
        },
        "root": {"path": root, "readonly": security["readOnlyRootFilesystem"]},
        "hostname": "pod",
        "mounts": mounts(container["volumeMounts"], {"/run/tiercel": shared, **security.get("binds", {})}),
        "linux": {
            "namespaces": [{"type": namespace} for namespace in namespaces],
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/sched_debug", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }
    if profile != "none":
        config["linux"]["seccomp"] = json.load(open(profile))
    json.dump(config, sys.stdout, indent=2)


if __name__ == "__main__":
    main(*sys.argv[1:])

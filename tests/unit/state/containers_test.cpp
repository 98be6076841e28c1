// SPDX-License-Identifier: Apache-2.0
//
// The container of each layout of cgroups seen in the wild.
#include <doctest/doctest.h>

#include <string>

#include "analyzer/state/container.h"

using namespace tiercel::state;
using namespace std::literals;

namespace {

const std::string kA(64, 'a'), kB(64, 'b');
const std::string kShortA(12, 'a'), kShortB(12, 'b');

struct Row {
    std::string path, id;
    std::string_view runtime;
};

} // namespace

TEST_CASE("the container of each layout of cgroups") {
    const Row rows[] = {
        {"/docker/" + kA, kShortA, "docker"},
        {"/system.slice/docker-" + kA + ".scope", kShortA, "docker"},
        {"/ecs/task/" + std::string(32, 'c') + "-1234567890", std::string(12, 'c'), ""},
        {"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kA + ".scope", kShortA,
         "containerd"},
        {"/system.slice/containerd.service/kubepods-pod1:cri-containerd:" + kA, kShortA,
         "containerd"},
        {"/system.slice/nerdctl-" + kA + ".scope", kShortA, "containerd"},
        {"/default/" + kA, kShortA, ""},
        {"/default/redis-test", "redis-test", "containerd"},
        {"/other/redis-test", "", ""},
        {"/system.slice/default/redis", "", ""},
        {"/kubepods.slice/crio-" + kA + ".scope", kShortA, "cri-o"},
        {"/kubepods.slice/crio-conmon-" + kA + ".scope", "", ""},
        {"/machine.slice/libpod-" + kA + ".scope/container", kShortA, "podman"},
        {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kA + ".scope",
         kShortA, "podman"},
        {"/system.slice/web.service/libpod-payload-" + kA, kShortA, "podman"},
        {"/machine.slice/libpod-conmon-" + kA + ".scope", "", ""},
        {"/lxc/100/ns", "100", "lxc"},
        {"/lxc/101/ns/system.slice/cron.service", "101", "lxc"},
        {"/lxc.payload.web01", "web01", "lxc"},
        {"/lxc.payload/web02/init.scope", "web02", "lxc"},
        {"/lxc.monitor.web01", "", ""},
        {"/lxc.monitor/web01", "", ""},
        {"/machine.slice/machine-lxc\\x2d2293\\x2dbox.scope", "2293-box", "lxc"},
        {"/machine.slice/machine-web.scope/payload", "web", "systemd-nspawn"},
        {"/machine.slice/machine-my\\x2dbox.scope/payload", "my-box", "systemd-nspawn"},
        {"/machine.slice/systemd-nspawn@my\\x2dbox.service/payload", "my-box", "systemd-nspawn"},
        {"/machine.slice/machine-qemu\\x2d1\\x2ddebian12.scope/libvirt/emulator", "", ""},
        {"/system.slice/bpm-nginx", "nginx", "bpm"},
        // The innermost container counts: kind, k3d and Docker in Docker.
        {"/docker/" + kA + "/kubelet/kubepods/burstable/pod1/" + kB, kShortB, ""},
        {"/system.slice/docker-" + kA + ".scope/kubelet.slice/cri-containerd-" + kB + ".scope",
         kShortB, "containerd"},
        {"/docker/" + kA + "/kubelet.slice/kubelet.service", kShortA, "docker"},
        {"/lxc.payload.node/system.slice/docker-" + kA + ".scope", kShortA, "docker"},
        {"/user.slice/user-1000.slice/session-1.scope", "", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.path);
        const std::string cgroups = "cpuset=" + row.path + '\0' + "cpu=" + row.path + '\0';
        const ContainerName container = container_name(cgroups);
        CHECK(container.id == row.id);
        CHECK(name(container.runtime) == row.runtime);
    }
}

TEST_CASE("in a cgroup v1 hybrid one subsystem with the path suffices") {
    const std::string cgroups = "cpuset=/\0cpu=/\0memory=/docker/"s + kA + '\0';
    CHECK(container_name(cgroups).id == kShortA);
}

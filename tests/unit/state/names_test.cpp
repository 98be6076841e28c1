// SPDX-License-Identifier: Apache-2.0
//
// Containers by cgroup, users by file.
#include <doctest/doctest.h>

#include "analyzer/state/container.h"
#include "analyzer/state/container_table.h"
#include "analyzer/state/users.h"

using namespace tiercel::state;
using namespace std::literals;

namespace {
const std::string kId = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";
} // namespace

TEST_CASE("container ids of the usual runtimes") {
    for (const std::string& path :
         {"cpu=/docker/" + kId, "=/system.slice/docker-" + kId + ".scope",
          "=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/"
          "cri-containerd-" +
              kId + ".scope",
          "=/kubepods/besteffort/podaa/" + kId,
          "=/machine.slice/libpod-" + kId + ".scope/container",
          "=/kubepods.slice/crio-" + kId + ".scope",
          "=/system.slice/containerd.service/kubepods-x:cri-containerd:" + kId}) {
        CAPTURE(path);
        CHECK(container_id(path + '\0') == "3ad7b26ded6d");
    }
    CHECK(container_id("=/machine.slice/machine-web.scope") == "web");
    CHECK(container_id("=/machine.slice/systemd-nspawn@db.service/payload") == "db");
}

TEST_CASE("whose container it is, and its whole id") {
    const std::pair<std::string, std::string_view> cases[] = {
        {"cpu=/docker/" + kId, "docker"},
        {"=/system.slice/docker-" + kId + ".scope", "docker"},
        {"=/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-" + kId + ".scope", "containerd"},
        {"=/system.slice/containerd.service/kubepods-x:cri-containerd:" + kId, "containerd"},
        {"=/kubepods.slice/crio-" + kId + ".scope", "cri-o"},
        {"=/machine.slice/libpod-" + kId + ".scope/container", "podman"},
        {"=/kubepods/besteffort/podaa/" + kId, ""}}; // the cgroup does not tell
    for (const auto& [path, runtime] : cases) {
        CAPTURE(path);
        const ContainerName container = container_name(path);
        CHECK(container.full_id == kId);
        CHECK(name(container.runtime) == runtime);
    }
    const ContainerName machine = container_name("=/machine.slice/machine-web.scope");
    CHECK(name(machine.runtime) == "systemd-nspawn");
    CHECK(machine.full_id.empty());
    CHECK(container_name("=/user.slice").runtime == ContainerRuntime::unknown);
}

TEST_CASE("containers that are met are asked about once, and answers are kept within bounds") {
    const auto path = [](unsigned number) {
        const std::string digits = std::to_string(number);
        return "=/docker/" + std::string(12 - digits.size(), '0') + digits + kId.substr(12) + '\0';
    };
    Containers containers;
    containers.meet(path(1));
    CHECK_FALSE(containers.take()); // no enricher is configured
    containers.remember();
    containers.meet(path(1));
    containers.meet(path(1));
    containers.meet("=/machine.slice/machine-web.scope"); // no runtime knows these
    const auto met = containers.take();
    REQUIRE(met);
    CHECK(met->id == "000000000001");
    CHECK(met->runtime == ContainerRuntime::docker);
    CHECK_FALSE(containers.take());
    CHECK(containers.find("000000000001") == nullptr);
    Container web;
    web.name = "web";
    containers.tell(*met, web);
    CHECK(containers.find("000000000001")->name == "web");
    for (unsigned number = 2; number < 5000; ++number)
        containers.meet(path(number));
    CHECK(containers.counters().passed_over == 5000 - 2 - Containers::kMostWaiting);
    for (unsigned number = 5000; number < 8000; ++number) {
        containers.meet(path(number));
        (void)containers.take();
    }
    CHECK(containers.find("000000000001") == nullptr); // had to make room
    containers.tell(*met, web);                        // too late
    CHECK(containers.find("000000000001") == nullptr);
}

TEST_CASE("what is not a container's cgroup") {
    for (const std::string& path :
         {"=/user.slice/user-1000.slice/session-1.scope"s, "=/"s, ""s, "=/docker/" + kId.substr(1),
          "=/machine.slice/libpod-conmon-" + kId + ".scope", "=/system.slice/ssh.service"s,
          "=/docker/" + std::string(64, 'z')}) {
        CAPTURE(path);
        CHECK(container_id(path + '\0').empty());
    }
}

TEST_CASE("pod uids") {
    CHECK(pod_uid("=/kubepods.slice/kubepods-pod3e41dc6b_08a8_44db_bc2a_3724b18ab19a.slice/x") ==
          "3e41dc6b-08a8-44db-bc2a-3724b18ab19a");
    CHECK(pod_uid("=/kubepods/besteffort/pod3e41dc6b-08a8-44db-bc2a-3724b18ab19a/x") ==
          "3e41dc6b-08a8-44db-bc2a-3724b18ab19a");
    CHECK(pod_uid("=/podman/something").empty());
}

TEST_CASE("the first line of an id gives its name, and a new text replaces the old one") {
    Users users;
    users.load_passwd("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/other:/bin/sh\nme:x:1000:100::/:\n");
    users.load_group("wheel:x:0:\nroot:x:0:\n");
    CHECK(users.user(0)->name == "root");
    CHECK(users.user(0)->home == "/root");
    CHECK(users.group(0) == "wheel");
    users.load_passwd("root:x:0:0::/root:/bin/sh\nyou:x:1000:100::/:\n");
    users.load_group("root:x:0:\n");
    CHECK(users.user(1000)->name == "you");
    CHECK(users.group(0) == "root");
    users.load_passwd("root:x:0:0::/root:/bin/sh\n");
    CHECK(users.user(1000) == nullptr);
}

TEST_CASE("ids that no file names are listed once, those of the name service again") {
    Users users;
    users.user(7);
    CHECK(users.take_wanted().empty()); // a replay has no helper process to ask
    users.remember_wanted();
    users.load_passwd("root:x:0:0::/root:/bin/sh\n");
    for (int i = 0; i < 3; ++i)
        users.meet(0, 5);
    users.user(70001);
    users.user(~0U); // a thread whose user is not known
    const std::vector<WantedName> wanted = users.take_wanted();
    CHECK(wanted == std::vector<WantedName>{{5, true}, {70001, false}});
    CHECK(users.take_wanted().empty());
    users.add({70001, 70001, "ldap", "/home/ldap", "/bin/sh", true});
    users.add_group(70001, "people", true);
    CHECK(users.user(70001)->name == "ldap");
    CHECK(users.take_wanted() == std::vector<WantedName>{{70001, false}});
    users.load_passwd("root:x:0:0::/root:/bin/sh\n");
    CHECK(users.user(70001)->name == "ldap"); // a file that changes says nothing of it
    users.load_passwd("local:x:70001:1::/:\n");
    CHECK(users.user(70001)->name == "local"); // but files come first
    users.forget({70001, false});
    CHECK(users.user(70001)->name == "local");
    users.forget({70001, true});
    CHECK(users.group(70001).empty());
    for (std::uint32_t id = 100'000; id < 101'000; ++id)
        users.user(id);
    CHECK(users.take_wanted().size() == Users::kMostWanted);
}

TEST_CASE("passwd and group files, broken lines passed over") {
    Users users;
    users.load_passwd("root:x:0:0:root:/root:/bin/bash\nbroken\nme:x:1000:100::/home/me:/bin/"
                      "sh\n:x:5:5:::\nbig:x:99999999999:0:::");
    users.load_group("root:x:0:\nstaff:x:50:me\nno:x:\n");
    CHECK(users.user(0)->name == "root");
    CHECK(users.user(1000)->home == "/home/me");
    CHECK(users.user(1000)->shell == "/bin/sh");
    CHECK(users.users().size() == 2);
    CHECK(users.group(50) == "staff");
    CHECK(users.group(51).empty());
}

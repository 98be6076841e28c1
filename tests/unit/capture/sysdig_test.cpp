// SPDX-License-Identifier: Apache-2.0
//
// What our writer writes, sysdig 0.29 opens, and shows the same events: number, time, thread, CPU
// and name, for every kind of event that it knows; the kinds added to the schema since, it passes
// over. Of calls without an event of their own it shows all, the later ones as unknown; so it does
// those whose event is beyond the schema, which captures hold as the generic one. Where
// sysdig is not installed the test says so and counts as skipped (exit code 77).
//
//     sysdig_test [COMMAND KNOWN_BELOW]
//
// COMMAND is another sysdig, which knows events below the code KNOWN_BELOW. Names are compared with
// those of sysdig 0.29 only.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "shared/os/unique_fd.h"
#include "tests/unit/capture/sample.h"

using namespace tiercel;

namespace {

constexpr int kSkipped = 77;
// The first code that libscap of sysdig 0.29.3 does not know (its event list ends with clone3).
constexpr std::uint16_t kKnownBelow = 336;
// The first syscall code that its table of names does not have.
constexpr std::uint16_t kNamedBelow = 329;

struct Run {
    std::string output;
    int status = -1;
};

Run run(const std::string& command) {
    Run result;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr)
        return result;
    std::array<char, 4096> part;
    while (const std::size_t size = fread(part.data(), 1, part.size(), pipe))
        result.output.append(part.data(), size);
    const int status = pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

// What the sample holds: each kind of event, and each call that has none of its own.
std::vector<test::EventBuilder> sample_events() {
    std::vector<test::EventBuilder> events;
    for (const event::EventInfo* info : test::ring_events())
        if (info->code != event::GENERIC_X)
            events.push_back(test::sample_event(*info, 0));
    for (const event::SyscallInfo& call : event::syscalls()) {
        const int native = event::native_number(call);
        if (call.event == event::GENERIC_X && native >= 0)
            events.push_back(test::EventBuilder(event::GENERIC_X)
                                 .tid(20)
                                 .u16(call.scap)
                                 .u16(static_cast<std::uint16_t>(native)));
    }
    return events;
}

// A call without an event of its own is shown by the name that its code stands for.
std::string_view shown_name(const event::EventView& event) {
    if (event.code() >= event::kFirstOwnCode) { // the generic event in the capture
        for (const event::SyscallInfo& call : event::syscalls())
            if (call.event == event.code())
                return call.scap != 0 && call.scap < kNamedBelow ? call.name : "<unknown>";
        return "<unknown>";
    }
    if (event.code() != event::GENERIC_X)
        return event.info().name;
    const std::uint16_t scap = event.number<std::uint16_t>(0).value_or(0);
    const auto* call = event::find_syscall_by_scap(scap);
    if (call != nullptr && call->name == "rt_sigreturn")
        return "sigreturn"; // its name there
    return call != nullptr && scap < kNamedBelow ? call->name : "<unknown>";
}

struct Reader {
    std::string command = "sysdig -D";
    std::uint16_t known_below = kKnownBelow;
    bool names = true;
};

// Writes the sample; returns what the reader is to print for it.
std::string write_sample(const std::string& path, capture::Packing packing, const Reader& reader) {
    const os::UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    state::StateTracker engine;
    test::fill_sample_state(engine);
    capture::Writer writer(file.get(), packing);
    bool good = writer.begin(test::sample_machine(), engine).has_value();
    std::string expected;
    std::uint64_t ts = 1'700'000'000'000'000'000;
    int number = 0;
    for (test::EventBuilder& builder : sample_events()) {
        const event::EventView event = builder.ts(++ts).view();
        const std::uint16_t cpu = ts % 2;
        good &= writer.add(event, cpu).has_value();
        if (event.code() < reader.known_below || event.code() >= event::kFirstOwnCode)
            expected += fmt::format("{} {} 20 {}{}\n", ++number, ts, cpu,
                                    reader.names ? fmt::format(" {}", shown_name(event)) : "");
    }
    good &= writer.finish().has_value();
    return good ? expected : "(nothing: writing failed)";
}

bool check(const std::string& folder, capture::Packing packing, const char* name,
           const Reader& reader) {
    const std::string path = folder + '/' + name;
    const std::string expected = write_sample(path, packing, reader);
    const Run shown = run("timeout 60 " + reader.command + " -r '" + path +
                          "' -p '%evt.num %evt.rawtime %thread.tid %evt.cpu" +
                          (reader.names ? " %evt.type" : "") + "' 2>/dev/null");
    const bool good = shown.status == 0 && shown.output == expected;
    std::printf("%s: sysdig %s %zu bytes of text (exit code %d)\n", name,
                good ? "shows the same," : "DIFFERS,", shown.output.size(), shown.status);
    if (!good)
        std::printf("--- expected\n%s--- given\n%s", expected.c_str(), shown.output.c_str());
    return good;
}

} // namespace

int main(int count, char** values) {
    Reader reader;
    if (count == 3)
        reader = {values[1], static_cast<std::uint16_t>(std::atoi(values[2])), false};
    else if (run("sysdig --version 2>/dev/null").output.find("sysdig version 0.29") ==
             std::string::npos) {
        std::printf("SKIP: sysdig 0.29 (Debian 12's) is not installed\n");
        return kSkipped;
    }
    std::string folder = std::filesystem::temp_directory_path().string() + "/sysdig-test-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) {
        std::perror("mkdtemp");
        return EXIT_FAILURE;
    }
    bool good = check(folder, capture::Packing::plain, "sample.scap", reader);
    good &= check(folder, capture::Packing::gzip, "sample.scap.gz", reader);
    std::filesystem::remove_all(folder);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

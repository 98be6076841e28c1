// SPDX-License-Identifier: Apache-2.0
//
// Writes the seeds of the fuzz targets beside this file: captures by our writer, and events in a
// row.
//     capture_seeds tests/fuzz/capture/corpus
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "shared/os/unique_fd.h"
#include "tests/unit/capture/sample.h"

using namespace tiercel;

namespace {

constexpr std::size_t kEventsInSeed = 24;

os::UniqueFd create(const std::string& path) {
    os::UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.valid()) {
        std::perror(path.c_str());
        std::exit(EXIT_FAILURE);
    }
    return file;
}

void must(const os::Result<void>& result) {
    if (!result)
        std::exit(EXIT_FAILURE);
}

void make_capture(const std::string& path, capture::Packing packing) {
    const os::UniqueFd file = create(path);
    state::StateTracker engine;
    test::fill_sample_state(engine);
    capture::Writer writer(file.get(), packing);
    must(writer.begin(test::sample_machine(), engine));
    std::uint64_t ts = 1000;
    for (const event::EventInfo* info : test::ring_events())
        if (info->code % 8 == 1)
            must(writer.add(test::sample_event(*info, ++ts).view(), 0));
    must(writer.finish());
}

// Every kind of event, those of iterators among them, some in each file.
void make_events(const std::string& folder) {
    std::vector<std::byte> bytes;
    std::size_t count = 0, files = 0;
    const auto write_out = [&] {
        const os::UniqueFd file = create(folder + "/events" + std::to_string(files++));
        if (write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            std::exit(EXIT_FAILURE);
        bytes.clear();
    };
    for (const event::EventInfo& info : event::events()) {
        if (!info.emitted)
            continue;
        auto builder = test::sample_event(info, 1000 + ++count);
        bytes.insert(bytes.end(), builder.raw().begin(), builder.raw().end());
        if (count % kEventsInSeed == 0)
            write_out();
    }
    if (!bytes.empty())
        write_out();
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: capture_seeds CORPUS_FOLDER\n");
        return 2;
    }
    const std::string folder = argv[1];
    make_capture(folder + "/capture/plain.scap", capture::Packing::plain);
    make_capture(folder + "/capture/packed.scap.gz", capture::Packing::gzip);
    make_events(folder + "/event");
    return EXIT_SUCCESS;
}

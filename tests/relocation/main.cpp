// SPDX-License-Identifier: Apache-2.0
//
// relocations: prints what is wrong with the relocations of BPF objects on a kernel, by its types.
//
// Usage: relocations [--partial] ALTERNATIVES TYPES OBJECT...
//
// ALTERNATIVES has a line for each group of fields of which a kernel has to have one.
// Exit codes: 0, 1 something is wrong, 2 a file cannot be read.
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/relocation/relocations.h"

namespace relocation = tiercel::relocation;

namespace {

std::vector<std::set<std::string>> read_alternatives(const std::string& path) {
    std::vector<std::set<std::string>> out;
    std::ifstream file(path);
    if (!file)
        throw std::runtime_error(path + " cannot be read");
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#')
            continue;
        std::istringstream words(line);
        auto& group = out.emplace_back();
        for (std::string word; words >> word;)
            group.insert(word);
    }
    return out;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool partial = !arguments.empty() && arguments[0] == "--partial";
    if (partial)
        arguments.erase(arguments.begin());
    if (arguments.size() < 3) {
        std::fputs("usage: relocations [--partial] ALTERNATIVES TYPES OBJECT...\n", stderr);
        return 2;
    }
    try {
        const auto alternatives = read_alternatives(arguments[0]);
        const relocation::Kernel kernel(arguments[1]);
        bool wrong = false;
        for (std::size_t i = 2; i < arguments.size(); ++i) {
            const auto relocations = relocation::read_relocations(arguments[i]);
            const auto found = relocation::faults(relocations, kernel, alternatives, partial);
            for (const std::string& fault : found)
                std::printf("%s: %s\n", arguments[i].c_str(), fault.c_str());
            std::printf("%s: %zu relocations, %zu faults\n", arguments[i].c_str(),
                        relocations.size(), found.size());
            wrong |= !found.empty();
        }
        return wrong ? 1 : 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "relocations: %s\n", error.what());
        return 2;
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/rule_engine.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "analyzer/rules/compiler.h"
#include "analyzer/rules/reader.h"

namespace tiercel::rules {

namespace {

constexpr std::uintmax_t kMaxFile = 64U << 20;

bool is_rule_file(const std::filesystem::path& path) {
    return path.extension() == ".yaml" || path.extension() == ".yml";
}

// Adds the file to `sources` even if it cannot be read, so that the error can name it.
void add_file(const std::string& path, Loaded& loaded) {
    std::ostringstream text;
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    std::ifstream file(path, std::ios::binary);
    const bool opened = file.is_open();
    const int reason = errno;
    if (opened && size <= kMaxFile)
        text << file.rdbuf();
    const std::uint32_t index = loaded.sources.add(path, text.str());
    if (!opened || error || size > kMaxFile || file.bad()) {
        const std::string why = opened ? "it is too big, or no file" : strerrordesc_np(reason);
        loaded.diagnostics.add(
            {Severity::error, {index, 0, 0}, 1, {}, "cannot read it: " + why, {}});
    }
}

void add_path(const std::string& path, Loaded& loaded) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error))
        return add_file(path, loaded);
    std::vector<std::string> files;
    const std::filesystem::directory_iterator entries(path, error);
    if (error) {
        const std::uint32_t index = loaded.sources.add(path, {});
        loaded.diagnostics.add({Severity::error,
                                {index, 0, 0},
                                1,
                                {},
                                "cannot read the directory: " + error.message(),
                                {}});
        return;
    }
    for (const auto& entry : entries) {
        std::error_code ignored;
        if (is_rule_file(entry.path()) && !entry.is_directory(ignored))
            files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files)
        add_file(file, loaded);
}

void load_sources(Loaded& loaded, const LoadOptions& options) {
    Collector collector(loaded.diagnostics);
    for (std::uint32_t file = 0; file < loaded.sources.size(); ++file)
        read_rules(loaded.sources, file, collector, loaded.diagnostics);
    loaded.rules = compile(collector, options, loaded.diagnostics);
    loaded.diagnostics.sort();
}

} // namespace

Loaded read_files(const std::vector<std::string>& paths) {
    Loaded loaded;
    for (const std::string& path : paths)
        add_path(path, loaded);
    return loaded;
}

Loaded load_files(const std::vector<std::string>& paths, const LoadOptions& options) {
    Loaded loaded = read_files(paths);
    load_sources(loaded, options);
    return loaded;
}

Loaded load_texts(const std::vector<std::pair<std::string, std::string>>& texts,
                  const LoadOptions& options) {
    Loaded loaded;
    for (const auto& [name, text] : texts)
        loaded.sources.add(name, text);
    load_sources(loaded, options);
    return loaded;
}

} // namespace tiercel::rules

// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/path.h"

namespace tiercel::state {
namespace {

// Appends the segments of `path` to `out`. A ".." never removes the first `root` characters.
void append_segments(std::string_view path, std::size_t root, std::string& out) {
    while (!path.empty()) {
        const std::size_t end = path.find('/');
        const std::string_view segment = path.substr(0, end);
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
        if (segment.empty() || segment == ".")
            continue;
        if (segment == "..") {
            const std::size_t slash = out.rfind('/');
            if (slash != std::string::npos && slash >= root)
                out.resize(slash);
            else if (out.size() > root)
                out.resize(root);
            continue;
        }
        if (out.empty() || out.back() != '/')
            out += '/';
        out += segment;
    }
}

} // namespace

void join_path(std::string_view directory, std::string_view path, std::string& out) {
    out.clear();
    if (!path.starts_with('/')) {
        if (directory.starts_with('/')) {
            append_segments(directory, 0, out);
        } else {
            while (directory.ends_with('/'))
                directory.remove_suffix(1);
            out = directory == "." ? std::string_view() : directory;
        }
        if (out.empty() && !directory.starts_with('/')) {
            // Without a directory, no slash stands before the first segment.
            append_segments(path, 0, out);
            if (out.starts_with('/'))
                out.erase(0, 1);
            return;
        }
    }
    const std::size_t root = out.starts_with('/') ? 0 : out.size();
    append_segments(path, root, out);
    if (out.empty())
        out = "/";
}

std::string join_path(std::string_view directory, std::string_view path) {
    std::string out;
    join_path(directory, path, out);
    return out;
}

} // namespace tiercel::state

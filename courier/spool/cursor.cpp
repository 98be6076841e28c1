// SPDX-License-Identifier: Apache-2.0
#include "courier/spool/cursor.h"

#include <fcntl.h>

#include <algorithm>

#include "courier/spool/directory.h"

namespace tiercel::courier {

namespace {

constexpr std::string_view kSuffix = ".cursor";

struct Form {
    std::uint64_t next;
    std::uint64_t inverted; // ~next, which tells a damaged file
};

} // namespace

os::Result<Cursor> Cursor::open(const os::UniqueFd& directory, const std::string& name) {
    Cursor cursor;
    const std::string file = name + std::string(kSuffix);
    cursor.fd_ = os::UniqueFd(
        openat(directory.get(), file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!cursor.fd_.valid())
        return os::error("open the destination's cursor", file);
    Form form{};
    if (pread(cursor.fd_.get(), &form, sizeof form, 0) == sizeof form &&
        form.inverted == ~form.next)
        cursor.next_ = form.next;
    return cursor;
}

os::Result<void> Cursor::move_to(std::uint64_t next) {
    const Form form{next, ~next};
    next_ = next;
    if (pwrite(fd_.get(), &form, sizeof form, 0) != sizeof form)
        return os::error("write the destination's cursor");
    return {};
}

os::UniqueFd Cursor::another_fd() const {
    return os::UniqueFd(fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
}

void remove_other_cursors(const os::UniqueFd& directory, const std::vector<std::string>& names) {
    for (const std::string& file : files_of(directory)) {
        if (!file.ends_with(kSuffix))
            continue;
        const std::string name = file.substr(0, file.size() - kSuffix.size());
        if (std::ranges::find(names, name) == names.end())
            unlinkat(directory.get(), file.c_str(), 0);
    }
}

} // namespace tiercel::courier

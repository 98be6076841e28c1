// SPDX-License-Identifier: Apache-2.0
//
// What stat(2) says of files, in the form in which events tell it.
#pragma once

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <string>

namespace tiercel::live {

// Flags of the scap schema that say where on an overlay file system an opened file is.
inline constexpr long kUpperLayer = 32768, kCreated = 16384;

struct FileFacts {
    long dev = 0, ino = 0;
    long layer = 0; // upper_layer when the file, which the test has just made, is on an overlay

    explicit FileFacts(const std::string& path) {
        struct stat s {};
        struct statfs fs {};
        if (stat(path.c_str(), &s) < 0 || statfs(path.c_str(), &fs) < 0)
            return;
        // As the kernel packs a device number for user space: minor's low byte, major, the rest of
        // minor.
        dev = static_cast<long>((minor(s.st_dev) & 0xff) | major(s.st_dev) << 8 |
                                (minor(s.st_dev) & ~0xffU) << 12);
        ino = static_cast<long>(s.st_ino);
        layer = fs.f_type == 0x794c7630 ? kUpperLayer : 0;
    }
};

} // namespace tiercel::live

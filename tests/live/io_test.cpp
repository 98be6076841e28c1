// SPDX-License-Identifier: Apache-2.0
// Data in and out of files: read, write and their positional and vector forms; splice, sendfile,
// copies.
#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <string>

#include "tests/live/harness/run.h"

namespace tiercel::live {

namespace {

constexpr char kHello[] = "hello, \0world"; // a NUL inside: data is bytes, not text
constexpr std::size_t kHelloSize = sizeof kHello - 1;
const Raw kHelloBytes{std::string(kHello, kHelloSize)};

// Longer than the snaplen of 80: events keep the first 80 bytes.
const std::string kLongData = [] {
    std::string data(300, ' ');
    std::generate(data.begin(), data.end(),
                  [n = 0]() mutable { return static_cast<char>('a' + n++ % 26); });
    return data;
}();
const Raw kLongKept{kLongData.substr(0, 80)};

char into[512], into2[512];

int open_new() {
    const int fd = open("file", O_CREAT | O_RDWR | O_TRUNC, 0644);
    note(0, fd);
    return fd;
}

int make_file(std::string_view content) {
    const int fd = open_new();
    if (write(fd, content.data(), content.size()) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        _exit(98);
    return fd;
}

iovec part(const void* data, std::size_t size) {
    return {const_cast<void*>(data), size};
}

} // namespace

LIVE_TEST(SYSCALL_READ_X) {
    Run run([] {
        const int fd = make_file({kHello, kHelloSize});
        call(SYS_read, fd, into, sizeof into);
        call(SYS_read, fd, into, sizeof into);
        make_file(kLongData);
        note(1, fd);
        note(2, open("file", O_RDONLY));
        call(SYS_read, note_of(2), into, 200);
        call(SYS_read, -1, into, 7);
    });
    run.expect(SYSCALL_READ_X,
               {{"res", kHelloSize}, {"data", kHelloBytes}, {"fd", run.note(1)}, {"size", 512}});
    run.expect(SYSCALL_READ_X,
               {{"res", 0}, {"data", kNothing}, {"fd", run.note(1)}, {"size", 512}});
    run.expect(SYSCALL_READ_X,
               {{"res", 200}, {"data", kLongKept}, {"fd", run.note(2)}, {"size", 200}});
    run.expect(SYSCALL_READ_X, {{"res", -EBADF}, {"data", kNothing}, {"fd", -1}, {"size", 7}});
}

LIVE_TEST(SYSCALL_WRITE_X) {
    Run run([] {
        const int fd = open_new();
        call(SYS_write, fd, kHello, kHelloSize);
        call(SYS_write, fd, kLongData.data(), kLongData.size());
        call(SYS_write, -1, kHello, 5);
        call(SYS_write, fd, 16, 4);
    });
    run.expect(
        SYSCALL_WRITE_X,
        {{"res", kHelloSize}, {"data", kHelloBytes}, {"fd", run.note(0)}, {"size", kHelloSize}});
    run.expect(SYSCALL_WRITE_X,
               {{"res", 300}, {"data", kLongKept}, {"fd", run.note(0)}, {"size", 300}});
    run.expect(SYSCALL_WRITE_X, {{"res", -EBADF}, {"data", Raw{"hello"}}, {"fd", -1}, {"size", 5}});
    run.expect(SYSCALL_WRITE_X,
               {{"res", -EFAULT}, {"data", kNothing}, {"fd", run.note(0)}, {"size", 4}});
}

LIVE_TEST(SYSCALL_PREAD_X) {
    Run run([] {
        const int fd = make_file(kLongData);
        call(SYS_pread64, fd, into, 5, 26);
        call(SYS_pread64, fd, into, 5, -1);
    });
    run.expect(SYSCALL_PREAD_X,
               {{"res", 5}, {"data", Raw{"abcde"}}, {"fd", run.note(0)}, {"size", 5}, {"pos", 26}});
    run.expect(
        SYSCALL_PREAD_X,
        {{"res", -EINVAL}, {"data", kNothing}, {"fd", run.note(0)}, {"size", 5}, {"pos", -1}});
}

LIVE_TEST(SYSCALL_PWRITE_X) {
    Run run([] {
        const int fd = open_new();
        call(SYS_pwrite64, fd, kLongData.data(), 100, 5'000'000'000);
        call(SYS_pwrite64, -1, kHello, 3, 2);
    });
    run.expect(SYSCALL_PWRITE_X, {{"res", 100},
                                  {"data", kLongKept},
                                  {"fd", run.note(0)},
                                  {"size", 100},
                                  {"pos", 5'000'000'000}});
    run.expect(SYSCALL_PWRITE_X,
               {{"res", -EBADF}, {"data", Raw{"hel"}}, {"fd", -1}, {"size", 3}, {"pos", 2}});
}

// What is read has the size that was read, what is written the size that was offered.
LIVE_TEST(SYSCALL_READV_X) {
    Run run([] {
        const iovec parts[] = {part(into, 5), part(into2, 100)};
        const int fd = make_file({kHello, kHelloSize});
        call(SYS_readv, fd, parts, 2);
        make_file(kLongData);
        note(1, fd);
        note(2, open("file", O_RDONLY));
        call(SYS_readv, note_of(2), parts, 2);
        call(SYS_readv, -1, parts, 2);
    });
    run.expect(
        SYSCALL_READV_X,
        {{"res", kHelloSize}, {"size", kHelloSize}, {"data", kHelloBytes}, {"fd", run.note(1)}});
    run.expect(SYSCALL_READV_X,
               {{"res", 105}, {"size", 105}, {"data", kLongKept}, {"fd", run.note(2)}});
    run.expect(SYSCALL_READV_X, {{"res", -EBADF}, {"size", 0}, {"data", kNothing}, {"fd", -1}});
}

LIVE_TEST(SYSCALL_WRITEV_X) {
    Run run([] {
        const iovec parts[] = {part(kHello, 5), part(nullptr, 0), part(kHello + 5, kHelloSize - 5)};
        const iovec many[] = {part(kLongData.data(), 70), part(kLongData.data() + 70, 230)};
        const int fd = open_new();
        call(SYS_writev, fd, parts, 3);
        call(SYS_writev, fd, many, 2);
        call(SYS_writev, -1, parts, 3);
    });
    run.expect(
        SYSCALL_WRITEV_X,
        {{"res", kHelloSize}, {"data", kHelloBytes}, {"fd", run.note(0)}, {"size", kHelloSize}});
    run.expect(SYSCALL_WRITEV_X,
               {{"res", 300}, {"data", kLongKept}, {"fd", run.note(0)}, {"size", 300}});
    run.expect(SYSCALL_WRITEV_X,
               {{"res", -EBADF}, {"data", kHelloBytes}, {"fd", -1}, {"size", kHelloSize}});
}

LIVE_TEST(SYSCALL_PREADV_X) {
    Run run([] {
        const iovec parts[] = {part(into, 2), part(into2, 2)};
        const int fd = make_file(kLongData);
        call(SYS_preadv, fd, parts, 2, 27, 0);
        call(SYS_preadv, -1, parts, 2, 4, 0);
    });
    run.expect(SYSCALL_PREADV_X,
               {{"res", 4}, {"size", 4}, {"data", Raw{"bcde"}}, {"fd", run.note(0)}, {"pos", 27}});
    run.expect(SYSCALL_PREADV_X,
               {{"res", -EBADF}, {"size", 0}, {"data", kNothing}, {"fd", -1}, {"pos", 4}});
}

LIVE_TEST(SYSCALL_PWRITEV_X) {
    Run run([] {
        const iovec parts[] = {part("one", 3), part("two", 3)};
        const int fd = open_new();
        call(SYS_pwritev, fd, parts, 2, 11, 0);
        call(SYS_pwritev, -1, parts, 2, 12, 0);
    });
    run.expect(
        SYSCALL_PWRITEV_X,
        {{"res", 6}, {"data", Raw{"onetwo"}}, {"fd", run.note(0)}, {"size", 6}, {"pos", 11}});
    run.expect(SYSCALL_PWRITEV_X,
               {{"res", -EBADF}, {"data", Raw{"onetwo"}}, {"fd", -1}, {"size", 6}, {"pos", 12}});
}

LIVE_TEST(SYSCALL_PROCESS_VM_READV_X) {
    Run run([] {
        const iovec local = part(into, kHelloSize), remote = part(kHello, kHelloSize);
        call(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0);
        call(SYS_process_vm_readv, -1, &local, 1, &remote, 1, 0);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no process_vm_readv", SYSCALL_PROCESS_VM_READV_X);
    run.expect(SYSCALL_PROCESS_VM_READV_X,
               {{"res", kHelloSize}, {"pid", run.tid()}, {"data", kHelloBytes}});
    run.expect(SYSCALL_PROCESS_VM_READV_X,
               {{"res", run.result(1)}, {"pid", -1}, {"data", kNothing}});
    CHECK(run.result(1) < 0);
}

LIVE_TEST(SYSCALL_PROCESS_VM_WRITEV_X) {
    Run run([] {
        const iovec local = part(kLongData.data(), 300), remote = part(into, 300);
        call(SYS_process_vm_writev, getpid(), &local, 1, &remote, 1, 0);
        call(SYS_process_vm_writev, -1, &local, 1, &remote, 1, 0);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no process_vm_writev", SYSCALL_PROCESS_VM_WRITEV_X);
    run.expect(SYSCALL_PROCESS_VM_WRITEV_X,
               {{"res", 300}, {"pid", run.tid()}, {"data", kLongKept}});
    run.expect(SYSCALL_PROCESS_VM_WRITEV_X,
               {{"res", run.result(1)}, {"pid", -1}, {"data", kNothing}});
    CHECK(run.result(1) < 0);
}

LIVE_TEST(SYSCALL_SENDFILE_X) {
    Run run([] {
        const int fd = make_file(kLongData), out = open("out", O_CREAT | O_WRONLY, 0644);
        long offset = 20;
        note(1, out);
        call(SYS_sendfile, out, fd, &offset, 50);
        call(SYS_sendfile, out, fd, nullptr, 10);
        call(SYS_sendfile, -1, fd, nullptr, 7);
    });
    // The offset is read after the call, which has moved it.
    run.expect(SYSCALL_SENDFILE_X, {{"res", 50},
                                    {"offset", 70},
                                    {"out_fd", run.note(1)},
                                    {"in_fd", run.note(0)},
                                    {"size", 50}});
    run.expect(SYSCALL_SENDFILE_X, {{"res", 10},
                                    {"offset", 0},
                                    {"out_fd", run.note(1)},
                                    {"in_fd", run.note(0)},
                                    {"size", 10}});
    run.expect(
        SYSCALL_SENDFILE_X,
        {{"res", -EBADF}, {"offset", 0}, {"out_fd", -1}, {"in_fd", run.note(0)}, {"size", 7}});
}

LIVE_TEST(SYSCALL_SPLICE_X) {
    Run run([] {
        const int fd = make_file(kLongData);
        int ends[2];
        if (pipe(ends) < 0)
            _exit(98);
        note(1, ends[1]);
        long offset = 3;
        call(SYS_splice, fd, &offset, ends[1], nullptr, 9, SPLICE_F_MOVE | SPLICE_F_MORE);
        call(SYS_splice, -1, nullptr, ends[1], nullptr, 8, SPLICE_F_NONBLOCK);
    });
    run.expect(SYSCALL_SPLICE_X, {{"res", 9},
                                  {"fd_in", run.note(0)},
                                  {"fd_out", run.note(1)},
                                  {"size", 9},
                                  {"flags", 1 | 4}});
    run.expect(
        SYSCALL_SPLICE_X,
        {{"res", -EBADF}, {"fd_in", -1}, {"fd_out", run.note(1)}, {"size", 8}, {"flags", 2}});
}

LIVE_TEST(SYSCALL_COPY_FILE_RANGE_X) {
    Run run([] {
        const int fd = make_file(kLongData), out = open("out", O_CREAT | O_WRONLY, 0644);
        long from = 30, to = 4;
        note(1, out);
        call(SYS_copy_file_range, fd, &from, out, &to, 100, 0);
        call(SYS_copy_file_range, -1, nullptr, -2, nullptr, 5, 0);
    });
    if (run.result(0) == -ENOSYS || run.result(0) == -EXDEV)
        LIVE_SKIP("the file system cannot copy ranges", SYSCALL_COPY_FILE_RANGE_X);
    run.expect(SYSCALL_COPY_FILE_RANGE_X, {{"res", 100},
                                           {"fdout", run.note(1)},
                                           {"offout", 104},
                                           {"fdin", run.note(0)},
                                           {"offin", 130},
                                           {"len", 100}});
    run.expect(
        SYSCALL_COPY_FILE_RANGE_X,
        {{"res", -EBADF}, {"fdout", -2}, {"offout", 0}, {"fdin", -1}, {"offin", 0}, {"len", 5}});
}

} // namespace tiercel::live

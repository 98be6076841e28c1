// SPDX-License-Identifier: Apache-2.0
//
// Implements StateTracker: the tables, the choice of the handler for each event, start-up from
// lists, and what the handlers of update_*.cpp share.
#include "analyzer/state/state_tracker.h"

#include <array>
#include <unordered_set>

#include "analyzer/state/container.h"
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
    static const auto plans = make_plans();
    return plans[code];
}

constexpr std::string_view kNotKnown = "<NA>";

} // namespace

bool lives_on(std::uint16_t code) {
    constexpr unsigned kChanges = event::MODIFIES_STATE | event::CREATES_FD | event::DESTROYS_FD;
    constexpr unsigned kTransfers = event::READS_FROM_FD | event::WRITES_TO_FD;
    const event::EventInfo* info = event::find(code);
    return info != nullptr && plan_of(code).apply != nullptr &&
           ((info->flags & kChanges) != 0 || (info->flags & kTransfers) == 0);
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
    thread->comm = thread->exe = Text(kNotKnown);
    thread->process = std::make_shared<Process>();
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

// Evicts by second chance: the first thread that no event has touched since the hand passed it.
void StateTracker::evict() {
    for (std::size_t steps = 0; steps <= 2 * threads_.capacity(); ++steps) {
        hand_ = (hand_ + 1) % threads_.capacity();
        std::unique_ptr<Thread>* candidate = threads_.at_slot(hand_);
        if (candidate == nullptr || candidate->get() == current_.thread)
            continue;
        if (std::exchange((*candidate)->touched, false))
            continue;
        ++counters_.evicted_threads;
        remove((*candidate)->tid);
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
}

const Current& StateTracker::apply(const event::EventView& event, std::uint16_t /*cpu*/) {
    settle();
    previous_ts_ = this_ts_;
    this_ts_ = event.ts();
    if (first_ts_ == 0)
        first_ts_ = event.ts();

    const Plan& plan = plan_of(event.code());
    Thread* thread = find(event.tid());
    if (thread == nullptr && !plan.anyone) {
        thread = &make(event.tid());
        ++counters_.placeholders;
    }
    current_.thread = thread;
    if (thread != nullptr) {
        thread->touched = true;
        if (plan.fd_param >= 0) {
            const auto fd = event.number<std::int64_t>(static_cast<std::uint32_t>(plan.fd_param));
            if (fd) {
                current_.fd_num = *fd;
                current_.fd = thread->process->fds->find(*fd);
                if (current_.fd == nullptr && *fd >= 0)
                    ++counters_.unknown_fds;
            }
        }
        if (!event.info().is_exit() && event.info().origin == event::Origin::SYSCALL)
            thread->enter.assign(event.bytes().begin(), event.bytes().end());
    }
    if (plan.apply != nullptr && (thread != nullptr || plan.anyone))
        plan.apply(Update{*this, event, current_});
    if (thread != nullptr && event.info().is_exit() && current_.thread == thread)
        thread->enter.clear();
    return current_;
}

void StateTracker::add(Thread thread) {
    if (!thread.process)
        thread.process = std::make_shared<Process>();
    Thread& slot = make(thread.tid);
    slot = std::move(thread);
    name_container(slot);
}

void StateTracker::set_cgroups(Thread& thread, std::string_view cgroups) {
    thread.cgroups.set(cgroups);
    name_container(thread);
}

void StateTracker::name_container(Thread& thread) {
    thread.container_id.set(container_id(thread.cgroups));
    if (!thread.container_id.empty())
        containers_.meet(thread.cgroups);
}

void StateTracker::add_fd(std::int64_t tid, std::int64_t fd, Fd entry) {
    if (Thread* thread = find(tid))
        if (thread->process->fds->add(fd, std::move(entry), limits_.fds) == nullptr)
            ++counters_.refused_fds;
}

// Lists do not say which end connected. The end at a port that some process listens on is the
// server.
void StateTracker::find_roles() {
    std::unordered_set<std::uint16_t> ports;
    const auto visit_fds = [this](auto&& visit) {
        threads_.for_each([&](std::int64_t, std::unique_ptr<Thread>& thread) {
            thread->process->fds->for_each([&](std::int64_t, Fd& fd) { visit(fd); });
        });
    };
    visit_fds([&](const Fd& fd) {
        if (fd.kind == FdKind::ipv4_server || fd.kind == FdKind::ipv6_server)
            ports.insert(fd.dest_port);
    });
    visit_fds([&](Fd& fd) {
        if (!fd.is_connection() || fd.has_role() || fd.dest_port == 0)
            return;
        const bool serves = ports.contains(fd.source_port);
        fd.set(serves ? Fd::server : Fd::client);
        if (serves) {
            std::swap(fd.source, fd.dest);
            std::swap(fd.source_port, fd.dest_port);
            fd.name.set(socket_name(fd));
        }
        fd.set(Fd::connected, fd.l4 == L4::tcp);
    });
}

void StateTracker::link() {
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
    find_roles();
}

Fd* Update::add_fd(std::int64_t number, Fd fd) const {
    Fd* added = process().fds->add(number, std::move(fd), tracker.limits_.fds);
    if (added == nullptr)
        ++tracker.counters_.refused_fds;
    now.fd = added;
    now.fd_num = number;
    return added;
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

std::optional<event::EventView> Update::enter() const {
    auto kept = event::EventView::parse(thread().enter);
    if (kept && kept->code() + 1 != event.code())
        kept.reset();
    return kept;
}

} // namespace tiercel::state

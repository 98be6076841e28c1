// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/enrichment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "analyzer/enrich/answer.h"
#include "analyzer/service/connect.h"

namespace tiercel::app {

using state::ContainerRuntime;
using wire::enrich::Part;
using wire::enrich::Question;
using wire::enrich::Runtime;
using wire::enrich::Subject;

namespace {

constexpr std::size_t kMostAnswer = 256 << 10;
// Runtimes know a container some moments after its first process may be seen. The first attempts
// come while its events are held back (pipeline/container_wait.h).
constexpr std::uint64_t kMillisecond = 1'000'000; // ns
constexpr std::uint64_t kPauses[] = {50 * kMillisecond,   100 * kMillisecond, 150 * kMillisecond,
                                     200 * kMillisecond,  200 * kMillisecond, 200 * kMillisecond,
                                     2000 * kMillisecond, 4000 * kMillisecond};
constexpr std::uint64_t kReconnectEvery = 1000 * kMillisecond;
constexpr std::size_t kMostAgain = 256;

// The runtimes that may know a container of this kind, the likeliest first.
std::span<const Runtime> candidates(ContainerRuntime runtime) {
    static constexpr Runtime kDocker[] = {Runtime::docker}, kPodman[] = {Runtime::podman},
                             kContainerd[] = {Runtime::containerd}, kCrio[] = {Runtime::crio},
                             kAll[] = {Runtime::containerd, Runtime::crio, Runtime::docker,
                                       Runtime::podman};
    switch (runtime) {
    case ContainerRuntime::docker: return kDocker;
    case ContainerRuntime::podman: return kPodman;
    case ContainerRuntime::containerd: return kContainerd;
    case ContainerRuntime::crio: return kCrio;
    case ContainerRuntime::unknown:
    case ContainerRuntime::nspawn:
    case ContainerRuntime::lxc:
    case ContainerRuntime::bpm: break;
    }
    return kAll;
}

ContainerRuntime kind_of(Runtime runtime) {
    switch (runtime) {
    case Runtime::docker: return ContainerRuntime::docker;
    case Runtime::podman: return ContainerRuntime::podman;
    case Runtime::containerd: return ContainerRuntime::containerd;
    case Runtime::crio: return ContainerRuntime::crio;
    case Runtime::count: break;
    }
    return ContainerRuntime::unknown;
}

bool speaks_http(Runtime runtime) {
    return runtime == Runtime::docker || runtime == Runtime::podman;
}

} // namespace

os::Result<std::unique_ptr<Enrichment>> Enrichment::make(const std::string& path,
                                                         state::Containers& containers) {
    auto connector = alerts::Connector::start(path, SOCK_SEQPACKET);
    if (!connector)
        return connector.error();
    auto socket = connect_patiently(path.c_str());
    if (!socket)
        os::print("analyzer", os::error("reach the enricher at", path, socket.error().number),
                  "containers have no names until it is there");
    containers.remember();
    return std::make_unique<Enrichment>(socket ? *std::move(socket) : os::UniqueFd(),
                                        *std::move(connector), containers);
}

Enrichment::Enrichment(os::UniqueFd socket, alerts::Connector connector,
                       state::Containers& containers)
    : connector_(std::move(connector)), containers_(containers) {
    if (socket.valid()) // for the loop
        fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    use(std::move(socket));
}

// The sandbox, which forbids fcntl(2), may be closed already. A later connection is therefore
// blocking, and every call on it says that it does not wait.
void Enrichment::use(os::UniqueFd socket) {
    socket_ = std::move(socket);
    containers_.set_answering(socket_.valid());
}

os::Result<void> Enrichment::attach(Session session) {
    is_watched_ = socket_.valid();
    if (is_watched_)
        session.loop.watch(socket_, [this] { return on_ready(); });
    return {};
}

void Enrichment::tick(const Tick& tick) {
    now_ns_ = tick.now_ns;
    if (!socket_.valid())
        return reconnect(tick.now_ns);
    if (!is_watched_)
        on_ready();
    ask_next();
}

void Enrichment::reconnect(std::uint64_t now_ns) {
    if (now_ns < next_attempt_ns_)
        return;
    next_attempt_ns_ = now_ns + kReconnectEvery;
    auto socket = connector_.connect_now();
    if (!socket)
        return;
    use(*std::move(socket));
    fmt::print(stderr, "analyzer: the enricher is there again\n");
}

void Enrichment::ask_next() {
    if (asked_ || !socket_.valid())
        return;
    const auto due = std::ranges::find_if(
        again_, [this](const Asked& each) { return each.since_ns <= now_ns_; });
    if (due != again_.end()) {
        asked_ = std::move(*due);
        again_.erase(due);
    } else if (auto met = containers_.take()) {
        asked_ = Asked{.met = *std::move(met), .found = {}};
    } else {
        return;
    }
    ask();
}

void Enrichment::ask() {
    Question question{.number = ++number_,
                      .runtime = candidates(asked_->met.runtime)[asked_->runtime],
                      .subject = asked_->subject};
    const std::string& id = asked_->found ? asked_->found->sandbox_id : asked_->met.full_id;
    static_assert(sizeof question.id == 64); // as Containers promises of full_id
    std::memcpy(question.id, id.data(), sizeof question.id);
    answer_.clear();
    if (send(socket_.get(), &question, sizeof question, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        stop(std::strerror(errno));
}

bool Enrichment::on_ready() {
    while (socket_.valid()) {
        std::array<char, sizeof(Part) + wire::enrich::kPartBytes> record{};
        iovec part{record.data(), record.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const ssize_t got = recvmsg(socket_.get(), &message, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (got <= 0)
            stop(got == 0 ? "it has closed the connection" : std::strerror(errno));
        else if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
            stop("it sent what is not its protocol");
        else
            take_part(record.data(), static_cast<std::size_t>(got));
    }
    return false;
}

void Enrichment::take_part(const void* record, std::size_t bytes) {
    Part part;
    if (bytes < sizeof part)
        return stop("it sent what is not its protocol");
    std::memcpy(&part, record, sizeof part);
    if (part.header.magic != wire::enrich::kMagic ||
        part.header.version != wire::enrich::kVersion ||
        part.header.type != wire::enrich::Type::part)
        return stop("it sent what is not its protocol");
    if (!asked_ || part.number != number_)
        return; // a late part of an earlier answer
    const std::string_view load(static_cast<const char*>(record) + sizeof part,
                                bytes - sizeof part);
    if (answer_.size() + load.size() > kMostAnswer)
        return no_answer();
    answer_ += load;
    report_failure(part.error);
    judge(part.last != 0);
}

// Prints once why a runtime cannot be asked. While it is not known which runtime made the
// container, a socket that does not exist is no failure.
void Enrichment::report_failure(int error) {
    const auto runtimes = candidates(asked_->met.runtime);
    const Runtime runtime = runtimes[asked_->runtime];
    if (error == 0 || (error == ENOENT && runtimes.size() > 1))
        return;
    int& reported = reported_[static_cast<std::size_t>(runtime)];
    if (std::exchange(reported, error) != error)
        os::print("analyzer",
                  os::error("ask, through the enricher,", state::name(kind_of(runtime)), error),
                  "its containers have no names; see enricher(8)");
}

// Gives the container to the state, if the answer is whole.
void Enrichment::judge(bool last) {
    if (!speaks_http(candidates(asked_->met.runtime)[asked_->runtime]))
        return judge_call(last);
    if (!last)
        return;
    auto container = enrich::read_inspection(answer_);
    if (!container || container->id != asked_->met.full_id)
        return no_answer();
    tell(*std::move(container));
}

// An id is a container's or a pod's: what is no container is asked for as a pod. A container's
// answer names its pod, which is asked for its labels.
void Enrichment::judge_call(bool last) {
    const bool is_pod = asked_->subject == Subject::pod;
    auto [over, answer] = is_pod ? enrich::read_pod(answer_) : enrich::read_call(answer_);
    if (!over && !last)
        return;
    if (asked_->found) {
        if (answer && answer->id == asked_->found->sandbox_id)
            enrich::take_pod(*std::move(answer), *asked_->found);
        return tell(*std::move(asked_->found));
    }
    if (answer && answer->id != asked_->met.full_id)
        answer.reset();
    if (!answer && is_pod)
        return no_answer();
    asked_->subject = Subject::pod;
    if (answer && (is_pod || answer->sandbox_id.size() != sizeof Question::id))
        return tell(*std::move(answer));
    asked_->found = std::move(answer);
    ask();
}

void Enrichment::tell(state::Container container) {
    const Runtime runtime = candidates(asked_->met.runtime)[asked_->runtime];
    reported_[static_cast<std::size_t>(runtime)] = 0;
    container.runtime = kind_of(runtime);
    containers_.tell(asked_->met, std::move(container));
    asked_.reset();
    ask_next();
}

void Enrichment::no_answer() {
    asked_->subject = Subject::container;
    if (++asked_->runtime < candidates(asked_->met.runtime).size())
        return ask();
    asked_->runtime = 0;
    if (asked_->tries < std::size(kPauses) && again_.size() < kMostAgain) {
        asked_->since_ns = now_ns_ + kPauses[asked_->tries++];
        again_.push_back(*std::move(asked_));
    } else {
        containers_.give_up(asked_->met);
    }
    asked_.reset();
    ask_next();
}

// The container that was asked about is asked about again.
void Enrichment::stop(std::string why) {
    fmt::print(stderr,
               "analyzer: the enricher has ended, so that containers have no names until it is "
               "back: {}\n",
               why);
    containers_.set_answering(false);
    if (std::exchange(is_watched_, false))
        ended_ = std::move(socket_); // the loop still knows its number
    socket_.reset();
    if (!asked_)
        return;
    asked_ = Asked{.met = std::move(asked_->met), .found = {}, .since_ns = now_ns_};
    again_.push_back(*std::move(asked_));
    asked_.reset();
}

} // namespace tiercel::app

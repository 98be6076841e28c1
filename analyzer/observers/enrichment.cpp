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

namespace {

constexpr std::size_t kMostAnswer = 256 << 10;
// Runtimes know a container some moments after its first process may be seen.
constexpr unsigned kTries = 3;
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
    default: return kAll;
    }
}

ContainerRuntime kind_of(Runtime runtime) {
    switch (runtime) {
    case Runtime::docker: return ContainerRuntime::docker;
    case Runtime::podman: return ContainerRuntime::podman;
    case Runtime::containerd: return ContainerRuntime::containerd;
    default: return ContainerRuntime::crio;
    }
}

bool speaks_http(Runtime runtime) {
    return runtime == Runtime::docker || runtime == Runtime::podman;
}

} // namespace

os::Result<std::unique_ptr<Enrichment>> Enrichment::make(const std::string& path,
                                                         state::Containers& containers) {
    auto socket = connect_patiently(path.c_str());
    if (!socket)
        return os::error("reach the enricher at", path, socket.error().number);
    containers.remember();
    return std::make_unique<Enrichment>(*std::move(socket), containers);
}

Enrichment::Enrichment(os::UniqueFd socket, state::Containers& containers)
    : socket_(std::move(socket)), containers_(containers) {
    fcntl(socket_.get(), F_SETFL, fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
}

os::Result<void> Enrichment::attach(Session session) {
    session.loop.watch(socket_, [this] { return on_ready(); });
    session.loop.every(std::chrono::seconds(1), [this] { ++seconds_; });
    return {};
}

void Enrichment::tick(const Tick&) {
    ask_next();
}

void Enrichment::ask_next() {
    if (asked_ || !end_.empty())
        return;
    const auto due =
        std::ranges::find_if(again_, [this](const Asked& each) { return each.since <= seconds_; });
    if (due != again_.end()) {
        asked_ = std::move(*due);
        again_.erase(due);
    } else if (auto met = containers_.take()) {
        asked_ = Asked{.met = *std::move(met)};
    } else {
        return;
    }
    ask();
}

void Enrichment::ask() {
    Question question{.number = ++number_,
                      .runtime = candidates(asked_->met.runtime)[asked_->runtime]};
    static_assert(sizeof question.id == 64); // as Containers promises of full_id
    std::memcpy(question.id, asked_->met.full_id.data(), sizeof question.id);
    answer_.clear();
    if (send(socket_.get(), &question, sizeof question, MSG_NOSIGNAL) < 0)
        stop(std::strerror(errno));
}

bool Enrichment::on_ready() {
    while (end_.empty()) {
        std::array<char, sizeof(Part) + wire::enrich::kPartBytes> record{};
        iovec part{record.data(), record.size()};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        const ssize_t got = recvmsg(socket_.get(), &message, 0);
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
    judge(part.last != 0);
}

// Gives the container to the state, if the answer is whole.
void Enrichment::judge(bool last) {
    const Runtime runtime = candidates(asked_->met.runtime)[asked_->runtime];
    std::optional<state::Container> container;
    if (speaks_http(runtime)) {
        if (!last)
            return;
        container = enrich::read_inspection(answer_);
    } else {
        auto call = enrich::read_call(answer_);
        if (!call.over && !last)
            return;
        container = std::move(call.container);
    }
    if (!container || container->id != asked_->met.full_id)
        return no_answer();
    container->runtime = kind_of(runtime);
    containers_.tell(asked_->met, *std::move(container));
    asked_.reset();
    ask_next();
}

void Enrichment::no_answer() {
    if (++asked_->runtime < candidates(asked_->met.runtime).size())
        return ask();
    asked_->runtime = 0;
    if (++asked_->tries < kTries && again_.size() < kMostAgain) {
        asked_->since = seconds_ + std::uint64_t{2} * asked_->tries;
        again_.push_back(*std::move(asked_));
    } else {
        containers_.give_up();
    }
    asked_.reset();
    ask_next();
}

void Enrichment::stop(std::string why) {
    end_ = std::move(why);
    fmt::print(stderr,
               "analyzer: the enricher has ended, so that containers met from now on have "
               "no names: {}\n",
               end_);
    asked_.reset();
}

} // namespace tiercel::app

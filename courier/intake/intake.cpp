// SPDX-License-Identifier: Apache-2.0
//
// Implements the courier's side of shared/wire/courier.h: what a peer sends is cut into records by
// their lengths, every field is checked, and what is right goes to the spool.
#include "courier/intake/intake.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace tiercel::courier {

namespace {

using wire::courier::Alert;
using wire::courier::Header;
using wire::courier::Hello;
using wire::courier::Rules;
using wire::courier::Stored;
using wire::courier::Type;

constexpr std::size_t kMostPeers = 16;
constexpr std::size_t kReadAtOnce = 256 << 10;
constexpr std::size_t kMostRecord =
    sizeof(Alert) + wire::courier::kMostRule + wire::courier::kMostText;
constexpr int kTryAgainMs = 500;

bool break_off(const char* why) {
    os::write_stderr("tiercel-courier: a client breaks the protocol: %s\n", why);
    return false;
}

// Host and rule stand in headers of several protocols, so that they have no control characters.
bool is_plain(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

template <typename Message>
Message read_as(std::string_view record) {
    Message message;
    std::memcpy(&message, record.data(), sizeof message);
    return message;
}

} // namespace

Intake::Intake(os::UniqueFd listener, uid_t served, Spool& spool)
    : listener_(std::move(listener)), served_(served), spool_(spool) {}

void Intake::turn(int milliseconds, const sigset_t& unblocked) {
    std::vector<pollfd> waited = {
        {listener_.get(), static_cast<short>(peers_.size() < kMostPeers ? POLLIN : 0), 0}};
    for (const Peer& peer : peers_)
        waited.push_back({peer.fd.get(), static_cast<short>(full_ ? 0 : POLLIN), 0});
    const int patience = full_ ? std::min(milliseconds, kTryAgainMs) : milliseconds;
    const timespec limit{patience / 1000, patience % 1000 * 1'000'000L};
    const int ready = ppoll(waited.data(), waited.size(), &limit, &unblocked);
    if (ready < 0)
        return;
    const bool again = std::exchange(full_, false);
    for (std::size_t i = peers_.size(); i-- > 0;) {
        Peer& peer = peers_[i];
        const bool ended = (waited[i + 1].revents & (POLLHUP | POLLERR)) != 0;
        const bool has_bytes = (waited[i + 1].revents & POLLIN) != 0;
        const bool good = (!has_bytes || receive(peer)) &&
                          ((!has_bytes && !again) || store(peer)) && confirm(peer);
        if (!good || (ended && !has_bytes))
            peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if ((waited[0].revents & POLLIN) != 0)
        accept();
}

void Intake::accept() {
    Peer peer;
    peer.fd =
        os::UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (!peer.fd.valid() ||
        getsockopt(peer.fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
        return;
    if (credentials.uid != served_)
        os::write_stderr("tiercel-courier: refuses a client of the account %u\n", credentials.uid);
    else
        peers_.push_back(std::move(peer));
}

bool Intake::receive(Peer& peer) const {
    const std::size_t have = peer.bytes.size();
    if (have > kMostRecord)
        return true;
    peer.bytes.resize(have + kReadAtOnce);
    const ssize_t got = recv(peer.fd.get(), peer.bytes.data() + have, kReadAtOnce, 0);
    peer.bytes.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool Intake::store(Peer& peer) {
    records_.clear();
    last_ = peer.stored;
    const std::string_view bytes = peer.bytes;
    std::size_t done = 0;
    while (bytes.size() - done >= sizeof(Header)) {
        const auto header = read_as<Header>(bytes.substr(done));
        if (header.bytes < sizeof(Header) || header.bytes > kMostRecord)
            return break_off("a record's length is out of its limits");
        if (bytes.size() - done < header.bytes)
            break;
        const std::string_view record = bytes.substr(done, header.bytes);
        const bool good = header.type == Type::hello   ? take_hello(peer, record)
                          : header.type == Type::alert ? take_alert(peer, record)
                          : header.type == Type::rules ? take_rules(peer, record)
                                                       : break_off("a record has an unknown type");
        if (!good)
            return false;
        done += header.bytes;
    }
    return commit(peer, done);
}

bool Intake::take_hello(Peer& peer, std::string_view record) {
    if (peer.greeted || record.size() < sizeof(Hello))
        return break_off("it greets twice, or not in full");
    const auto hello = read_as<Hello>(record);
    const std::string_view host = record.substr(sizeof hello);
    if (hello.magic != wire::courier::kMagic || hello.version != wire::courier::kVersion)
        return break_off("it is no analyzer of this version");
    if (host.size() != hello.host_bytes || host.size() > wire::courier::kMostHost ||
        !is_plain(host))
        return break_off("the host's name is out of its limits");
    peer.greeted = true;
    peer.boot = hello.boot;
    peer.session = hello.session;
    peer.host = host;
    peer.stored = last_ = spool_.last_sequence(hello.boot, hello.session);
    return true;
}

bool Intake::take_rules(Peer& peer, std::string_view record) {
    if (!peer.greeted || record.size() != sizeof(Rules))
        return break_off("the rules' sum comes before the greeting, or has another length");
    peer.rules = read_as<Rules>(record).sum;
    return true;
}

bool Intake::take_alert(Peer& peer, std::string_view record) {
    if (!peer.greeted || record.size() < sizeof(Alert))
        return break_off("an alert comes before the greeting, or not in full");
    const auto alert = read_as<Alert>(record);
    const std::string_view texts = record.substr(sizeof alert);
    const std::string_view rule = texts.substr(0, alert.rule_bytes);
    if (alert.rule_bytes > texts.size() || rule.size() > wire::courier::kMostRule ||
        !is_plain(rule) || texts.size() - rule.size() > wire::courier::kMostText ||
        alert.priority >= kPriorities)
        return break_off("a field of an alert is out of its limits");
    if (alert.sequence <= last_) // it is in the spool already
        return true;
    last_ = alert.sequence;
    records_.push_back({.boot = peer.boot,
                        .session = peer.session,
                        .sequence = alert.sequence,
                        .time_ns = alert.time_ns,
                        .priority = alert.priority,
                        .host = peer.host,
                        .rule = rule,
                        .text = texts.substr(rule.size())});
    return true;
}

// Stores the records, and removes the `bytes` that they were read from. If the spool cannot be
// written, the bytes stay until the next attempt.
bool Intake::commit(Peer& peer, std::size_t bytes) {
    if (!records_.empty()) {
        if (auto stored = spool_.append(records_); !stored) {
            os::print("tiercel-courier", stored.error(), "alerts wait in the analyzer");
            full_ = true;
            return true;
        }
    }
    peer.stored = last_;
    peer.bytes.erase(0, bytes);
    return true;
}

// A confirmation that finds no room in the socket is sent at the next turn.
bool Intake::confirm(Peer& peer) {
    if (peer.told == peer.stored)
        return true;
    const Stored stored{.header = {.bytes = sizeof(Stored), .type = Type::stored},
                        .sequence = peer.stored};
    const ssize_t sent = send(peer.fd.get(), &stored, sizeof stored, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == sizeof stored)
        peer.told = peer.stored;
    return sent == sizeof stored || (sent < 0 && errno == EAGAIN);
}

std::size_t Intake::analyzers() const {
    return static_cast<std::size_t>(std::ranges::count(peers_, true, &Peer::greeted));
}

std::vector<wire::courier::Sha256> Intake::rules() const {
    std::vector<wire::courier::Sha256> sums;
    for (const Peer& peer : peers_)
        if (peer.rules)
            sums.push_back(*peer.rules);
    return sums;
}

// A state that finds no room is left out, because the next one is newer.
void Intake::tell(std::span<const wire::courier::State> states) {
    for (const Peer& peer : peers_) {
        if (peer.greeted && !states.empty() &&
            send(peer.fd.get(), states.data(), states.size_bytes(), MSG_NOSIGNAL | MSG_DONTWAIT) <
                0 &&
            errno != EAGAIN)
            shutdown(peer.fd.get(), SHUT_RDWR); // the next turn closes it
    }
}

} // namespace tiercel::courier

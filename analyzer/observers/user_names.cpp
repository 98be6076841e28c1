// SPDX-License-Identifier: Apache-2.0
//
// The messages of the helper process begin with the kind of the message: kFiles is followed by the
// number of the bytes of /etc/passwd, a colon, and both files; kName by a NameAnswer.
#include "analyzer/observers/user_names.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <array>
#include <cstring>

#include "shared/os/file.h"

namespace tiercel::app {

namespace {

constexpr std::size_t kMostBytes = 1 << 20; // of each file
constexpr std::array<const char*, 2> kPaths = {"/etc/passwd", "/etc/group"};
constexpr char kFiles = 'f', kName = 'n';
constexpr std::size_t kMostAsked = 4096; // ids whose time is kept

// A name that the analyzer asks for, and the answer of the name service. A text ends at its first
// NUL, or fills its array.
struct NameAnswer {
    state::WantedName wanted;
    bool is_known = false;
    std::uint32_t gid = 0; // of a user
    char name[64] = {}, home[192] = {}, shell[64] = {};
};

template <std::size_t N>
void put(char (&to)[N], const char* from) {
    if (from != nullptr)
        std::memcpy(to, from, strnlen(from, N));
}

template <std::size_t N>
std::string text_of(const char (&from)[N]) {
    return {from, strnlen(from, N)};
}

// Asks the name service. Runs in the helper process, where it may take its time.
NameAnswer ask_name_service(state::WantedName wanted) {
    NameAnswer answer{.wanted = wanted};
    if (wanted.is_group) {
        const group* found = getgrgid(wanted.id);
        answer.is_known = found != nullptr;
        if (answer.is_known)
            put(answer.name, found->gr_name);
        return answer;
    }
    const passwd* found = getpwuid(wanted.id);
    answer.is_known = found != nullptr;
    if (answer.is_known) {
        answer.gid = found->pw_gid;
        put(answer.name, found->pw_name);
        put(answer.home, found->pw_dir);
        put(answer.shell, found->pw_shell);
    }
    return answer;
}

std::string answer(std::string_view request) {
    state::WantedName wanted;
    if (request.size() != sizeof wanted)
        return {};
    std::memcpy(&wanted, request.data(), sizeof wanted);
    const NameAnswer made = ask_name_service(wanted);
    return std::string(1, kName) + std::string(reinterpret_cast<const char*>(&made), sizeof made);
}

// Loads the modules of the name service, because the helper's filter lets it load code only from
// files that it can map as they are.
void load_modules() {
    constexpr std::uint32_t kUnusedId = ~std::uint32_t{1};
    ask_name_service({kUnusedId, false});
    ask_name_service({kUnusedId, true});
}

// What changes with the file: tools that edit it replace it by another one.
struct Version {
    ino_t inode = 0;
    std::int64_t seconds = 0, nanoseconds = 0;
    bool operator==(const Version&) const = default;
};

Version version_of(const char* path) {
    struct stat status {};
    if (stat(path, &status) != 0)
        return {};
    return {status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

// Returns both files, the number of the first one's bytes in front, if one of them has changed.
std::string look(std::array<Version, 2>& known) {
    const std::array<Version, 2> now = {version_of(kPaths[0]), version_of(kPaths[1])};
    if (std::exchange(known, now) == now)
        return {};
    std::string message, text(kMostBytes, '\0');
    for (const char* path : kPaths) {
        auto read = os::read_file("", path, text);
        const std::string_view content = read ? *read : std::string_view();
        if (path == kPaths[0])
            message = kFiles + std::to_string(content.size()) + ':';
        message += content;
    }
    return message;
}

void load_files(std::string_view message, state::Users& users) {
    const std::size_t colon = message.find(':');
    const auto bytes = os::parse_unsigned(message.substr(0, colon));
    if (colon == std::string_view::npos || !bytes)
        return;
    message.remove_prefix(colon + 1);
    users.load_passwd(message.substr(0, *bytes));
    if (*bytes < message.size())
        users.load_group(message.substr(*bytes));
}

void take_name(std::string_view message, state::Users& users) {
    NameAnswer answer;
    if (message.size() != sizeof answer)
        return;
    std::memcpy(&answer, message.data(), sizeof answer);
    const std::uint32_t id = answer.wanted.id;
    if (!answer.is_known)
        users.forget(answer.wanted);
    else if (answer.wanted.is_group)
        users.add_group(id, text_of(answer.name), true);
    else
        users.add({id, answer.gid, text_of(answer.name), text_of(answer.home),
                   text_of(answer.shell), true});
}

void take(std::string_view message, state::Users& users) {
    if (message.starts_with(kFiles))
        load_files(message.substr(1), users);
    else if (message.starts_with(kName))
        take_name(message.substr(1), users);
}

} // namespace

os::Result<std::unique_ptr<UserNames>> UserNames::make() {
    const std::array<Version, 2> now = {version_of(kPaths[0]), version_of(kPaths[1])};
    auto helper = HelperProcess::start({.name = "tiercel-names",
                                        .answer = answer,
                                        .look = [known = now]() mutable { return look(known); },
                                        .calls = policy::kNamesSteady,
                                        .refused = policy::Refused::fail,
                                        .prepare = load_modules});
    if (!helper)
        return helper.error();
    return std::unique_ptr<UserNames>(new UserNames(*std::move(helper)));
}

os::Result<void> UserNames::attach(Session session) {
    users_ = &session.pipeline.state().users();
    users_->remember_wanted();
    session.loop.watch(helper_.socket(), [this] {
        return helper_.read([this](const std::string& message) { take(message, *users_); });
    });
    return {};
}

void UserNames::tick(const Tick& tick) {
    for (const state::WantedName& wanted : users_->take_wanted()) {
        const std::uint64_t key = wanted.id | std::uint64_t{wanted.is_group} << 32;
        if (asked_ns_.size() >= kMostAsked)
            asked_ns_.clear();
        const auto [asked, is_new] = asked_ns_.try_emplace(key, tick.now_ns);
        if (!is_new && tick.now_ns - asked->second < kAskAgainNs)
            continue;
        asked->second = tick.now_ns;
        if (!helper_.ask({reinterpret_cast<const char*>(&wanted), sizeof wanted}))
            asked_ns_.erase(asked); // the helper is busy, so the next look-up asks again
    }
}

} // namespace tiercel::app

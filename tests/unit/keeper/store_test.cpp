// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "analyzer/service/passed_fds.h"
#include "keeper/store.h"

using namespace tiercel;
using os::UniqueFd;

namespace {

UniqueFd null() {
    return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

int count(keeper::Store& store, std::string_view prefix) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    UniqueFd ours(ends[0]), theirs(ends[1]);
    std::thread giver([&] { CHECK(store.give(ours).has_value()); });
    CHECK(app::receive_passed(theirs).has_value());
    giver.join();
    int found = 0;
    for (const app::PassedFd& passed : app::take_passed(prefix))
        found += fcntl(passed.fd.get(), F_GETFD) >= 0;
    (void)app::take_passed(""); // of other names
    return found;
}

std::unique_ptr<keeper::Store> make_store() {
    return std::make_unique<keeper::Store>(); // 80 KiB
}

} // namespace

TEST_CASE("what one analyzer stores the next one gets, by name") {
    auto store = make_store();
    std::array<UniqueFd, 3> fds{null(), null(), null()};
    store->take("FDSTORE=1\nFDPOLL=0\nFDNAME=kept-links", fds.data(), 2);
    store->take("FDSTORE=1\nFDPOLL=0\nFDNAME=kept-ring-0", &fds[2], 1);
    CHECK(count(*store, "kept-links") == 2);
    CHECK(count(*store, "kept-ring-0") == 1);
    store->take("FDSTOREREMOVE=1\nFDNAME=kept-links", nullptr, 0);
    CHECK(count(*store, "kept-links") == 0);
    CHECK(count(*store, "kept-ring-0") == 1);
    store->take("FDSTOREREMOVE=1\nFDNAME=kept-ring-0", nullptr, 0);
    CHECK(store->empty());
}

TEST_CASE("messages that store nothing, and names that are none, are ignored") {
    auto store = make_store();
    UniqueFd fd = null();
    store->take("READY=1\nSTATUS=watching", &fd, 1);
    store->take("FDSTORE=1", &fd, 1);
    CHECK(store->empty());
    fd = null();
    store->take("FDSTORE=1\nFDNAME=" + std::string(keeper::kLongestName + 1, 'x'), &fd, 1);
    store->take("", nullptr, 0);
    store->take("FDSTOREREMOVE=1", nullptr, 0);
    CHECK(store->empty());
}

TEST_CASE("a store that is full takes no more") {
    auto store = make_store();
    std::size_t added = 0;
    const UniqueFd one = null();
    // The descriptors may run out before.
    while (added < keeper::kMost && store->add("x", UniqueFd(dup(one.get()))))
        ++added;
    CHECK_FALSE(store->add("x", null()));
    CHECK(added > 100);
}

TEST_CASE("a peer's descriptors that are not kept are closed") {
    auto store = make_store();
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    UniqueFd ours(ends[0]), theirs(ends[1]);
    int pipe_ends[2];
    REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
    UniqueFd reader(pipe_ends[0]), writer(pipe_ends[1]);
    std::thread server([&] { CHECK(keeper::serve(*store, ours).has_value()); });
    CHECK(app::receive_passed(theirs).has_value());
    const int fd = writer.get();
    std::string text = "nonsense";
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    iovec part{text.data(), text.size()};
    msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    CHECK(sendmsg(theirs.get(), &message, 0) > 0);
    writer.reset();
    char byte = 0;
    CHECK(read(reader.get(), &byte, 1) == 0); // the last writer has closed it
    theirs.reset();
    server.join();
    CHECK(store->empty());
}

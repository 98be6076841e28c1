// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as what an analyzer sends to the courier, in one piece or in two. Every
// answer must be a whole record, no confirmation may go beyond what was sent, and the next analyzer
// must be served all the same.
//
// Input: a byte that says where the pieces meet, then the bytes.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "courier/intake/intake.h"

using namespace tiercel;
using wire::courier::Alert;
using wire::courier::Hello;
using wire::courier::Stored;
using wire::courier::Type;

namespace {

// The spool's folder, in memory.
struct Folder {
    std::string path = "/dev/shm/tiercel-intake-XXXXXX";
    Folder() {
        if (mkdtemp(path.data()) == nullptr)
            abort();
    }
};

// The intake says why it closes a connection, here for most inputs. The lines would fill the disk.
class Silence {
  public:
    Silence() : stderr_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
        const os::UniqueFd nothing(open("/dev/null", O_WRONLY | O_CLOEXEC));
        dup2(nothing.get(), STDERR_FILENO);
    }
    ~Silence() { dup2(stderr_.get(), STDERR_FILENO); }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

  private:
    os::UniqueFd stderr_;
};

struct Server {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    socklen_t length = sizeof address;
    Folder folder;
    std::unique_ptr<courier::Spool> spool;
    std::unique_ptr<courier::Intake> intake;
    sigset_t unblocked{};

    Server() {
        os::UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        auto* any = reinterpret_cast<sockaddr*>(&address);
        // bind(2) with nothing but the family chooses a free abstract name (unix(7), autobind).
        if (bind(listener.get(), any, sizeof any->sa_family) != 0 ||
            listen(listener.get(), 8) != 0 || getsockname(listener.get(), any, &length) != 0)
            abort();
        auto opened = courier::Spool::open(folder.path,
                                           {.bytes = 1 << 20,
                                            .age_seconds = 3600,
                                            .sync = courier::Sync::never,
                                            .drop = courier::Drop::oldest},
                                           {"one"});
        if (!opened)
            abort();
        spool = *std::move(opened);
        intake = std::make_unique<courier::Intake>(std::move(listener), getuid(), *spool);
        sigfillset(&unblocked);
    }
    void turn() { intake->turn(0, unblocked); }
};

// Sends the pieces as one client, and returns the largest sequence that was confirmed.
std::uint64_t send_as_client(Server& server, std::string_view first, std::string_view second) {
    const os::UniqueFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (connect(client.get(), reinterpret_cast<const sockaddr*>(&server.address), server.length) !=
        0)
        abort();
    server.turn();
    for (const std::string_view piece : {first, second}) {
        (void)send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
        server.turn();
    }
    std::uint64_t confirmed = 0;
    Stored stored;
    for (;;) {
        const ssize_t got = recv(client.get(), &stored, sizeof stored, 0);
        if (got <= 0)
            break;
        if (got != sizeof stored || stored.header.bytes != sizeof stored ||
            stored.header.type != Type::stored || stored.sequence < confirmed)
            abort();
        confirmed = stored.sequence;
    }
    shutdown(client.get(), SHUT_WR);
    server.turn();
    return confirmed;
}

void append(std::string& bytes, const auto& message, std::string_view texts) {
    bytes.append(reinterpret_cast<const char*>(&message), sizeof message).append(texts);
}

// Aborts unless a client that keeps to the protocol is served. Its session is a new random number,
// because the fuzzer learns which numbers are compared. It would store alerts of that session
// first.
void check_next_client(Server& server) {
    static std::mt19937_64 sessions;
    Hello hello{.host_bytes = 4, .session = sessions()};
    hello.boot.fill(0xee);
    hello.header.bytes = sizeof hello + 4;
    Alert alert{.rule_bytes = 4, .priority = 3, .sequence = 10};
    alert.header.bytes = sizeof alert + 4 + 5;
    std::string bytes;
    append(bytes, hello, "host");
    append(bytes, alert, "rulealert");
    if (send_as_client(server, bytes, {}) != alert.sequence)
        abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Server server;
    if (size == 0)
        return 0;
    const Silence silence;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::size_t first = bytes.empty() ? 0 : data[0] % bytes.size();
    send_as_client(server, bytes.substr(0, first), bytes.substr(first));
    check_next_client(server);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// The protocol between the analyzer (client) and the enricher, which holds the container runtimes'
// sockets, on a SOCK_SEQPACKET Unix socket.
//
//   analyzer                                enricher
//   Question          ──────────────▶       checks every field; asks that runtime about that one
//   id,
//                     ◀──────────────       Part, Part, …: the runtime's bytes as they come, unread
//                     ◀──────────────       Part with `last` set: no more comes, and why
//
// A Question while another is being answered ends that one. The analyzer chooses only the kind of
// the runtime and the id, so it cannot send other requests to a runtime. Answers contain text of
// the people who built or started a container. The enricher, which holds the socket, never parses
// them; the analyzer, which parses them, holds no socket. Integers are in native byte order.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tiercel::wire::enrich {

constexpr std::uint32_t kMagic = 0x45435254; // "TRCE"
constexpr std::uint16_t kVersion = 2;

enum class Type : std::uint16_t { question = 1, part };

struct Header {
    std::uint32_t magic = enrich::kMagic;
    std::uint16_t version = enrich::kVersion;
    Type type = Type::question;
};

// Docker and Podman answer `GET /containers/ID/json` with HTTP and JSON; containerd and CRI-O the
// call ContainerStatus of runtime.v1.RuntimeService with gRPC (HTTP/2 and protocol buffers), and
// PodSandboxStatus about a pod.
enum class Runtime : std::uint32_t { docker, podman, containerd, crio, count };
constexpr std::size_t kRuntimes = static_cast<std::size_t>(Runtime::count);

enum class Subject : std::uint32_t { container, pod, count }; // containerd and CRI-O have pods

constexpr std::size_t kIdLength = 64; // all four make ids of 64 hexadecimal digits

struct Question {
    Header header{};
    std::uint32_t number = 0; // comes back with each part of the answer
    Runtime runtime = Runtime::docker;
    Subject subject = Subject::container;
    char id[kIdLength] = {}; // 0-9a-f, without a NUL
};

// The record goes on with up to kPartBytes of the answer.
struct Part {
    Header header{.type = Type::part};
    std::uint32_t number = 0;
    std::uint32_t last = 0; // 1: the runtime has closed, or could not be asked
    std::int32_t error = 0; // errno of the connection, ETIMEDOUT, or 0; with `last` alone
};

constexpr std::size_t kPartBytes = 8192;

static_assert(sizeof(Header) == 8 && sizeof(Question) == 84 && sizeof(Part) == 20);

} // namespace tiercel::wire::enrich

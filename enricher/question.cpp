// SPDX-License-Identifier: Apache-2.0
#include "enricher/question.h"

#include <algorithm>
#include <cstring>

namespace tiercel::enricher {

using wire::enrich::Question;
using wire::enrich::Runtime;
using wire::enrich::Subject;
using namespace std::string_view_literals;

bool is_question(const Question& question, std::size_t bytes) {
    return bytes == sizeof question && question.header.magic == wire::enrich::kMagic &&
           question.header.version == wire::enrich::kVersion &&
           question.header.type == wire::enrich::Type::question &&
           question.runtime < Runtime::count && question.subject < Subject::count &&
           std::ranges::all_of(question.id, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

Request::Request(const Question& question) : room_{} {
    const std::string_view id(question.id, sizeof question.id);
    if (question.runtime == Runtime::docker || question.runtime == Runtime::podman)
        http(id);
    else
        grpc(question.subject, id);
}

void Request::add(std::string_view text) {
    if (text.size() > room_.size() - used_)
        __builtin_trap();
    std::memcpy(room_.data() + used_, text.data(), text.size());
    used_ += text.size();
}

// The request is HTTP/1.0, so that the runtime closes the connection behind its answer.
void Request::http(std::string_view id) {
    add("GET /containers/"sv);
    add(id);
    add("/json HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n"sv);
}

// A whole gRPC call in the frames of HTTP/2 (RFC 9113): the preface, settings, the headers of
// stream 1, and its data. The headers are packed as RFC 7541 has it, by the numbers of its static
// table, without Huffman codes and without changing the dynamic table. The settings and
// WINDOW_UPDATE let the runtime send a megabyte, because nothing more is sent to it that would let
// it go on.
void Request::grpc(Subject subject, std::string_view id) {
    // The names that begin with a colon come before all others (RFC 9113 8.3): a server answers a
    // request in another order with PROTOCOL_ERROR.
    constexpr std::string_view kBefore = "\x83\x86\x04"sv; // :method POST, :scheme http, :path
    constexpr std::string_view kContainer = "\x2a/runtime.v1.RuntimeService/ContainerStatus"sv,
                               kPod = "\x2b/runtime.v1.RuntimeService/PodSandboxStatus"sv;
    static_assert(kContainer.size() == 1 + 0x2a && kPod.size() == 1 + 0x2b);
    constexpr std::string_view kBehind = "\x01\x09localhost"         // :authority
                                         "\x0f\x10\x10"              // content-type
                                         "application/grpc"          //
                                         "\x00\x02te\x08trailers"sv; // which gRPC requires
    const std::string_view path = subject == Subject::pod ? kPod : kContainer;
    const auto length = static_cast<char>(kBefore.size() + path.size() + kBehind.size());
    add("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv);
    add("\0\0\6\4\0\0\0\0\0\0\4\0\x10\0\0"sv); // SETTINGS_INITIAL_WINDOW_SIZE: 1 MiB
    add("\0\0\4\x08\0\0\0\0\0\0\x0f\0\x01"sv); // WINDOW_UPDATE of the connection: the same
    add("\0\0"sv);                             // HEADERS: three bytes of length,
    add({&length, 1});                         //
    add("\1\4\0\0\0\1"sv);                     // the kind, END_HEADERS, stream 1
    for (const std::string_view part : {kBefore, path, kBehind})
        add(part);
    add("\0\0\x49\0\1\0\0\0\1"sv); // DATA: 5 + 2 + 64 + 2 bytes, END_STREAM, stream 1
    add("\0\0\0\0\x44\x0a\x40"sv); // not compressed, 68 bytes; field 1, 64 bytes
    add(id);
    add("\x10\x01"sv); // field 2, `verbose`: with the runtime's own account
}

} // namespace tiercel::enricher

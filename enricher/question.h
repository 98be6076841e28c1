// SPDX-License-Identifier: Apache-2.0
//
// What a runtime is sent: one fixed request about one container or pod, whose id is all that
// varies.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "shared/wire/enrich.h"

namespace tiercel::enricher {

// Whether the record is a question of this protocol and every field is in its limits: the whole of
// what a peer can say.
bool is_question(const wire::enrich::Question& question, std::size_t bytes);

// A request's bytes, without allocation.
class Request {
  public:
    // `question` has passed is_question().
    explicit Request(const wire::enrich::Question& question);
    std::span<const char> bytes() const { return {room_.data(), used_}; }

  private:
    void add(std::string_view text);
    void http(std::string_view id);
    void grpc(wire::enrich::Subject subject, std::string_view id);
    std::array<char, 320> room_;
    std::size_t used_ = 0;
};

} // namespace tiercel::enricher

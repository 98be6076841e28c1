// SPDX-License-Identifier: Apache-2.0
//
// EventBuilder: synthetic events for tests. Parameters are given by position, typed by the caller:
//
//   EventBuilder(event::SYSCALL_OPENAT_2_X).tid(7).ts(100).i64(3).i64(-100).text("/etc/passwd")…
//
// What is not given has no value. The view lives as long as the builder.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "shared/event/view.h"

namespace tiercel::test {

class EventBuilder {
  public:
    explicit EventBuilder(std::uint16_t code) : code_(code) {}

    EventBuilder& tid(std::uint64_t tid) {
        tid_ = tid;
        return *this;
    }
    EventBuilder& ts(std::uint64_t ns) {
        ts_ = ns;
        return *this;
    }
    EventBuilder& bytes(std::string_view value) {
        const auto length = static_cast<std::uint16_t>(value.size());
        lengths_.push_back(length);
        const auto* data = reinterpret_cast<const std::byte*>(value.data());
        values_.insert(values_.end(), data, data + value.size());
        return *this;
    }
    EventBuilder& none() { return bytes({}); }
    EventBuilder& text(std::string_view value) {
        bytes(value);
        values_.push_back(std::byte{0});
        ++lengths_.back();
        return *this;
    }
    template <typename T>
    EventBuilder& number(T value) {
        return bytes({reinterpret_cast<const char*>(&value), sizeof value});
    }
    EventBuilder& u8(std::uint8_t value) { return number(value); }
    EventBuilder& u16(std::uint16_t value) { return number(value); }
    EventBuilder& u32(std::uint32_t value) { return number(value); }
    EventBuilder& i32(std::int32_t value) { return number(value); }
    EventBuilder& u64(std::uint64_t value) { return number(value); }
    EventBuilder& i64(std::int64_t value) { return number(value); }

    // Fills up with parameters without value, so that the event has all that its kind has.
    event::EventView view() {
        const event::EventInfo* info = event::find(code_);
        while (lengths_.size() < info->params.size())
            none();
        return short_view();
    }
    // With as many parameters as were given, as older captures have them.
    event::EventView short_view() {
        event::Header header{ts_, tid_, 0, code_, static_cast<std::uint32_t>(lengths_.size())};
        const std::size_t lengths_size = lengths_.size() * sizeof(std::uint16_t);
        header.len = static_cast<std::uint32_t>(sizeof header + lengths_size + values_.size());
        raw_.resize(header.len);
        std::memcpy(raw_.data(), &header, sizeof header);
        if (!lengths_.empty())
            std::memcpy(raw_.data() + sizeof header, lengths_.data(), lengths_size);
        if (!values_.empty())
            std::memcpy(raw_.data() + sizeof header + lengths_size, values_.data(), values_.size());
        return *event::EventView::parse(raw_);
    }
    const std::vector<std::byte>& raw() {
        view();
        return raw_;
    }

  private:
    std::uint16_t code_;
    std::uint64_t tid_ = 1;
    std::uint64_t ts_ = 1'000'000'000;
    std::vector<std::uint16_t> lengths_;
    std::vector<std::byte> values_;
    std::vector<std::byte> raw_;
};

} // namespace tiercel::test

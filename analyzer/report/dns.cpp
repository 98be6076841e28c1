// SPDX-License-Identifier: Apache-2.0
#include "analyzer/report/dns.h"

#include <algorithm>

namespace tiercel::report {

namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint8_t kIsAnswer = 0x80;  // of the third byte
constexpr std::uint8_t kIsPointer = 0xc0; // the first byte of a compressed name
constexpr std::uint16_t kTypeA = 1, kTypeAaaa = 28;
constexpr unsigned kMostAnswers = 64;

class Message {
  public:
    explicit Message(event::Bytes bytes) : bytes_(bytes) {}

    bool good() const { return good_; }
    std::uint8_t byte() {
        if (at_ >= bytes_.size()) {
            good_ = false;
            return 0;
        }
        return static_cast<std::uint8_t>(bytes_[at_++]);
    }
    std::uint16_t number() {
        const std::uint16_t high = byte();
        return static_cast<std::uint16_t>(high << 8 | byte());
    }
    void skip(std::size_t bytes) { at_ += bytes; }
    // Reads a name; of a compressed one, only what stands here.
    std::string name() {
        std::string text;
        while (good_) {
            const std::uint8_t length = byte();
            if (length == 0)
                break;
            if ((length & kIsPointer) != 0) {
                byte();
                break;
            }
            text += text.empty() ? "" : ".";
            for (std::uint8_t i = 0; i < length && good_; ++i)
                text += static_cast<char>(byte());
        }
        return text;
    }

  private:
    event::Bytes bytes_;
    std::size_t at_ = 0;
    bool good_ = true;
};

} // namespace

void DnsNames::learn(event::Bytes bytes) {
    if (bytes.size() < kHeader || (static_cast<std::uint8_t>(bytes[2]) & kIsAnswer) == 0)
        return;
    Message message(bytes);
    message.skip(4);
    const std::uint16_t questions = message.number(), answers = message.number();
    message.skip(4);
    if (questions != 1)
        return;
    const std::string asked = message.name();
    message.skip(4); // type and class
    for (unsigned i = 0; i < std::min<unsigned>(answers, kMostAnswers) && message.good(); ++i) {
        message.name();
        const std::uint16_t type = message.number();
        message.skip(6); // class and time to live
        const std::uint16_t length = message.number();
        state::Address address{};
        const bool is_address =
            (type == kTypeA && length == 4) || (type == kTypeAaaa && length == 16);
        if (!is_address) {
            message.skip(length);
            continue;
        }
        for (std::uint16_t at = 0; at < length; ++at)
            address[at] = message.byte();
        if (message.good() && (names_.size() < kMost || names_.contains(address)))
            names_[address] = asked;
    }
}

std::string_view DnsNames::find(const state::Address& address) const {
    const auto found = names_.find(address);
    return found != names_.end() ? std::string_view(found->second) : std::string_view();
}

} // namespace tiercel::report

// SPDX-License-Identifier: Apache-2.0
#include "courier/spool/record.h"

#include <zlib.h>

#include <cstring>

namespace tiercel::courier {

namespace {

constexpr std::uint32_t kMagic = 0x52435254; // "TRCR"

struct Form {
    std::uint32_t magic;
    std::uint32_t checksum; // CRC-32 of everything that follows
    std::uint32_t bytes;    // of the whole record
    std::uint16_t host_bytes;
    std::uint16_t rule_bytes;
    std::uint64_t index;
    wire::courier::Boot boot;
    std::uint64_t session;
    std::uint64_t sequence;
    std::uint64_t time_ns;
    std::uint64_t stored_ns;
    std::uint8_t priority;
    std::uint8_t reserved[7];
};
static_assert(sizeof(Form) == 80);
constexpr std::size_t kSummedFrom = offsetof(Form, bytes);

std::uint32_t checksum_of(std::string_view record) {
    record.remove_prefix(kSummedFrom);
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(record.data()), static_cast<uInt>(record.size())));
}

} // namespace

const std::size_t kMostRecordBytes =
    sizeof(Form) + wire::courier::kMostHost + wire::courier::kMostRule + wire::courier::kMostText;

void encode(const Record& record, std::string& file) {
    const std::size_t begin = file.size();
    Form form{.magic = kMagic,
              .checksum = 0,
              .bytes = static_cast<std::uint32_t>(sizeof(Form) + record.host.size() +
                                                  record.rule.size() + record.text.size()),
              .host_bytes = static_cast<std::uint16_t>(record.host.size()),
              .rule_bytes = static_cast<std::uint16_t>(record.rule.size()),
              .index = record.index,
              .boot = record.boot,
              .session = record.session,
              .sequence = record.sequence,
              .time_ns = record.time_ns,
              .stored_ns = record.stored_ns,
              .priority = record.priority,
              .reserved = {}};
    file.append(reinterpret_cast<const char*>(&form), sizeof form);
    file.append(record.host).append(record.rule).append(record.text);
    form.checksum = checksum_of(std::string_view(file).substr(begin));
    std::memcpy(file.data() + begin + offsetof(Form, checksum), &form.checksum,
                sizeof form.checksum);
}

std::size_t decode(std::string_view bytes, Record& record) {
    Form form{};
    if (bytes.size() < sizeof form)
        return 0;
    std::memcpy(&form, bytes.data(), sizeof form);
    const std::size_t texts = sizeof form + form.host_bytes + form.rule_bytes;
    if (form.magic != kMagic || form.bytes < texts || form.bytes > bytes.size() ||
        form.bytes > kMostRecordBytes || form.priority >= kPriorities ||
        checksum_of(bytes.substr(0, form.bytes)) != form.checksum)
        return 0;
    record = {.index = form.index,
              .boot = form.boot,
              .session = form.session,
              .sequence = form.sequence,
              .time_ns = form.time_ns,
              .stored_ns = form.stored_ns,
              .priority = form.priority,
              .host = bytes.substr(sizeof form, form.host_bytes),
              .rule = bytes.substr(sizeof form + form.host_bytes, form.rule_bytes),
              .text = bytes.substr(texts, form.bytes - texts)};
    return form.bytes;
}

} // namespace tiercel::courier

// SPDX-License-Identifier: Apache-2.0
//
// Parameters as text: one function for each kind of parameter type.
#include "analyzer/fields/params.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "analyzer/fields/names.h"
#include "analyzer/fields/time.h"
#include "analyzer/state/path.h"
#include "analyzer/state/socket.h"
#include "shared/escape/escape.h"

namespace tiercel::filter {
namespace {

using event::Bytes;
using event::Format;
using event::ParamInfo;
using event::ParamType;

constexpr std::string_view kNotAvailable = "<NA>";

struct Out {
    const EventContext& event;
    const ParamInfo& info;
    Bytes value; // not empty
    std::string& raw;
    std::string& meaning;
};

template <typename T>
T number_in(Bytes bytes) {
    T value{};
    std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
    return value;
}

template <typename T>
void append_number(std::string& out, T number, int base = 10) {
    char digits[72];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    if (base == 16)
        std::transform(digits, end, digits,
                       [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    out.append(digits, end);
}

void append_formatted(std::string& out, std::uint64_t number, Format format) {
    if (format == Format::OCT) {
        if (number != 0)
            out += '0';
        append_number(out, number, 8);
    } else {
        append_number(out, number, format == Format::HEX ? 16 : 10);
    }
}

// Signed numbers keep their sign in decimal; in hex and octal they are the bits of their width.
void append_integer(const Out& out, std::size_t width, bool is_signed) {
    const auto bits = number_in<std::uint64_t>(out.value.first(std::min(width, out.value.size())));
    if (is_signed && out.info.format != Format::HEX && out.info.format != Format::OCT) {
        const unsigned shift = static_cast<unsigned>(64 - 8 * width);
        append_number(out.raw, static_cast<std::int64_t>(bits << shift) >> shift);
    } else {
        append_formatted(out.raw, bits, out.info.format);
    }
}

void append_fd(const Out& out, std::int64_t number) {
    append_number(out.raw, number);
    if (out.event.thread == nullptr)
        return;
    if (number == event::kAtFdcwd) {
        out.meaning += "AT_FDCWD";
    } else if (number < 0) {
        out.meaning += errno_name(number);
    } else if (const state::Fd* fd = out.event.thread->fd(number)) {
        out.meaning += '<';
        out.meaning += state::fd_kind_letter(fd->kind);
        if (const std::string_view protocol = state::l4_name(fd->shown_l4());
            fd->is_ip() && !protocol.empty())
            out.meaning += protocol[0];
        out.meaning += '>';
        out.meaning += fd->name.view();
    }
}

void append_pid(const Out& out, std::int64_t tid) {
    append_number(out.raw, tid);
    if (const state::Thread* thread = out.event.state->find(tid))
        out.meaning += thread->comm.view();
}

void append_result(const Out& out, std::int64_t result) {
    append_number(out.raw, result);
    if (result < 0)
        out.meaning += errno_name(result);
}

void append_flags(const Out& out, std::uint32_t value, bool exact) {
    append_number(out.raw, value);
    std::uint32_t rest = value;
    const auto append = [&](std::string_view name) {
        if (!out.meaning.empty())
            out.meaning += '|';
        out.meaning += name;
    };
    for (const event::Flag& flag : event::flags_of(out.info.flags)) {
        if (exact) {
            if (flag.value == value)
                append(flag.name);
            continue;
        }
        if (flag.value == value) {
            append(flag.name);
            break;
        }
        if (flag.value != 0 && (rest & flag.value) == flag.value) {
            append(flag.name);
            rest &= ~flag.value; // O_RDWR is not O_RDONLY and O_WRONLY as well
        }
    }
}

void append_mode(const Out& out) {
    const auto mode = number_in<std::uint32_t>(out.value);
    append_flags(out, mode, false);
    out.raw.clear();
    append_formatted(out.raw, mode, out.info.format);
}

// Appends the path as given, and the whole path as its meaning if it differs.
void append_path(const Out& out) {
    const auto* chars = reinterpret_cast<const char*>(out.value.data());
    const std::string_view path(chars, strnlen(chars, out.value.size()));
    out.raw += path;
    if (out.event.thread == nullptr || path == kNotAvailable)
        return;
    std::string directory(out.event.thread->cwd());
    if (out.info.dirfd >= 0) {
        const auto dirfd =
            out.event.event->number<std::int64_t>(static_cast<std::uint32_t>(out.info.dirfd));
        if (dirfd && *dirfd != event::kAtFdcwd) {
            const state::Fd* fd = out.event.thread->fd(*dirfd);
            directory = fd != nullptr ? std::string(fd->name.view()) : std::string();
        }
    }
    if (path.starts_with('/') || directory.empty())
        return;
    std::string whole;
    state::join_path(directory, path, whole);
    if (whole != path)
        out.meaning += whole;
}

void append_user(const Out& out, bool is_group) {
    const auto id = number_in<std::uint32_t>(out.value);
    if (id == state::kNoId) {
        out.raw += "-1";
        out.meaning += "<NONE>";
        return;
    }
    append_number(out.raw, id);
    std::string_view name;
    if (is_group)
        name = out.event.state->users().group(id);
    else if (const state::User* user = out.event.state->users().user(id))
        name = user->name;
    out.meaning += name.empty() ? kNotAvailable : name;
}

void append_interval(const Out& out) {
    const auto ns = number_in<std::uint64_t>(out.value);
    if (ns == UINT64_MAX) {
        out.raw += "none";
        return;
    }
    append_number(out.raw, ns);
    char text[32];
    std::snprintf(text, sizeof text, "%lgs", static_cast<double>(ns) / 1e9);
    out.meaning += text;
}

void append_fd_list(const Out& out) {
    if (out.event.thread == nullptr)
        return;
    for_each_listed_fd(out.value, [&](std::int64_t number, std::uint16_t flags) {
        const state::Fd* fd = out.event.thread->fd(number);
        if (!out.raw.empty())
            out.raw += ' ';
        append_number(out.raw, number);
        out.raw += ':';
        out.raw += fd != nullptr ? state::fd_kind_letter(fd->kind) : '?';
        char digits[8];
        out.raw.append(digits, std::to_chars(digits, digits + sizeof digits, flags, 16).ptr);
    });
}

void append_signals(const Out& out) {
    const auto set = number_in<std::uint32_t>(out.value);
    for (unsigned bit = 0; bit < 32; ++bit) {
        if ((set >> bit & 1) == 0)
            continue;
        if (!out.raw.empty())
            out.raw += ' ';
        out.raw += signal_name(static_cast<std::uint8_t>(bit + 1));
    }
}

void append_strings(const Out& out, char between) {
    bool first = true;
    const std::string_view all(reinterpret_cast<const char*>(out.value.data()), out.value.size());
    state::for_each_string(all, [&](std::string_view text) {
        if (!std::exchange(first, false))
            out.raw += between;
        out.raw += text;
    });
}

// Appends a number and its meaning; returns false if the type is no number.
bool append_numeric(const Out& out, ParamType type) {
    using enum ParamType;
    switch (type) {
    case INT8: append_integer(out, 1, true); break;
    case INT16: append_integer(out, 2, true); break;
    case INT32: append_integer(out, 4, true); break;
    case INT64: append_integer(out, 8, true); break;
    case UINT8: append_integer(out, 1, false); break;
    case UINT16:
    case PORT: append_integer(out, 2, false); break;
    case UINT32: append_integer(out, 4, false); break;
    case UINT64: append_integer(out, 8, false); break;
    case FD: append_fd(out, number_in<std::int64_t>(out.value)); break;
    case FD32: append_fd(out, number_in<std::int32_t>(out.value)); break;
    case PID: append_pid(out, number_in<std::int64_t>(out.value)); break;
    case PID32: append_pid(out, number_in<std::int32_t>(out.value)); break;
    case ERRNO: append_result(out, number_in<std::int64_t>(out.value)); break;
    case FLAGS8:
    case FLAGS16:
    case FLAGS32: append_flags(out, number_in<std::uint32_t>(out.value), false); break;
    case ENUMFLAGS8:
    case ENUMFLAGS16:
    case ENUMFLAGS32: append_flags(out, number_in<std::uint32_t>(out.value), true); break;
    case MODE: append_mode(out); break;
    case UID: append_user(out, false); break;
    case GID: append_user(out, true); break;
    case RELTIME: append_interval(out); break;
    case ABSTIME: append_date(out.raw, number_in<std::uint64_t>(out.value), true); break;
    case SIGSET: append_signals(out); break;
    case SIGTYPE:
        append_number(out.raw, number_in<std::uint8_t>(out.value));
        out.meaning += signal_name(number_in<std::uint8_t>(out.value));
        break;
    case SYSCALLID:
        append_number(out.raw, number_in<std::uint16_t>(out.value));
        if (const auto* call = event::find_syscall_by_scap(number_in<std::uint16_t>(out.value)))
            out.meaning += call->name;
        break;
    case BOOL: out.raw += number_in<std::uint32_t>(out.value) != 0 ? "true" : "false"; break;
    case NONE:
    case CHARBUF:
    case BYTEBUF:
    case SOCKADDR:
    case SOCKTUPLE:
    case FDLIST:
    case FSPATH:
    case IPV4ADDR:
    case IPV6ADDR:
    case DYN:
    case DOUBLE:
    case CHARBUFARRAY:
    case CHARBUF_PAIR_ARRAY:
    case FSRELPATH: return false;
    }
    return true;
}

std::string_view text_in(Bytes bytes) {
    const auto* chars = reinterpret_cast<const char*>(bytes.data());
    return {chars, strnlen(chars, bytes.size())};
}

void append_typed(const Out& out, ParamType type) {
    using enum ParamType;
    if (append_numeric(out, type))
        return;
    if (type == FSPATH || type == FSRELPATH) {
        append_path(out);
    } else if (type == BYTEBUF) {
        append_bytes(out.raw, out.value, out.event.base64);
    } else if (type == FDLIST) {
        append_fd_list(out);
    } else if (type == CHARBUFARRAY || type == CHARBUF_PAIR_ARRAY) {
        append_strings(out, type == CHARBUFARRAY ? '.' : ',');
    } else if (type == CHARBUF) {
        out.raw += text_in(out.value);
    } else if (type == SOCKADDR) {
        if (const auto address = state::parse_address(out.value))
            state::append_address(out.raw, *address);
    } else if (type == SOCKTUPLE) {
        if (const auto tuple = state::parse_tuple(out.value))
            state::append_tuple(out.raw, *tuple);
    } else if (type == IPV4ADDR || type == IPV6ADDR) {
        state::Address ip{};
        std::memcpy(ip.data(), out.value.data(), std::min(ip.size(), out.value.size()));
        state::append_ip(out.raw, ip, type == IPV6ADDR);
    } else if (type == DOUBLE) {
        char text[32];
        std::snprintf(text, sizeof text, "%.1lf", number_in<double>(out.value));
        out.raw += text;
    } else {
        out.raw += "INVALID DYNAMIC PARAMETER";
    }
}

// Returns true for the types that could lack a value before all types could; they print as NULL.
bool prints_null(ParamType type) {
    using enum ParamType;
    return type == BYTEBUF || type == SOCKTUPLE || type == FDLIST || type == CHARBUFARRAY ||
           type == CHARBUF_PAIR_ARRAY || type == DYN;
}

} // namespace

void append_bytes(std::string& out, Bytes bytes, bool base64) {
    if (base64)
        return escape::append_base64(out, bytes);
    for (const std::byte byte : bytes) {
        const char c = static_cast<char>(byte);
        out += c >= 0x20 && c < 0x7f ? c : '.';
    }
}

void append_param(const EventContext& event, std::uint32_t index, std::string& raw,
                  std::string& meaning) {
    const ParamInfo& info = event.event->info().params[index];
    const Bytes value = event.event->param(index);
    if (value.empty()) {
        raw += prints_null(info.type) ? "NULL" : kNotAvailable;
        return;
    }
    if (info.type != ParamType::DYN) {
        append_typed({event, info, value, raw, meaning}, info.type);
        return;
    }
    const auto type = event::dynamic_type(info.dynamic, static_cast<std::uint8_t>(value[0]));
    if (value.size() > 1 && type)
        append_typed({event, info, value.subspan(1), raw, meaning}, *type);
    else
        raw += type ? "NULL" : "INVALID DYNAMIC PARAMETER";
}

void append_params(const EventContext& event, std::string& out) {
    if (event.event->code() == event::GENERIC_X)
        return;
    const auto count =
        std::min<std::size_t>(event.event->nparams(), event.event->info().params.size());
    std::string raw, meaning;
    for (std::uint32_t i = 0; i < count && !event.event->info().params[i].own; ++i) {
        raw.clear();
        meaning.clear();
        append_param(event, i, raw, meaning);
        if (i > 0)
            out += ' ';
        out += event.event->info().params[i].name;
        out += '=';
        out += raw;
        if (!meaning.empty()) {
            out += '(';
            out += meaning;
            out += ')';
        }
    }
}

} // namespace tiercel::filter

// SPDX-License-Identifier: Apache-2.0
#include "analyzer/fields/format.h"

namespace tiercel::filter {
namespace {

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

// How much of `text` names a field with its argument, and which; 0: none. Full stops after a name
// are punctuation, so shorter names are tried too.
std::size_t match_field(std::string_view text, Fields& fields, std::uint32_t& id,
                        Fields::Problem& problem) {
    std::size_t end = 0;
    while (end < text.size() && is_name_char(text[end]))
        ++end;
    if (end < text.size() && text[end] == '[') {
        const std::size_t close = text.find(']', end);
        if (close != std::string_view::npos)
            if (const auto found = fields.resolve(text.substr(0, close + 1), problem)) {
                id = *found;
                return close + 1;
            }
    }
    Fields::Problem shorter;
    for (std::size_t length = end; length > 0; length = text.rfind('.', length - 1)) {
        if (length == std::string_view::npos)
            break;
        if (const auto found =
                fields.resolve(text.substr(0, length), length == end ? problem : shorter)) {
            id = *found;
            return length;
        }
    }
    return 0;
}

} // namespace

std::optional<Format> Format::compile(std::string_view text, Fields& fields, Problem& problem) {
    Format format;
    Piece piece;
    std::size_t at = text.starts_with('*') ? 1 : 0;
    while (at < text.size()) {
        if (text[at] != '%') {
            piece.text += text[at++];
            continue;
        }
        if (text.substr(at).starts_with("%%")) {
            piece.text += '%';
            at += 2;
            continue;
        }
        Fields::Problem unknown;
        const std::size_t length = match_field(text.substr(at + 1), fields, piece.field, unknown);
        if (length == 0) {
            problem = {at, unknown.message.empty() ? "no field follows '%'" : unknown.message,
                       unknown.hint};
            return std::nullopt;
        }
        piece.has_field = true;
        piece.name = text.substr(at + 1, length);
        format.pieces_.push_back(std::move(piece));
        piece = Piece{};
        at += 1 + length;
    }
    if (!piece.text.empty())
        format.pieces_.push_back(std::move(piece));
    return format;
}

bool Format::render(EventFields& event, std::string& out) const {
    bool complete = true;
    for (const Piece& piece : pieces_) {
        out += piece.text;
        if (piece.has_field && !event.append_text(piece.field, out))
            complete = false;
    }
    return complete;
}

} // namespace tiercel::filter

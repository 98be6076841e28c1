// SPDX-License-Identifier: Apache-2.0
//
// Format: finds the fields and transformers of a template, and renders them for events.
#include "analyzer/fields/format.h"

#include "analyzer/language/parser.h"
#include "analyzer/match/resolver.h"
#include "analyzer/match/slot_reader.h"

namespace tiercel::filter {

struct Format::Computed {
    Graph graph;
    SlotId slot = kNoSlot;
    std::unique_ptr<SlotReader> reader; // of graph's slots
    ResolvedField shown;                // how the result is printed
    FieldInfo info{{}, {{}, ValueType::text}, {}, nullptr};
};

namespace {

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

constexpr std::string_view kContainerInfo = "container.info";

// Returns the length of the field with its argument at the start of `text`, and sets `id`; 0: there
// is no field. Full stops after a name are punctuation, so shorter names are tried too.
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

// Returns true if a transformer begins at `text`.
bool is_call(std::string_view text) {
    const std::size_t bracket = text.find('(');
    Transform transform;
    return bracket != std::string_view::npos && find_transform(text.substr(0, bracket), transform);
}

// Compiles the transformer at the start of `text` and sets `length`.
std::shared_ptr<Format::Computed> compile_call(std::string_view text, Fields& fields,
                                               std::size_t& length, Format::Problem& problem) {
    const auto parsed = parse_operand(text, length);
    if (const auto* error = std::get_if<SyntaxError>(&parsed)) {
        problem = {error->span.offset, error->message, error->hint};
        return nullptr;
    }
    auto computed = std::make_shared<Format::Computed>();
    std::vector<Issue> issues;
    const std::optional<SlotId> slot =
        Resolver(computed->graph, fields).resolve(std::get<Operand>(parsed), issues);
    if (!slot) {
        problem = {issues[0].span.offset, issues[0].message, issues[0].hint};
        return nullptr;
    }
    const FieldUse& use = computed->graph.slots()[*slot].use;
    computed->slot = *slot;
    computed->reader = std::make_unique<SlotReader>(computed->graph.slots());
    computed->info.plurality = use.plurality;
    computed->shown.info = &computed->info;
    computed->shown.type = use.type;
    return computed;
}

bool render_call(Format::Computed& computed, EventFields& event, std::string& out) {
    computed.reader->start(event);
    const Values& values = computed.reader->fetch(computed.slot);
    if (!values.present) {
        out += "<NA>";
        return false;
    }
    append_values(computed.shown, values, out);
    return true;
}

} // namespace

void Format::add(Piece& piece) {
    pieces_.push_back(std::move(piece));
    piece = Piece{};
}

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
        const std::string_view rest = text.substr(at + 1);
        Fields::Problem unknown;
        std::size_t length = 0;
        if (rest.starts_with(kContainerInfo)) {
            format.has_container_info_ = true;
            for (const std::string_view name : {"container.id", "container.name"}) {
                piece.text += name == "container.id" ? "container_id=" : " container_name=";
                piece.field = *fields.resolve(name, unknown);
                piece.has_field = true;
                piece.name = name;
                format.add(piece);
            }
            at += 1 + kContainerInfo.size();
            continue;
        }
        if (is_call(rest)) {
            piece.computed = compile_call(rest, fields, length, problem);
            if (!piece.computed) {
                problem.offset += at + 1;
                return std::nullopt;
            }
        } else {
            length = match_field(rest, fields, piece.field, unknown);
            piece.has_field = length > 0;
        }
        if (length == 0) {
            problem = {at, unknown.message.empty() ? "no field follows '%'" : unknown.message,
                       unknown.hint};
            return std::nullopt;
        }
        piece.name = rest.substr(0, length);
        format.add(piece);
        at += 1 + length;
    }
    if (!piece.text.empty())
        format.add(piece);
    return format;
}

bool Format::render(EventFields& event, std::string& out) const {
    bool complete = true;
    for (const Piece& piece : pieces_) {
        out += piece.text;
        if (piece.has_field && !event.append_text(piece.field, out))
            complete = false;
        if (piece.computed && !render_call(*piece.computed, event, out))
            complete = false;
    }
    return complete;
}

} // namespace tiercel::filter

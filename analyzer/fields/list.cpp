// SPDX-License-Identifier: Apache-2.0
#include "analyzer/fields/list.h"

#include "analyzer/fields/fields.h"

namespace tiercel::filter {
namespace {

constexpr std::size_t kLineWidth = 100;
constexpr std::size_t kNameWidth = 28;

std::string_view argument_text(FieldArgument argument) {
    switch (argument) {
    case FieldArgument::optional_index:
    case FieldArgument::number: return "[number]";
    case FieldArgument::optional_key: return "[name]";
    case FieldArgument::index_or_name: return ".name or [number]";
    case FieldArgument::name: return ".name";
    case FieldArgument::none: break;
    }
    return {};
}

// Appends a description in lines that are indented by `indent` characters.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent) {
    std::size_t column = indent;
    while (!text.empty()) {
        const std::size_t end = text.find(' ');
        const std::string_view word = text.substr(0, end);
        if (column > indent && column + 1 + word.size() > kLineWidth) {
            out += '\n';
            out.append(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    out += '\n';
}

void append_text(std::string& out, const FieldClass& group) {
    out += "\n# ";
    out += group.name;
    out += ": ";
    out += group.description;
    out += '\n';
    for (const FieldInfo& field : group.fields) {
        const std::size_t start = out.size();
        out += field.name;
        out += argument_text(field.argument);
        if (out.size() - start >= kNameWidth) {
            out += '\n';
            out.append(kNameWidth, ' ');
        } else {
            out.append(kNameWidth - (out.size() - start), ' ');
        }
        append_wrapped(out, std::string(field.type.shown) + ": " + std::string(field.description),
                       kNameWidth);
    }
}

void append_markdown(std::string& out, const FieldClass& group) {
    out += "\n## ";
    out += group.name;
    out += "\n\n";
    out += group.description;
    out += "\n\n| Name | Type | Description |\n|---|---|---|\n";
    for (const FieldInfo& field : group.fields) {
        out += "| `";
        out += field.name;
        out += argument_text(field.argument);
        out += "` | ";
        out += field.type.shown;
        out += " | ";
        out += field.description;
        out += " |\n";
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    out += '"';
}

void append_json(std::string& out, const FieldClass& group) {
    for (const FieldInfo& field : group.fields) {
        out += out.ends_with('[') ? "\n" : ",\n";
        out += "  {\"class\": ";
        append_quoted(out, group.name);
        out += ", \"name\": ";
        append_quoted(out, field.name);
        out += ", \"type\": ";
        append_quoted(out, field.type.shown);
        out += ", \"argument\": ";
        append_quoted(out, argument_text(field.argument));
        out += ", \"description\": ";
        append_quoted(out, field.description);
        out += '}';
    }
}

} // namespace

std::string list_fields(ListStyle style) {
    std::string out;
    if (style == ListStyle::json)
        out += '[';
    for (const FieldClass& group : field_classes()) {
        switch (style) {
        case ListStyle::text: append_text(out, group); break;
        case ListStyle::markdown: append_markdown(out, group); break;
        case ListStyle::json: append_json(out, group); break;
        }
    }
    if (style == ListStyle::json)
        out += "\n]\n";
    else if (out.starts_with('\n'))
        out.erase(0, 1);
    return out;
}

} // namespace tiercel::filter

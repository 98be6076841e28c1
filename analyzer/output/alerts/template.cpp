// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/template.h"

namespace tiercel::alerts {

namespace {

using filter::FieldPrint;
using filter::Plurality;
using filter::ValueType;

// A value as JSON has it. What is not a plain number or a truth value is the text that it prints
// as.
FieldValue value_of(filter::EventFields& event, std::uint32_t id) {
    const filter::ResolvedField& field = event.fields()[id];
    filter::Value single;
    const filter::Values values = event.fetch(id, single);
    if (!values.present)
        return std::monostate();
    const bool plain = values.count == 1 && field.info->print == FieldPrint::decimal;
    if (plain && field.type == ValueType::boolean)
        return values.first->number != 0;
    if (plain && field.type == ValueType::signed_number)
        return values.first->number;
    if (plain && field.type == ValueType::unsigned_number)
        return static_cast<std::uint64_t>(values.first->number);
    if (plain && field.type == ValueType::real)
        return values.first->real;
    std::string text;
    if (field.info->plurality != Plurality::list || !field.argument.key.empty()) {
        filter::append_values(field, values, text);
        return text;
    }
    std::vector<std::string> texts;
    for (const filter::Value& value : values.all())
        filter::append_values(field, filter::Values{true, &value, 1}, texts.emplace_back());
    return texts;
}

bool is_field_alone(const filter::Format& format) {
    return format.pieces().size() == 1 && format.pieces()[0].has_field &&
           format.pieces()[0].text.empty();
}

} // namespace

std::optional<AlertTemplate>
AlertTemplate::make(Alert fixed, const std::string& output,
                    const std::vector<std::pair<std::string, std::string>>& extra,
                    filter::Fields& fields, filter::Format::Problem& problem) {
    AlertTemplate made;
    made.fixed_ = std::move(fixed);
    std::optional<filter::Format> format = filter::Format::compile(output, fields, problem);
    if (!format)
        return std::nullopt;
    made.output_ = std::move(*format);
    for (const filter::Format::Piece& piece : made.output_.pieces()) {
        if (piece.has_field)
            made.listed_.emplace_back(piece.name, piece.field);
    }
    for (const auto& [name, text] : extra) {
        format = filter::Format::compile(text, fields, problem);
        if (!format)
            return std::nullopt;
        made.extra_.push_back({name, std::move(*format)});
    }
    return made;
}

Alert AlertTemplate::fill(filter::EventFields& event, std::uint64_t time_ns) const {
    Alert alert = fixed_;
    alert.time_ns = time_ns;
    if (const state::Thread* thread = event.context().thread)
        alert.container_id = thread->container_id.view();
    output_.render(event, alert.message);
    for (const auto& [name, id] : listed_)
        alert.fields.emplace_back(name, value_of(event, id));
    for (const Extra& extra : extra_) {
        if (is_field_alone(extra.format)) {
            alert.fields.emplace_back(extra.name, value_of(event, extra.format.pieces()[0].field));
        } else {
            std::string text;
            extra.format.render(event, text);
            alert.fields.emplace_back(extra.name, std::move(text));
        }
    }
    return alert;
}

} // namespace tiercel::alerts

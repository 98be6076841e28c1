// SPDX-License-Identifier: Apache-2.0
//
// Exceptions: completes their comparison operators, and writes them as conditions.
#include "analyzer/rules/exceptions.h"

#include "analyzer/language/ast.h"

namespace tiercel::rules {

namespace {

bool is_op(const Entry& comp) {
    filter::Op op;
    return !comp.is_list && filter::find_op(comp.word, op);
}

bool is_list_op(const Entry& comp) {
    filter::Op op;
    return filter::find_op(comp.word, op) && filter::takes_list(op);
}

// Quotes a value with blanks for the parser of conditions, unless it has quotes of its own.
std::string as_value(const std::string& word) {
    const bool quotes = word.find(' ') != std::string::npos && word[0] != '"' && word[0] != '\'';
    return quotes ? '"' + word + '"' : word;
}

std::string as_list(const Entry& value) {
    if (!value.is_list)
        return value.word.starts_with('(') ? value.word : '(' + as_value(value.word) + ')';
    std::string list = "(";
    for (const Entry& entry : value.entries) {
        if (list.size() > 1)
            list += ", ";
        list += as_value(entry.word);
    }
    return list + ')';
}

std::string comparison(const Entry& field, const Entry& comp, const Entry& value) {
    const bool list = value.is_list || is_list_op(comp);
    return field.word + ' ' + comp.word + ' ' + (list ? as_list(value) : as_value(value.word));
}

class Writer {
  public:
    Writer(const RuleDefinition& rule, Diagnostics& diagnostics)
        : subject_("rule '" + rule.name + "'"), diagnostics_(diagnostics) {}

    // Returns the exception as a condition; empty if it has no values.
    Text write(const ExceptionDefinition& exception) {
        return exception.fields.is_list ? write_tuples(exception) : write_single(exception);
    }

  private:
    void complain(const Place& place, const std::string& exception, const char* message) {
        diagnostics_.add(
            {Severity::error, place, 1, subject_, "exception '" + exception + "': " + message, {}});
    }

    // A single field with an operator that takes one value: one comparison for each value.
    Text write_alternatives(const ExceptionDefinition& exception) {
        Text text;
        for (const Entry& value : exception.values) {
            if (value.is_list) {
                complain(value.place, exception.name,
                         "a single field takes words as values, not lists");
                continue;
            }
            text.append(text.empty() ? "" : " or ", exception.place);
            text.append(comparison(exception.fields, exception.comps, value), value.place);
        }
        return text;
    }

    Text write_single(const ExceptionDefinition& exception) {
        if (!is_list_op(exception.comps))
            return write_alternatives(exception);
        Text text;
        for (const Entry& value : exception.values) {
            if (value.is_list) {
                complain(value.place, exception.name,
                         "a single field takes words as values, not lists");
                continue;
            }
            const std::string start = exception.fields.word + ' ' + exception.comps.word + " (";
            text.append(text.empty() ? start : ", ", exception.place);
            text.append(as_value(value.word), value.place);
        }
        if (!text.empty())
            text.append(")", exception.place);
        return text;
    }

    Text write_tuples(const ExceptionDefinition& exception) {
        Text text;
        for (const Entry& tuple : exception.values) {
            if (!tuple.is_list || tuple.entries.size() != exception.fields.entries.size()) {
                complain(tuple.place, exception.name,
                         "each tuple of values must be as long as the list of fields");
                continue;
            }
            text.append(text.empty() ? "(" : " or (", tuple.place);
            for (std::size_t i = 0; i < tuple.entries.size(); ++i) {
                if (i > 0)
                    text.append(" and ", tuple.place);
                const Entry& value = tuple.entries[i];
                text.append(
                    comparison(exception.fields.entries[i], exception.comps.entries[i], value),
                    value.place);
            }
            text.append(")", tuple.place);
        }
        return text;
    }

    std::string subject_;
    Diagnostics& diagnostics_;
};

// For a list of fields: one operator for each field, `=` by default.
const char* complete_tuple(ExceptionDefinition& exception) {
    if (!exception.comps.given()) {
        exception.comps.is_list = true;
        exception.comps.entries.assign(exception.fields.entries.size(),
                                       Entry{false, "=", {}, exception.place});
    }
    if (!exception.comps.is_list ||
        exception.comps.entries.size() != exception.fields.entries.size())
        return "fields and comps must be lists of the same length";
    for (const Entry& comp : exception.comps.entries) {
        if (!is_op(comp))
            return "comps has an unknown comparison operator";
    }
    return nullptr;
}

const char* complete_single(ExceptionDefinition& exception) {
    if (!exception.comps.given())
        exception.comps.word = "in";
    if (exception.comps.is_list)
        return "fields and comps must both be words or both be lists";
    return is_op(exception.comps) ? nullptr : "comps has an unknown comparison operator";
}

} // namespace

bool complete_exception(ExceptionDefinition& exception, const std::string& subject,
                        Diagnostics& diagnostics) {
    const char* wrong = nullptr;
    if (!exception.fields.given())
        wrong = "has no fields";
    else
        wrong = exception.fields.is_list ? complete_tuple(exception) : complete_single(exception);
    if (wrong == nullptr)
        return true;
    diagnostics.add({Severity::error,
                     exception.place,
                     1,
                     subject,
                     "exception '" + exception.name + "': " + wrong,
                     {}});
    return false;
}

Text condition_with_exceptions(const RuleDefinition& rule, Diagnostics& diagnostics) {
    if (rule.exceptions.empty())
        return rule.condition;
    Writer writer(rule, diagnostics);
    Text whole;
    whole.append("(", rule.place);
    whole.append(rule.condition);
    whole.append(")", rule.place);
    for (const ExceptionDefinition& exception : rule.exceptions) {
        const Text condition = writer.write(exception);
        if (condition.empty())
            continue;
        whole.append(" and not (", exception.place);
        whole.append(condition);
        whole.append(")", exception.place);
    }
    return whole;
}

} // namespace tiercel::rules

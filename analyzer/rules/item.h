// SPDX-License-Identifier: Apache-2.0
//
// ItemView: one item of a rule file (a list, a macro, a rule) while it is read
//
// The take_…() functions return the value of a key in a certain form, and report an error with the
// item's name if it has another form. After an error good() is false, and the item is dropped.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/rules/definition.h"
#include "analyzer/rules/diagnostic.h"

namespace tiercel::rules {

class ItemView {
  public:
    ItemView(const Sources& sources, std::uint32_t file, const config::DocumentNode& node,
             std::string subject, Diagnostics& diagnostics)
        : sources_(sources), file_(file), node_(node), subject_(std::move(subject)),
          diagnostics_(diagnostics) {}

    bool has(std::string_view key) const { return node_.find(key) != nullptr; }
    bool good() const { return good_; }
    const std::string& subject() const { return subject_; }
    const config::DocumentNode& node() const { return node_; }
    Place place() const { return place_of(file_, node_.mark); }
    Place place_of_key(std::string_view key) const;

    // A word. With `required`, its absence is an error.
    std::optional<std::string> take_word(std::string_view key, bool required);
    // A word that names something; it is required, and has at most kLongestName bytes.
    std::optional<std::string> take_name(std::string_view key);
    std::optional<bool> take_flag(std::string_view key);
    std::optional<std::uint64_t> take_number(std::string_view key);
    std::optional<Text> take_text(std::string_view key, bool required);
    std::optional<std::vector<Item>> take_items(std::string_view key, bool required);
    std::optional<Priority> take_priority(bool required);
    std::vector<std::string> take_tags();
    std::vector<ExceptionDefinition> take_exceptions(bool appending);

    void warn_unknown_keys(std::initializer_list<std::string_view> known);
    void complain(const Place& place, std::string message, std::string hint = {});
    void warn(const Place& place, std::string message, std::string hint = {});

  private:
    const config::DocumentNode* scalar(std::string_view key, bool required);
    Entry entry_of(const config::DocumentNode& node);
    std::optional<ExceptionDefinition> exception_of(const config::DocumentNode& node,
                                                    bool appending);

    const Sources& sources_;
    std::uint32_t file_;
    const config::DocumentNode& node_;
    std::string subject_;
    Diagnostics& diagnostics_;
    bool good_ = true;
};

} // namespace tiercel::rules

// SPDX-License-Identifier: Apache-2.0
//
// Format: a template of text and fields
//
// The outputs of rules are such templates: "File %fd.name opened by %proc.name (%proc.aname[2])". A
// transformer may stand in place of a field: "%toupper(proc.name)". A Format is compiled once and
// rendered for each event. One thread at a time may render a Format and its copies.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/fields/fields.h"

namespace tiercel::filter {

class Format {
  public:
    struct Computed; // a transformer and its state
    struct Piece {
        std::string text; // before the field, or at the end of the template
        bool has_field = false;
        std::uint32_t field = 0;            // in Fields
        std::string name;                   // as written, without '%'
        std::shared_ptr<Computed> computed; // a transformer in place of a field; may be null
    };
    struct Problem {
        std::size_t offset = 0; // in the template
        std::string message;
        std::string hint;
    };

    // Returns nothing if no field follows a '%'; "%%" is a '%'. A leading '*' is removed: in Falco
    // it prints lines with missing values too, and here missing values are always "<NA>".
    // %container.info, which Falco no longer has, stands for the container's id and name.
    static std::optional<Format> compile(std::string_view text, Fields& fields, Problem& problem);

    // Appends the text for the event. Returns false if a field has no value.
    bool render(EventFields& event, std::string& out) const;
    const std::vector<Piece>& pieces() const { return pieces_; }
    // Returns true if the template contains %container.info.
    bool has_container_info() const { return has_container_info_; }

  private:
    void add(Piece& piece);

    std::vector<Piece> pieces_;
    bool has_container_info_ = false;
};

} // namespace tiercel::filter

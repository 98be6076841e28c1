// SPDX-License-Identifier: Apache-2.0
//
// Format: a template of text and fields, as rules' outputs have them: "File %fd.name opened by
// %proc.name (%proc.aname[2])". Made once, rendered for each event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/fields/fields.h"

namespace tiercel::filter {

class Format {
  public:
    struct Piece {
        std::string text; // before the field; or all that is left, without one
        bool has_field = false;
        std::uint32_t field = 0; // in Fields
        std::string name;        // as written, without '%'
    };
    struct Problem {
        std::size_t offset = 0; // in the template
        std::string message;
        std::string hint;
    };

    // Nothing when a '%' is followed by no field; "%%" is a '%'. A leading '*' of Falco's, which
    // asks to print lines with missing values too, is taken off: missing values are always "<NA>"
    // here.
    static std::optional<Format> compile(std::string_view text, Fields& fields, Problem& problem);

    // Appends the text for the event. False: at least one field has no value.
    bool render(EventFields& event, std::string& out) const;
    const std::vector<Piece>& pieces() const { return pieces_; }

  private:
    std::vector<Piece> pieces_;
};

} // namespace tiercel::filter

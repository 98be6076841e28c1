// SPDX-License-Identifier: Apache-2.0
//
// AlertTemplate: how a rule's alerts are made from events: its output as a Format, and the fields
// that JSON lists, each with its value's own type.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/fields/format.h"
#include "analyzer/output/alerts/alert.h"

namespace tiercel::alerts {

class AlertTemplate {
  public:
    // What all alerts of a rule have in common stands in `fixed`; `extra` are fields for JSON only,
    // by name and format. A format that is one field alone gives that field's value, anything else
    // a text.
    static std::optional<AlertTemplate>
    make(Alert fixed, const std::string& output,
         const std::vector<std::pair<std::string, std::string>>& extra, filter::Fields& fields,
         filter::Format::Problem& problem);

    Alert fill(filter::EventFields& event, std::uint64_t time_ns) const;

  private:
    struct Extra {
        std::string name;
        filter::Format format;
    };
    Alert fixed_;
    filter::Format output_;
    std::vector<std::pair<std::string, std::uint32_t>> listed_; // the output's fields
    std::vector<Extra> extra_;
};

} // namespace tiercel::alerts

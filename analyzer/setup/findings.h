// SPDX-License-Identifier: Apache-2.0
//
// Findings: the errors and warnings about configuration, rules and options, which are printed
// together as text or as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyzer/config/settings.h"
#include "analyzer/rules/condition.h"
#include "analyzer/rules/ruleset.h"

namespace tiercel::app {

class Findings {
  public:
    // Adds those of a configuration file, whose text shows the line, or of a -o option.
    void add(std::string name, std::string text,
             const std::vector<config::SettingsProblem>& problems);
    // Adds those of a condition on the command line.
    void add(std::string name, std::string condition,
             const std::vector<filter::Condition::Problem>& problems);
    // Adds those of rule files, without notes.
    void add(rules::Sources sources, const rules::Diagnostics& diagnostics);
    // Adds one about something that has no text of its own.
    void add(rules::Severity severity, std::string name, std::string message);
    void add_error(std::string name, std::string message) {
        add(rules::Severity::error, std::move(name), std::move(message));
    }

    std::size_t count(rules::Severity severity) const;
    bool good() const { return count(rules::Severity::error) == 0; }

    // Returns them as compilers print them (rules/diagnostic.h). Warnings are left out if `level`
    // is more severe.
    std::string text(config::Priority level = config::Priority::debug) const;
    // {"valid":false,"errors":1,"warnings":0,"diagnostics":[{"severity":"error","file":"x.yaml",
    //  "line":3,"column":14,"subject":"rule 'X'","message":"…","hint":"…","snippet":"…"}]}
    std::string json() const;

  private:
    struct Group {
        rules::Sources sources;
        rules::Diagnostics diagnostics;
    };
    std::vector<Group> groups_;
};

} // namespace tiercel::app

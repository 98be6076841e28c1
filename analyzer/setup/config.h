// SPDX-License-Identifier: Apache-2.0
//
// Config: the whole configuration of one session. make_config() makes it from the command line and
// the configuration file, and is the only place that knows which of the two has precedence.
// Everything else takes a `const Config&`.
#pragma once

#include "analyzer/config/settings.h"
#include "analyzer/setup/command_line.h"
#include "analyzer/setup/findings.h"

namespace tiercel::app {

struct Config : SessionOptions {
    Form form = Form::text;
    std::string replay;            // a capture; "-": standard input; empty: the events are live
    bool rules_must_exist = false; // the rules were named by -r, not by rules_files
    bool check_only = false;       // -V: files with macros and lists alone are right
    bool drop_failed = false;      // drop_failed_exit of the session's driver
    // The keys of analyzer.yaml, after -o and the options that mean the same as a key.
    config::Settings settings;

    bool is_json() const { return form == Form::json; }
    bool asks_for_rules() const { return !settings.rules_files.empty(); }
};

// Later ones win: the defaults, the files of -c, each -o in order, the other options. Adds to
// `findings` everything that is wrong; the result is then not to be used for a session.
Config make_config(const CommandLine& given, Findings& findings);

} // namespace tiercel::app

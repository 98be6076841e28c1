// SPDX-License-Identifier: Apache-2.0
//
// Descriptors: decides which open files the tables have to follow. Following all of them takes an
// event for each open and each close of a machine. Most rules look at files that their event has
// just opened, or at sockets, so that it suffices to follow sockets and directories: each way by
// which a descriptor becomes one of these gives an event. Where a descriptor stops being one,
// nothing tells; but the kernel says in time that it is none:
//   - a call on sockets fails with EBADF or ENOTSOCK, a lookup that starts at a descriptor with
//     ENOTDIR;
//   - the filter looks at the file that a dup has copied;
//   - the probe tells the file of a descriptor before an event whose output shows it.
// A rule for which that is not enough has all files followed.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "analyzer/prefilter/box.h"
#include "analyzer/prefilter/calls.h"
#include "analyzer/prefilter/conditions.h"
#include "analyzer/rules/ruleset.h"

namespace tiercel::prefilter {

class Descriptors {
  public:
    static constexpr std::uint8_t kFollowed =
        TIERCEL_FILE_TCP | TIERCEL_FILE_SOCKET | TIERCEL_FILE_DIRECTORY;

    // All must outlive this object.
    Descriptors(const rules::RuleSet& rules, const Conditions& conditions,
                const filter::Fields& fields);

    // Returns those of the rule's calls that have to pass; `boxes` are all for which it may hold.
    Boxes restrict(filter::RuleId rule, const Call& call, Boxes boxes);
    // Returns those of the calls that the tables need if they follow sockets and directories.
    static Boxes needed(const Call& call, const Boxes& boxes);
    // Call with all that passes of a kind of event, after its rules.
    void finish(const Call& call, const Boxes& all);

    // The rule that needs all files; empty if there is none.
    const std::string& needs_all() const { return needs_all_; }
    // The arguments whose files are told before the event, one bit each.
    std::uint8_t told(std::uint16_t code) const { return told_[code]; }

  private:
    struct Looks {
        bool file = false;     // at the event's descriptor
        bool table = false;    // at all descriptors of the process, or at fixed ones
        std::uint8_t told = 0; // at these arguments
        void add(const Looks& other);
    };
    Looks looks_at(const filter::ResolvedField& field, const Call& call, bool in_output) const;
    Looks looks_of_slot(filter::SlotId slot, const Call& call) const;
    Looks looks_of_output(filter::RuleId rule, const Call& call) const;
    bool may_hold_elsewhere(filter::NodeId condition, const Call& call) const;
    Boxes restrict_condition(filter::RuleId rule, const Call& call, Boxes boxes);

    const rules::RuleSet& rules_;
    const Conditions& conditions_;
    const filter::Fields& fields_;
    filter::Fields output_fields_;
    struct Output {
        std::vector<std::uint32_t> fields; // in output_fields_
        bool computed = false;             // by transformers
    };
    std::vector<Output> outputs_;
    std::array<std::uint8_t, event::kCodeLimit> told_{};
    std::array<bool, event::kCodeLimit> restricted_{};
    std::string needs_all_;
};

} // namespace tiercel::prefilter

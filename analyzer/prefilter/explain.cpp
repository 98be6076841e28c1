// SPDX-License-Identifier: Apache-2.0
#include "analyzer/prefilter/explain.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "shared/escape/escape.h"

namespace tiercel::prefilter {

namespace {

constexpr std::size_t kNamedRules = 3; // of each row, in text

std::string error_name(unsigned error) {
    const char* name = strerrorname_np(static_cast<int>(error));
    return name != nullptr ? name : std::to_string(error);
}

std::string describe_errors(const Box& box) {
    if (box.errors == Box().errors)
        return "failed";
    std::string names;
    for (unsigned error = 1; error < Box::kErrors; ++error)
        if ((box.errors[error / 64] >> error % 64 & 1) != 0)
            names += (names.empty() ? "" : ", ") + (error + 1 == Box::kErrors
                                                        ? std::to_string(error) + " or a larger one"
                                                        : error_name(error));
    const Box few = Box::of_failure();
    unsigned missing = 0;
    for (std::size_t i = 0; i < few.errors.size(); ++i)
        missing += static_cast<unsigned>(__builtin_popcountll(few.errors[i] & ~box.errors[i]));
    return missing <= 8 ? "failed with most errors" : "failed with " + names;
}

// Empty if the result does not matter.
std::string describe_result(const Box& box) {
    if (box.succeeded && box.errors == Box().errors)
        return "";
    if (box.succeeded)
        return box.has_errors() ? "succeeded or " + describe_errors(box) : "succeeded";
    return describe_errors(box);
}

std::string describe_values(const Box::Values& values) {
    std::string list;
    for (unsigned value = 0; value < Box::kValues; ++value)
        if ((values.in_set >> value & 1) != 0)
            list += (list.empty() ? "" : ", ") + std::to_string(value) +
                    (value + 1 == Box::kValues ? " or larger" : "");
    const std::string masked =
        values.mask == UINT32_MAX ? "" : fmt::format(" under the mask {:#x}", values.mask);
    return fmt::format("argument {}{} is {}", values.argument, masked, list);
}

std::string describe_files(const Box::Files& files) {
    constexpr std::pair<std::uint8_t, std::string_view> kNames[] = {
        {TIERCEL_FILE_TCP, "a TCP socket"},
        {TIERCEL_FILE_SOCKET, "another socket"},
        {TIERCEL_FILE_DIRECTORY, "a directory"},
        {TIERCEL_FILE_OTHER, "another file"}};
    if (files.kinds == (TIERCEL_FILE_KINDS & ~TIERCEL_FILE_TCP))
        return "not on a TCP socket";
    std::string list;
    for (const auto& [kind, name] : kNames)
        if ((files.kinds & kind) != 0)
            list += (list.empty() ? "" : " or ") + std::string(name);
    return (files.argument == TIERCEL_RETURNED ? "gave " : "on ") + list;
}

nlohmann::ordered_json to_json(const Wish& wish, const rules::RuleSet& rules) {
    nlohmann::ordered_json made{{"event", event::find(wish.code)->name},
                                {"passes", nlohmann::ordered_json::array()}};
    for (const Wish::Pass& pass : wish.passes) {
        nlohmann::ordered_json asked = nlohmann::ordered_json::array();
        for (const filter::RuleId rule : pass.rules)
            asked.push_back(escape::as_utf8(rules.rules[rule].name));
        made["passes"].push_back({{"if", escape::as_utf8(describe(pass.calls))},
                                  {"tables", pass.tables},
                                  {"rules", asked}});
    }
    return made;
}

std::string asked_by(const Wish::Pass& pass, const rules::RuleSet& rules) {
    std::string text = pass.tables ? "tables" : "";
    std::size_t named = 0;
    for (const filter::RuleId rule : pass.rules) {
        if (named++ == kNamedRules)
            return text + fmt::format(" and {} more rules", pass.rules.size() - kNamedRules);
        text += (text.empty() ? "\"" : ", \"") + escape::as_text(rules.rules[rule].name) + '"';
    }
    return text;
}

} // namespace

std::string describe(const Box& box) {
    if (box.is_everything())
        return "always";
    std::string text = describe_result(box);
    const auto add = [&text](const std::string& part) {
        text += (text.empty() ? "" : ", ") + part;
    };
    if (box.values.argument != Box::kNoArgument)
        add(describe_values(box.values));
    if (box.files.argument != Box::kNoArgument)
        add(describe_files(box.files));
    if (box.text.argument != Box::kNoArgument)
        add(fmt::format("the path contains \"{}\"", box.text.contains));
    return text;
}

std::string explain(const Compiled& compiled, const rules::RuleSet& rules, bool json) {
    if (json) {
        nlohmann::ordered_json events = nlohmann::ordered_json::array();
        for (const Wish& wish : compiled.wishes)
            events.push_back(to_json(wish, rules));
        nlohmann::ordered_json made{{"filtered", compiled.off.empty()}};
        if (!compiled.off.empty())
            made["reason"] = compiled.off;
        if (compiled.needs_all_files.empty())
            made["followed_files"] = "sockets and directories";
        else
            made["followed_files"] = "all, because of " + escape::as_utf8(compiled.needs_all_files);
        made["events"] = std::move(events);
        escape::Buffer out;
        escape::append_made_json(out, made.dump());
        return fmt::to_string(out) + '\n';
    }
    std::string text;
    if (!compiled.off.empty())
        return "Nothing is filtered in the kernel: " + compiled.off + ".\n";
    if (!compiled.needs_all_files.empty())
        text = "All open files are followed because of \"" +
               escape::as_text(compiled.needs_all_files) + "\".\n";
    text += fmt::format("{:<20} {:<52} {}\n", "EVENT", "LEAVES THE KERNEL IF", "ASKED FOR BY");
    for (const Wish& wish : compiled.wishes) {
        const std::string_view name = event::find(wish.code)->name;
        if (wish.passes.empty())
            text += fmt::format("{:<20} {}\n", name, "never");
        for (const Wish::Pass& pass : wish.passes)
            text += fmt::format("{:<20} {:<52} {}\n", &pass == wish.passes.data() ? name : "",
                                escape::as_text(describe(pass.calls)), asked_by(pass, rules));
    }
    return text;
}

} // namespace tiercel::prefilter

// SPDX-License-Identifier: Apache-2.0
//
// Config: what courier.yaml asks for, checked. The file is the administrator's; it is read before
// the sandbox is entered, and never again.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiercel::courier {

// The destinations of destinations.def, in its order.
enum class Kind : std::uint8_t {
#define DESTINATION(id, ...) id,
#include "courier/config/destinations.def"
#undef DESTINATION
};

// The values of one destination's keys. Every key of its type has a value, which fits its form.
class Options {
  public:
    Kind kind = Kind::http;
    std::string name;

    const std::string& text(std::string_view key) const;
    bool flag(std::string_view key) const;
    std::uint64_t number(std::string_view key) const; // whole; bytes of `bytes`, seconds of `span`
    std::vector<std::string> list(std::string_view key) const;
    void set(std::string_view key, std::string value) {
        values_[std::string(key)] = std::move(value);
    }
    bool has(std::string_view key) const { return values_.contains(key); }

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

struct Config {
    Options courier; // the keys of the whole courier
    std::vector<Options> destinations;
};

// Reads the text of a courier.yaml into `config`. Returns what is wrong with it, "line 3: …" for
// each fault; nothing if all is well.
std::vector<std::string> read_config(std::string_view text, Config& config);

// Reads Falco's http_output from the text of a falco.yaml or analyzer.yaml. If the text enables it,
// adds the destination "http_output". Other keys of the text are left to the analyzer.
std::vector<std::string> read_falco_config(std::string_view text, Config& config);

// Returns which of the files that these keys name cannot be read; empty: none.
std::string unreadable_file(const Options& options, std::initializer_list<const char*> keys);

// Returns whether the URL's host is this machine.
bool is_local(std::string_view url);

} // namespace tiercel::courier

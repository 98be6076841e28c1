// SPDX-License-Identifier: Apache-2.0
//
// Sources: the text of the rule files, so that an error can show its line. Text: a string from
// these files with the place of each character
//
// YAML folds lines and removes quotes, and other files append to conditions. So an offset into a
// condition has to be turned into a Place before a person can use it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/document/document.h"

namespace tiercel::rules {

struct Place {
    std::uint32_t file = 0; // index into Sources
    std::uint32_t line = 0; // from 1; 0: the file as a whole
    std::uint32_t column = 0;
};

class Sources {
  public:
    std::uint32_t add(std::string name, std::string text);

    const std::string& name(std::uint32_t file) const { return files_[file].name; }
    const std::string& text(std::uint32_t file) const { return files_[file].text; }
    std::size_t size() const { return files_.size(); }
    // Line `line` without its end; empty when there is none.
    std::string_view line(const Place& place) const;
    // Offset of a place into its file's text.
    std::size_t offset(const Place& place) const;

  private:
    struct File {
        std::string name;
        std::string text;
        std::vector<std::size_t> line_starts;
    };
    std::vector<File> files_;
};

Place place_of(std::uint32_t file, const config::Mark& mark);

class Text {
  public:
    const std::string& str() const { return text_; }
    bool empty() const { return text_.empty(); }
    // Adds the scalar `node` of `file`.
    void append(const Sources& sources, std::uint32_t file, const config::DocumentNode& node);
    // Adds text that is in no file; errors in it point at `place`.
    void append(std::string_view text, const Place& place);
    void append(const Text& other);
    void trim();
    Place at(std::size_t offset) const;

  private:
    std::string text_;
    std::vector<Place> places_; // of each character
};

} // namespace tiercel::rules

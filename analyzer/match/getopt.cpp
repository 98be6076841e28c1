// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/getopt.h"

#include <optional>

namespace tiercel::filter {

namespace {

class Search {
  public:
    Search(const std::vector<std::string_view>& arguments, std::string_view options, char letter,
           std::vector<std::string_view>& found)
        : arguments_(arguments), options_(options), letter_(letter), found_(found) {}

    void run() {
        found_.clear();
        for (; at_ < arguments_.size(); ++at_) {
            const std::string_view argument = arguments_[at_];
            if (argument.size() < 2 || argument[0] != '-' || argument == "--")
                break;
            if (argument[1] != '-')
                take_cluster(argument);
        }
    }

  private:
    // Takes the options of one argument such as "-lpe".
    void take_cluster(std::string_view argument) {
        for (std::size_t i = 1; i < argument.size(); ++i) {
            const std::size_t known =
                argument[i] == ':' ? std::string_view::npos : options_.find(argument[i]);
            if (known == std::string_view::npos) {
                if (letter_ == '\0')
                    found_.emplace_back("?");
                continue;
            }
            const bool takes_value = known + 1 < options_.size() && options_[known + 1] == ':';
            if (!takes_value) {
                add(argument.substr(i, 1), std::nullopt);
                continue;
            }
            if (i + 1 < argument.size())
                add(argument.substr(i, 1), argument.substr(i + 1));
            else if (at_ + 1 < arguments_.size())
                add(argument.substr(i, 1), arguments_[++at_]);
            else if (letter_ == '\0' || letter_ == argument[i])
                set({}, std::nullopt);
            return;
        }
    }

    void add(std::string_view option, std::optional<std::string_view> value) {
        if (letter_ == '\0' || letter_ == option[0])
            set(option, value);
    }

    void set(std::string_view option, std::optional<std::string_view> value) {
        if (letter_ != '\0') {
            found_.assign(1, value.value_or(option));
            return;
        }
        found_.push_back(option);
        if (value)
            found_.push_back(*value);
    }

    const std::vector<std::string_view>& arguments_;
    std::string_view options_;
    char letter_;
    std::size_t at_ = 0;
    std::vector<std::string_view>& found_;
};

} // namespace

void find_options(const std::vector<std::string_view>& arguments, std::string_view options,
                  char letter, std::vector<std::string_view>& found) {
    Search(arguments, options, letter, found).run();
}

} // namespace tiercel::filter

// SPDX-License-Identifier: Apache-2.0
//
// find_options(): the short options among the arguments of a program, as getopt(3) finds them and
// as Falco's transformer getopt() gives them.
#pragma once

#include <string_view>
#include <vector>

namespace tiercel::filter {

// `options` is as in getopt(3): letters, with ':' after those that take a value. Stores in `found`
// each option ("?" for one that is not among `options`) and its value after it; an option that
// lacks its value gives an empty text. With a `letter` other than 0, `found` is the last value of
// that option, or the option itself if it takes none, or empty if it is absent. Long options are
// skipped. The first argument that is no option ends the search. The results are views into the
// arguments.
void find_options(const std::vector<std::string_view>& arguments, std::string_view options,
                  char letter, std::vector<std::string_view>& found);

} // namespace tiercel::filter

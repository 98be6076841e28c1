// SPDX-License-Identifier: Apache-2.0
//
// Implements the choice among libbpf's warnings. libbpf prints the verifier's log as one warning,
// whose arguments are the program's name and the log, after the warning that the load failed.
#include "privd/drivers/complaint.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace tiercel::privd {

namespace {

struct Room {
    char* text = nullptr;
    std::size_t bytes = 0;
};

Room room; // libbpf calls back without a context

bool is_statistics(std::string_view line) {
    for (std::string_view beginning :
         {"processed ", "verification time ", "stack depth ", "max_states_per_insn ", "-- END"})
        if (line.starts_with(beginning))
            return true;
    return false;
}

// A newline would break the journal's line in two.
void strip(char* text) {
    for (char* end = text + strlen(text); end > text && end[-1] == '\n'; --end)
        end[-1] = '\0';
    for (char* c = text; *c != '\0'; ++c)
        if (*c == '\n')
            *c = ' ';
}

void add_verdict(const char* program, const char* log) {
    const char* line = nullptr;
    std::size_t length = last_verdict(log, line);
    std::size_t used = strlen(room.text);
    if (length > 0)
        snprintf(room.text + used, room.bytes - used, "; the verifier says of %s: %.*s", program,
                 static_cast<int>(length), line);
}

int keep(libbpf_print_level level, const char* format, va_list arguments) {
    if (level != LIBBPF_WARN || room.text == nullptr)
        return 0;
    if (std::string_view(format).starts_with("libbpf: prog '%s': -- BEGIN PROG LOAD LOG --\n%s")) {
        const char* program = va_arg(arguments, const char*);
        const char* log = va_arg(arguments, const char*);
        add_verdict(program, log);
    } else if (room.text[0] == '\0') {
        vsnprintf(room.text, room.bytes, format, arguments);
        strip(room.text);
    }
    return 0;
}

} // namespace

std::size_t last_verdict(const char* log, const char*& line) {
    std::string_view rest = log;
    while (!rest.empty()) {
        while (rest.ends_with('\n'))
            rest.remove_suffix(1);
        std::size_t begin = rest.rfind('\n');
        std::string_view last = rest.substr(begin == std::string_view::npos ? 0 : begin + 1);
        if (!last.empty() && !is_statistics(last)) {
            line = last.data();
            return last.size();
        }
        rest.remove_suffix(last.size());
    }
    return 0;
}

void keep_complaint(char* text, std::size_t bytes) {
    room = {text, bytes};
    text[0] = '\0';
    libbpf_set_print(keep);
}

} // namespace tiercel::privd

// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/event_printer.h"

#include <unistd.h>

namespace tiercel::app {

EventPrinter::EventPrinter(const Options& options, Setup& setup)
    : options_(options), setup_(setup), selection_(options.syscalls), out_(STDOUT_FILENO),
      line_(output::wants_colour(STDOUT_FILENO)) {}

bool EventPrinter::show(const Pipeline::Event& event) {
    if (!selection_.shows(event.view) ||
        (setup_.filter && !setup_.filter->holds(event.view, event.fields)))
        return true;
    const output::Shown shown{event.number, event.view, event.cpu, event.state};
    if (options_.form == Options::Form::json)
        json_.append(out_.buffer(), shown);
    else
        line_.append(out_.buffer(), shown);
    out_.line_done();
    return ++shown_ != options_.count && out_.error() == 0;
}

} // namespace tiercel::app

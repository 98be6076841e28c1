// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/observer.h"

#include <cerrno>

namespace tiercel::app {

Observer::Outcome end_output(output::Writer& out) {
    out.flush();
    if (out.error() == 0)
        return Observer::Outcome::good;
    if (out.error() == EPIPE)
        return Observer::Outcome::reader_gone;
    os::print("analyzer", os::error("write", "to standard output", out.error()), "");
    return Observer::Outcome::failed;
}

} // namespace tiercel::app

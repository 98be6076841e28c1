// SPDX-License-Identifier: Apache-2.0
#include "analyzer/report/page.h"

#include "analyzer/output/append.h"

namespace tiercel::report {

void append_page(output::Buffer& out, const Summary& summary, const Facts& facts) {
    output::append(out, kPageHead);
    append_json(out, summary, facts);
    output::append(out, kPageTail);
}

} // namespace tiercel::report

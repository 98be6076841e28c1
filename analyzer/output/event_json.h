// SPDX-License-Identifier: Apache-2.0
//
// EventJson prints an event as one JSON object on one line, always valid UTF-8:
//   {"evt.num":1,"evt.time":1700000000000000000,"evt.time.iso8601":"2023-11-14T22:13:20.000000000Z",
//    "evt.cpu":0,"evt.type":"openat","evt.category":"file","proc.name":"cat","proc.pid":2077,
//    "thread.tid":2077,"fd.name":"/etc/passwd","params":{"fd":3,…}}
// json_keys.def lists the keys; value_json.h describes the values of the parameters.
#pragma once

#include "analyzer/output/event_line.h"

namespace tiercel::output {

class EventJson {
  public:
    // Appends the object, newline included.
    void append(Buffer& out, const Shown& shown);

  private:
    void append_time(Buffer& out, std::uint64_t ts);

    std::uint64_t second_ = ~0ULL; // the second whose date is in date_
    char date_[32] = "";           // "2023-11-14T22:13:20"
};

} // namespace tiercel::output

// SPDX-License-Identifier: Apache-2.0
//
// One parameter's value as JSON, typed:
//   numbers, results, fds, pids, ids, times (ns)   number
//   flags                 {"value":1,"names":["O_RDONLY"]}
//   enumerations, signals, syscalls   {"value":9,"name":"SIGKILL"}; without name where there is
//   none text, texts           string, array of strings bytes                 string when they are
//   UTF-8 without NUL, otherwise {"base64":"…"} addresses {"family":"ipv4","ip":"…","port":…},
//   {"family":"ipv4","source":{…},"destination":{…}},
//                         {"family":"unix","path":"…"}
//   fd lists              [{"fd":3,"events":1}]
//   no value              null
#pragma once

#include "analyzer/output/param.h"
#include "analyzer/output/writer.h"

namespace tiercel::output {

void append_json_value(Buffer& out, const Param& param);

} // namespace tiercel::output

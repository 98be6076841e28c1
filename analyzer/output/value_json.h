// SPDX-License-Identifier: Apache-2.0
//
// Prints one parameter's value as JSON:
//
//   numbers, results, ids, times in ns   a number
//   flags                                {"value":1,"names":["O_RDONLY"]}
//   enumerations, signals, syscalls      {"value":9,"name":"SIGKILL"}; unnamed: {"value":9}
//   text, texts                          a string, an array of strings
//   bytes                                a string if UTF-8 without NUL, else {"base64":"…"}
//   addresses                            {"family":"ipv4","ip":"…","port":…}
//   tuples                               {"family":"ipv4","source":{…},"destination":{…}}
//   unix addresses and tuples            {"family":"unix","path":"…"}
//   fd lists                             [{"fd":3,"events":1}]
//   no value                             null
#pragma once

#include "analyzer/output/param.h"
#include "analyzer/output/writer.h"

namespace tiercel::output {

void append_json_value(Buffer& out, const Param& param);

} // namespace tiercel::output

# SPDX-License-Identifier: Apache-2.0
#
# tiercel_embed_page(VARIABLE DIRECTORY): makes a C++ source of DIRECTORY/page.html, live.html, page.css and page.js, and puts
# its name into VARIABLE. The source defines kPageHead, kPageTail, kLiveHead and kLiveTail (page.h): the pages before and
# after their data. In a page, @STYLE@ and @PROGRAM@ stand for the other two files, @STYLE_HASH@ and @PROGRAM_HASH@ for their SHA-256 as
# Content-Security-Policy takes it, and @DATA@ for the data. Run as a script, this file writes that source.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(TIERCEL_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(tiercel_embed_page variable directory)
    set(made ${CMAKE_CURRENT_BINARY_DIR}/${variable}.cpp)
    set(from ${CMAKE_CURRENT_SOURCE_DIR}/${directory})
    add_custom_command(OUTPUT ${made}
      COMMAND ${CMAKE_COMMAND} -DFROM=${from} -DINTO=${made} -P ${TIERCEL_EMBED_SCRIPT}
      DEPENDS ${from}/page.html ${from}/live.html ${from}/page.css ${from}/page.js ${TIERCEL_EMBED_SCRIPT}
      COMMENT "Embedding ${directory}" VERBATIM)
    set(${variable} ${made} PARENT_SCOPE)
  endfunction()
  return()
endif()

# base64_of_hash(VARIABLE TEXT): the base64 of the text's SHA-256, whose 32 bytes are ten groups of three and two bytes.
function(base64_of_hash variable text)
  set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(SHA256 hex "${text}")
  string(APPEND hex "00")
  set(base64 "")
  foreach(group RANGE 10)
    math(EXPR at "${group} * 6")
    string(SUBSTRING ${hex} ${at} 6 digits)
    foreach(shift IN ITEMS 18 12 6 0)
      math(EXPR index "(0x${digits} >> ${shift}) & 63")
      string(SUBSTRING ${alphabet} ${index} 1 letter)
      string(APPEND base64 ${letter})
    endforeach()
  endforeach()
  string(SUBSTRING ${base64} 0 43 base64)
  set(${variable} "${base64}=" PARENT_SCOPE)
endfunction()

# split_page(FILE HEAD TAIL): fills the page in, and sets its parts before and after its data.
function(split_page file head tail)
  file(READ ${FROM}/${file} page)
  string(REPLACE "@STYLE_HASH@" "${style_hash}" page "${page}")
  string(REPLACE "@PROGRAM_HASH@" "${program_hash}" page "${page}")
  string(REPLACE "@STYLE@" "${style}" page "${page}")
  string(REPLACE "@PROGRAM@" "${program}" page "${page}")
  string(FIND "${page}" "@DATA@" at)
  math(EXPR after "${at} + 6")
  string(SUBSTRING "${page}" 0 ${at} before)
  string(SUBSTRING "${page}" ${after} -1 rest)
  set(${head} "${before}" PARENT_SCOPE)
  set(${tail} "${rest}" PARENT_SCOPE)
endfunction()

file(READ ${FROM}/page.css style)
file(READ ${FROM}/page.js program)
base64_of_hash(style_hash "${style}")
base64_of_hash(program_hash "${program}")
split_page(page.html head tail)
split_page(live.html live_head live_tail)
file(WRITE ${INTO} "// Made by EmbedPage.cmake.
#include \"analyzer/report/page.h\"

namespace tiercel::report {
extern const std::string_view kPageHead = R\"page(${head})page\";
extern const std::string_view kPageTail = R\"page(${tail})page\";
extern const std::string_view kLiveHead = R\"page(${live_head})page\";
extern const std::string_view kLiveTail = R\"page(${live_tail})page\";
} // namespace tiercel::report
")

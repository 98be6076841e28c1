# SPDX-License-Identifier: Apache-2.0
#
# page: fills a page's template from a program's --help, so that the two cannot differ.
#
# Usage: PROGRAM --help | awk -f page.awk -v version=VERSION -v name=NAME - TEMPLATE
#
# The template's lines @NAME@, @SYNOPSIS@, @OPTIONS@ and @CLOSING@ are replaced. In --help the first line is
# `NAME [VERSION]: what it does`; usage lines begin with `usage:` or blanks and the program's name; a line at the
# margin that ends in a colon is a heading; options and subcommands begin at the margin with `-` or after two
# blanks, and so does what a NAME in capitals stands for; what is indented further goes on; any other line at the margin closes, `Word: text` beginning a paragraph.

function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}

function add_option(line,    gap, term, text) {
    sub(/^  /, "", line)
    gap = match(line, /  +/)
    if (!gap && match(line, /^--[a-z-]+ /)) gap = RLENGTH # the longest option, one blank from its text
    term = gap ? substr(line, 1, gap - 1) : line
    text = gap ? substr(line, gap) : ""
    sub(/^ +/, "", text)
    sub(/ \[ /, ", ", term)
    sub(/ \]$/, "", term)
    sub(/ $/, "", term)
    options = options ".TP\n.B " roff(term) "\n" roff(text) "\n"
    last = "option"
}

NR == FNR && NR == 1 {
    sub(/^[^:]*: */, "")
    what = $0
    next
}
NR == FNR && ($0 ~ /^usage: / || $0 ~ "^ +" name " ") {
    sub(/^usage: /, "")
    sub(/^ +/, "")
    synopsis = synopsis roff($0) "\n"
    next
}
NR == FNR && /^[^ -].*:$/ {
    options = options ".SS " roff(substr($0, 1, length($0) - 1)) "\n"
    next
}
NR == FNR && (/^--?[a-z]/ || /^[A-Z]+  +[^ ]/ || /^  [-a-z]/) { add_option($0); next }
NR == FNR && /^   +[^ ]/ && last == "option" {
    sub(/^ +/, "")
    options = options roff($0) "\n"
    next
}
NR == FNR && NF { closing = closing (closing != "" && /^[A-Z][A-Za-z ]*: / ? ".PP\n" : "") roff($0) "\n" }
NR == FNR { next }

{ gsub(/@VERSION@/, version) }
/^@NAME@$/ { print name " \\- " roff(what); next }
/^@SYNOPSIS@$/ { printf ".nf\n%s.fi\n", synopsis; next }
/^@OPTIONS@$/ { printf "%s", options; next }
/^@CLOSING@$/ { printf "%s", closing; next }
{ print }

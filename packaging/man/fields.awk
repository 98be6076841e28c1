# SPDX-License-Identifier: Apache-2.0
#
# fields: fills the line @FIELDS@ of a template from `analyzer --list-fields`.
#
# Usage: analyzer --list-fields | awk -f fields.awk -v version=VERSION - TEMPLATE

function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}

NR == FNR && /^# / { fields = fields ".SS " roff(substr($0, 3)) "\n"; next }
NR == FNR && /^[a-z]/ {
    name = $1
    sub(/^[^ ]+ */, "")
    fields = fields ".TP\n.B " roff(name) "\n" roff($0) "\n"
    next
}
NR == FNR && NF { sub(/^ +/, ""); fields = fields roff($0) "\n" }
NR == FNR { next }

{ gsub(/@VERSION@/, version) }
/^@FIELDS@$/ { printf "%s", fields; next }
{ print }

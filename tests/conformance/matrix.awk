# SPDX-License-Identifier: Apache-2.0
#
# matrix: makes one Markdown table, event by driver and kernel, from the cells' results (see: cell).
# awk -f matrix.awk build/conformance/*@*
BEGIN {
    FS = "\t"
    split("modern:tracepoint modern:per_syscall classic module userspace", driver_list, " ")
    split("bullseye bookworm trixie sid bookworm-arm64 trixie-arm64 host", kernel_list, " ")
}

$1 == "CELL" {
    cell = $2 "@" $3
    known[cell] = 1
    if ($4 != "-" && version[$3] == "") {
        version[$3] = $4
        if ($3 == "host") sub(/-.*/, "", version[$3]) # the rest is the machine's own name
    }
    absent[cell] = $5
}

$1 == "RESULT" {
    if (!($2 in seen)) {
        seen[$2] = 1
        events[++event_count] = $2
    }
    verdict[cell, $2] = $3
}

# Returns the number of a remark; equal remarks share one.
function remark(words) {
    if (!(words in remark_number)) {
        remark_number[words] = ++remark_count
        remarks[remark_count] = words
    }
    return remark_number[words]
}

function mark(cell, event,    what, kind) {
    if (!((cell, event) in verdict))
        return absent[cell] == "" ? "" : "[" remark("not run: " absent[cell]) "]"
    what = verdict[cell, event]
    if (what == "pass") {
        passes[cell]++
        return "pass"
    }
    kind = what
    sub(/: .*/, "", kind)
    others[cell, kind]++
    return (kind == "fail" ? "**fail**" : "no") " [" remark(what) "]"
}

END {
    print "# Conformance: event by driver and kernel\n"
    print "Made by `./dev conformance`, which runs the live suite (tests/live) by every driver on every kernel. Each event is"
    print "provoked with known arguments, and every parameter is compared. `pass`: all parameters are right. `no`: the driver does"
    print "not capture the event (a row of shared/event/gaps.def), or this kernel cannot be made to raise it; the number leads to"
    print "the reason. `fail`: a defect.\n"
    print "| | kernel |\n|---|---|"
    for (k = 1; k in kernel_list; k++)
        if (version[kernel_list[k]] != "")
            print "| " kernel_list[k] " | " version[kernel_list[k]] (kernel_list[k] == "host" ? " (where the suite was started)" : " (Debian's, under QEMU)") " |"
    for (d = 1; d in driver_list; d++)
        for (k = 1; k in kernel_list; k++)
            if ((driver_list[d] "@" kernel_list[k]) in known)
                columns[++column_count] = driver_list[d] "@" kernel_list[k]
    head = "| event |"
    rule = "|---|"
    for (c = 1; c <= column_count; c++) {
        name = columns[c]
        sub(/@/, " ", name)
        head = head " " name " |"
        rule = rule "---|"
    }
    for (e = 1; e <= event_count; e++) {
        row = "| " events[e] " |"
        for (c = 1; c <= column_count; c++)
            row = row " " mark(columns[c], events[e]) " |"
        body = body row "\n"
    }
    total = "| **events that pass** |"
    for (c = 1; c <= column_count; c++)
        total = total " " (absent[columns[c]] != "" ? "[" remark("not run: " absent[columns[c]]) "]" : passes[columns[c]] + 0) " |"
    print "\n" head "\n" rule "\n" total "\n" body
    for (r = 1; r <= remark_count; r++)
        print r ". " remarks[r]
}

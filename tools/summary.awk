# SPDX-License-Identifier: Apache-2.0
#
# summary: counts the tests in ctest's JUnit files, and prints which failed or were skipped and why. The last line is
# `N passed, N failed[, N skipped]`. Exits with 1 if a test failed or if no test ran.
#
# Each test case of a doctest program counts; any other program counts as one test. A test that exits with its
# SKIP_RETURN_CODE counts as skipped once, and its last line is the reason. Otherwise each line `SKIPPED: what: why` counts
# as a skipped part. A missing program counts as failed.

function attribute(name,    value) {
    if (!match($0, name "=\"[^\"]*\"")) return ""
    value = substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3)
    return unescape(value)
}

function unescape(text) {
    gsub(/&lt;/, "<", text)
    gsub(/&gt;/, ">", text)
    gsub(/&quot;/, "\"", text)
    gsub(/&apos;/, "'", text)
    gsub(/&amp;/, "\\&", text)
    return text
}

# Counts one line of a test's output.
function take(line,    counts) {
    sub(/<\/system-out>.*/, "", line)
    line = unescape(line)
    if (line ~ /[^ \t]/) last = line
    if (line ~ /^SKIPPED: /) skips[++skip_count] = substr(line, 10)
    if (line ~ /^\[doctest\] test cases:/) {
        split(line, counts, /[^0-9]+/)
        good += counts[3]
        bad += counts[4]
        doctest = 1
    }
}

function finish(    i) {
    if (status == "notrun" && reason ~ /^SKIP_/) { # its last line may itself begin with SKIPPED:
        sub(/^SKIPPED: (all: )?/, "", last)
        skipped++
        skipped_list = skipped_list "  " name ": " last "\n"
        return
    }
    for (i = 1; i <= skip_count; i++) skipped_list = skipped_list "  " name ": " skips[i] "\n"
    skipped += skip_count
    if (status == "run") {
        passed += doctest ? good - skip_count : 1
    } else {
        if (doctest) passed += good > skip_count ? good - skip_count : 0
        failed += bad > 1 ? bad : 1
        failed_list = failed_list "  " name (status == "notrun" ? ": " reason : "") "\n"
    }
}

/<testcase / {
    name = attribute("name")
    status = attribute("status")
    reason = last = ""
    good = bad = doctest = skip_count = in_output = 0
}
/<skipped / && !in_output { reason = attribute("message") }
/<system-out>/ {
    in_output = 1
    line = $0
    sub(/.*<system-out>/, "", line)
    take(line)
    if (/<\/system-out>/) in_output = 0
    next
}
in_output {
    take($0)
    if (/<\/system-out>/) in_output = 0
}
/<\/testcase>/ && !in_output { finish() }

END {
    if (failed_phases != "" && failed == 0) { # no test says why ctest failed
        failed = 1
        failed_list = "  ctest itself:" failed_phases "\n"
    }
    if (skipped) printf "\nSkipped:\n%s", skipped_list
    if (failed) printf "\nFailed:\n%s", failed_list
    if (passed + failed + skipped == 0) {
        print "\nNo test ran at all, which is a failure."
        failed = 1
    }
    printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit failed > 0
}

# SPDX-License-Identifier: Apache-2.0
#
# includes: checks the #include lines of our sources against the arrows. First the file `arrows`, then the sources.
# With -v complete=1 the sources are the whole project, and an arrow that no include uses is a fault too.

FNR == NR {
    if (!/^#/ && NF) {
        folders[$1] = 1
        for (i = 2; i <= NF; i++) arrow[$1, $i] = 1
    }
    next
}

# The longest folder of the arrows that holds the path, or nothing.
function folder_of(path) {
    while (path ~ /\//) {
        sub(/\/[^\/]*$/, "", path)
        if (path in folders) return path
    }
    return ""
}

function parent_of(folder) {
    return folder ~ /\// ? substr(folder, 1, match(folder, /\/[^\/]*$/) - 1) : ""
}

# Whether an arrow leads from the folder, or a parent of it, to the other or a parent of that.
function may(from, to,    source, target) {
    for (source = from; source != ""; source = parent_of(source))
        for (target = to; target != ""; target = parent_of(target))
            if (source == target && (target == to || from ~ "^" to "/")) {
                return 1
            } else if ((source, target) in arrow) {
                used[source, target] = 1
                return 1
            }
    return 0
}

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
    quoted = /include[ \t]*"/
    included = $0
    sub(/^[^"<]*["<]/, "", included)
    sub(/[">].*/, "", included)
    from = folder_of(FILENAME)
    to = folder_of(included)
    place = FILENAME ":" FNR ": "
    if (included ~ /\.skel\.h$/ && from != "privd" && FILENAME !~ /^tests\//)
        print place included " is for privd alone"
    if (included ~ /\.\.\//)
        print place included ": name the file from the top"
    else if (quoted && included !~ /\//)
        print place included ": name the file from the top"
    else if (!quoted && to != "")
        print place included ": our own headers stand in quotes"
    else if (from != "" && included ~ /^tests\//)
        print place "a product file includes a test's"
    else if (to != "" && to == from && (from, "apart") in arrow)
        print place "the files of " from " may not include one another"
    else if ((from, included) in arrow)
        used[from, included] = 1
    else if (from != "" && to != "" && !may(from, to))
        print place from " may not include " included
    else if (from == "" && FILENAME !~ /^tests\//)
        print place "the folder of this file is not in the arrows"
}

END {
    for (pair in arrow) {
        split(pair, end, SUBSEP)
        if (complete && end[2] != "apart" && !(pair in used))
            print "tests/layering/arrows: no file of " end[1] " includes " end[2] ", so it need not be permitted"
    }
}

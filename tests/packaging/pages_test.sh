#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# pages_test.sh: the manual pages say what the programs say: each option of --help, each key of the configuration.
#
# Usage: pages_test.sh PAGES SOURCE-TREE PROGRAM...     where the made pages are; the programs that have one
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
pages=${1:?directory of the pages} tree=${2:?source tree}
shift 2


command -v mandoc >/dev/null ||
    skip "mandoc, which reads the pages, is not installed (package mandoc)"
text() { # PAGE: as a reader sees it, all blanks alike
    mandoc -T utf8 -O width=1000 "$1" | col -bx
}

for program in "$@"; do
    name=$(basename "$program")
    page=$(find "$pages" -name "$name.[18]")
    [ -n "$page" ] || { fail "$name has no page"; continue; }
    shown=$(text "$page")
    mapfile -t options < <("$program" --help | grep -oE '(^|[ [|])--?[a-zA-Z][a-z-]*' | tr -d ' [|' | sort -u)
    [ ${#options[@]} -ge 3 ] || fail "$name --help shows only ${#options[@]} options"
    for option in "${options[@]}"; do
        grep -qE -- "(^|[ ,[(|])$option([] ,.|)]|$)" <<<"$shown" || fail "$page lacks $option"
    done
    echo "$(basename "$page"): ${#options[@]} options"
done

shown=$(text "$pages/analyzer.yaml.5")
mapfile -t keys < <(
    sed -n 's/^KEY("\([a-z0-9_.]*\)".*/\1/p' "$tree/analyzer/config/keys.def"
    sed -n 's/^OUTPUT([a-z_]*, "\([a-z_]*\)".*/\1.enabled/p' "$tree/analyzer/config/outputs.def"
    sed -n 's/^OUTPUT([a-z_]*, "\([a-z_]*\)", "\([a-z_]\{1,\}\)".*/\1.\2/p' "$tree/analyzer/config/outputs.def")
[ ${#keys[@]} -ge 50 ] || fail "keys.def and outputs.def show only ${#keys[@]} keys"
for key in "${keys[@]}"; do
    grep -qE "(^|[ ,])${key//./\\.}([ ,]|$)" <<<"$shown" || fail "analyzer.yaml.5 lacks $key"
done
mapfile -t described < <(grep -A1 '^\.TP' "$pages/analyzer.yaml.5" | sed -n 's/^\.B //p' | tr ',' '\n' | tr -d ' ')
for key in "${described[@]}"; do
    grep -qxF "$key" <<<"$(printf '%s\n' "${keys[@]}")" || fail "analyzer.yaml.5 describes $key, which is no key"
done
echo "analyzer.yaml.5: ${#keys[@]} keys"

# Each key, destination and default of the courier's tables stands in its page.
if [ -e "$pages/courier.yaml.5" ]; then
    shown=$(text "$pages/courier.yaml.5" | tr -s ' \n' ' ')
    mapfile -t keys < <(
        sed -nE 's/^KEY\("([a-z_.]*)".*/\1/p; s/^OPTION\([^,]*, "([a-z_]*)".*/\1/p' "$tree/courier/config/keys.def"
        sed -nE 's/^DESTINATION\([a-z]*, "([a-z]*)".*/type: \1/p' "$tree/courier/config/destinations.def")
    [ ${#keys[@]} -ge 45 ] || fail "the courier's tables show only ${#keys[@]} keys"
    for key in "${keys[@]}"; do
        grep -qF " $key " <<<"$shown" || fail "courier.yaml.5 lacks $key"
    done
    echo "courier.yaml.5: ${#keys[@]} keys"
fi

for page in "$pages"/*.[158]; do
    ! grep -q '^\.so ' "$page" || continue
    faults=$(mandoc -T lint -W warning "$page" | grep -v 'missing date' || true)
    [ -z "$faults" ] || fail "$faults"
done
finish

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# units_test.sh: what the units promise, judged by systemd and word by word.
#
# Usage: units_test.sh DIRECTORY      where the made units are
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
units=${1:?directory of the units}


# value UNIT KEY: the value of a key that stands there once.
value() {
    [ "$(grep -c "^$2=" "$units/$1")" -eq 1 ] || fail "$1 has not one $2="
    sed -n "s/^$2=//p" "$units/$1"
}

# holds UNIT KEY VALUE: the unit gives the key that value.
holds() {
    [ "$(value "$1" "$2")" = "$3" ] || fail "$1: $2= is '$(value "$1" "$2")', not '$3'"
}

# The plan's four, and nothing else; for the analyzer nothing at all.
four='CAP_BPF CAP_PERFMON CAP_SYS_RESOURCE CAP_SYS_PTRACE'
holds tiercel-privd.service AmbientCapabilities "$four"
holds tiercel-privd.service CapabilityBoundingSet "$four"
holds tiercel.service AmbientCapabilities ''
holds tiercel.service CapabilityBoundingSet ''
holds tiercel.service PrivateNetwork yes
holds tiercel.service RestrictAddressFamilies AF_UNIX
holds tiercel-enricher.service AmbientCapabilities ''
holds tiercel-enricher.service CapabilityBoundingSet ''
holds tiercel-enricher.service PrivateNetwork yes
holds tiercel-enricher.service RestrictAddressFamilies AF_UNIX
holds tiercel-courier.service AmbientCapabilities ''
holds tiercel-courier.service CapabilityBoundingSet ''
holds tiercel-courier.service RestrictAddressFamilies 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'
# With it the courier would see any analyzer as nobody, and refuse it.
! grep -q '^PrivateUsers=' "$units/tiercel-courier.service" || fail "tiercel-courier.service has PrivateUsers="
holds tiercel-pull.service AmbientCapabilities ''
holds tiercel-pull.service CapabilityBoundingSet ''
holds tiercel-pull.service User tiercel-courier
holds tiercel-module.service CapabilityBoundingSet CAP_SYS_MODULE
[ "$(for unit in tiercel tiercel-courier tiercel-enricher tiercel-privd; do value $unit.service User; done | sort -u | wc -l)" -eq 4 ] ||
    fail "two processes have one user"

# The hardening directives, a paragraph of their own, stand in alphabetical order.
for unit in tiercel.service tiercel-courier.service tiercel-enricher.service tiercel-privd.service tiercel-pull.service tiercel-module.service; do
    keys=$(awk '/^\[/ { inside = $0 == "[Service]" } /^$/ { paragraph++ } inside && /^[A-Z][A-Za-z]*=/ {
        if ($0 ~ /^(AmbientCapabilities|CapabilityBoundingSet)=/) hardening = 1
        if (hardening) { sub(/=.*/, ""); print } }' "$units/$unit")
    [ "$(wc -l <<<"$keys")" -ge 20 ] || fail "$unit has few hardening directives"
    LC_ALL=C sort -c <<<"$keys" || fail "$unit: its hardening directives are not in alphabetical order"
done

[ "$failures" -eq 0 ] || finish
command -v systemd-analyze >/dev/null ||
    skip "systemd-analyze, which rates the units, is not installed (package systemd)"

# exposure UNIT MOST: systemd's own rating, in tenths, is at most that.
exposure() {
    local rating
    rating=$(cd "$units" && systemd-analyze security --offline=true --no-pager "./$1" |
        sed -n 's/.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\) .*/\1\2/p')
    echo "$1: exposure ${rating:-unknown} tenths, at most $2"
    if [ -z "$rating" ] || [ "$((10#$rating))" -gt "$2" ]; then
        fail "$1: systemd rates its exposure '${rating:-unknown}', at most $2 are wanted (in tenths)"
    fi
}
exposure tiercel.service 4
exposure tiercel-enricher.service 4
exposure tiercel-courier.service 20
exposure tiercel-privd.service 13
exposure tiercel-pull.service 20

finish

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# packages_test.sh: the packages are made and hold what they should, and lintian and rpmlint report nothing beyond what is
# listed.
#
# Usage: packages_test.sh BUILD-DIRECTORY SOURCE-TREE      its target `installed` has to be built
set -euo pipefail
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
build=${1:?build directory} tree=${2:?source tree}

for tool in cpack dpkg-deb dpkg-shlibdeps lintian; do
    command -v "$tool" >/dev/null || skip "$tool is not installed (./dev package installs it)"
done
grep -qx 'CMAKE_INSTALL_PREFIX:[A-Z]*=/usr' "$build/CMakeCache.txt" ||
    skip "the build is not configured for /usr (cmake --preset release)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
generators=DEB
! command -v rpmbuild >/dev/null || generators='DEB;RPM'
(cd "$build" && cpack -G "$generators" -B "$work" >"$work/log" 2>&1) || { tail -n 20 "$work/log"; exit 1; }

# holds PACKAGE FILE...
holds() {
    local package=$1 list
    list=$(dpkg-deb -c "$work/$package"_*.deb | awk '{ print $6 }')
    shift
    for file in "$@"; do
        grep -qxF ".$file" <<<"$list" || fail "$package lacks $file"
    done
}
holds tiercel /usr/bin/{analyzer,tiercel,tiercel-trace} /usr/sbin/tiercel-driver /etc/tiercel/analyzer.yaml \
    /usr/libexec/tiercel/{enricher,tiercel-keeper,privd,privd-prove,privd-exec,privd-types,privd-{classic,module}{,-prove}} \
    /usr/lib/systemd/system/{tiercel.service,tiercel-{metrics,enricher,privd}.socket,tiercel-{enricher,privd,module}.service} \
    /usr/share/doc/tiercel/tiercel.spdx.json /usr/share/man/man1/{analyzer,tiercel,tiercel-trace}.1.gz /usr/share/man/man8/{enricher,privd,tiercel-driver,tiercel-keeper}.8.gz /usr/share/man/man5/analyzer.yaml.5.gz
[ ! -e "$build/courier/libcourier_app.a" ] ||
    holds tiercel-courier /usr/libexec/tiercel/tiercel-{courier,pull} /etc/tiercel/courier.yaml \
        /usr/lib/systemd/system/tiercel-{courier.{service,socket},pull.{service,timer}} /usr/lib/{sysusers,tmpfiles}.d/tiercel-courier.conf /usr/share/doc/tiercel-courier/tiercel-courier.spdx.json \
        /usr/share/man/man8/tiercel-{courier,pull}.8.gz /usr/share/man/man5/courier.yaml.5.gz
[[ "$(dpkg-deb -f "$work"/tiercel_*.deb Depends)" != *libcurl* ]] || fail "the sensor depends on libcurl"
holds tiercel-rules /etc/tiercel/rules.d/00-tiercel.yaml /usr/share/man/man5/tiercel-rules.5.gz
[ ! -e "$tree/kernel/module/dkms.conf" ] || holds tiercel-dkms "/usr/src/tiercel-$(sed -n "s/^CMAKE_PROJECT_VERSION:[A-Z]*=//p" "$build/CMakeCache.txt")/dkms.conf"
holds tiercel-deploy /usr/share/tiercel/{container/compose.yaml,fleet/compose.yaml,fleet/grafana/alerts.json,grafana/tiercel.json,helm/tiercel/Chart.yaml,kubernetes/tiercel.yaml} \
    /usr/share/tiercel/seccomp/{analyzer,courier,enricher,privd}.json
[ "$(dpkg-deb -I "$work"/tiercel_*.deb conffiles | xargs)" = "/etc/tiercel/analyzer.yaml /etc/logrotate.d/tiercel" ] ||
    fail "analyzer.yaml and logrotate's file are not tiercel's conffiles"
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
for package in "$work"/*.deb; do
    [[ $(basename "$package") == *-1~"$codename"_*.deb ]] || fail "$package does not name the distribution"
    [ -n "$(dpkg-deb -f "$package" Homepage)" ] || fail "$package has no Homepage"
done
repeated=$(for package in "$work"/*.deb; do dpkg-deb -f "$package" Description; done | sort | uniq -d)
[ -z "$repeated" ] || fail "two packages describe themselves in the same words: $repeated"
[ "$(dpkg-deb -I "$work"/tiercel-rules_*.deb conffiles)" = /etc/tiercel/rules.d/00-tiercel.yaml ] ||
    fail "the rules are not the one conffile of tiercel-rules"

# The .rpm packages in a root of their own: installed, edited by an administrator, installed again, removed. Without
# scripts and dependencies, for which the root would have to hold a distribution.
install_rpm() {
    local root=$work/root config=$work/root/etc/tiercel/analyzer.yaml packages=("$work"/tiercel-0*.rpm "$work"/tiercel-rules-0*.rpm)
    mkdir "$root"
    in_root() { rpm --root "$root" --nodeps --noscripts "$@" 2>&1; }
    rpm --root "$root" --initdb
    in_root -i "${packages[@]}" || fail "the .rpm packages cannot be installed"
    said=$(in_root -V tiercel tiercel-rules | grep -v '^Unsatisfied\|^missing *d ' || true)
    [ -z "$said" ] || fail "rpm -V finds of what it has just installed:"$'\n'"$said"
    for file in bin/analyzer bin/tiercel libexec/tiercel/privd libexec/tiercel/enricher lib/systemd/system/tiercel.service share/man/man8/privd.8.gz; do
        [ -e "$root/usr/$file" ] || fail "the .rpm lacks /usr/$file"
    done
    [ -z "$(find "$root" -perm /6000 -type f)" ] || fail "the .rpm has setuid files"
    echo '# mine' >>"$config"
    in_root -U --replacepkgs "${packages[@]}" || fail "the .rpm packages cannot be installed again"
    grep -qx '# mine' "$config" || fail "installing again has lost the administrator's configuration"
    in_root -e tiercel tiercel-rules || fail "the .rpm packages cannot be removed"
    grep -qx '# mine' "$config.rpmsave" || fail "removing has lost the administrator's configuration"
    said=$(find "$root/usr" "$root/etc" ! -type d ! -name analyzer.yaml.rpmsave ! -path '*/lib/sysimage/*' 2>/dev/null || true)
    [ -z "$said" ] || fail "removing leaves:"$'\n'"$said"
}

said=$(lintian --allow-root "$work"/*.deb 2>&1) || true
[ -z "$said" ] || fail "lintian says:"$'\n'"$said"

if ! command -v rpmbuild >/dev/null || ! command -v rpmlint >/dev/null; then
    echo "SKIPPED: the .rpm packages: rpmbuild or rpmlint is not installed (packages rpm, rpmlint)"
else
    said=$(rpmlint --config "$tree/packaging/rpm/rpmlint.toml" "$work"/*.rpm 2>&1) || fail "rpmlint says:"
    grep -q '0 errors, 0 warnings' <<<"$said" || fail "$said"
    install_rpm
    rpm -qp --configfiles "$work"/tiercel-0*.rpm | grep -qx /etc/tiercel/analyzer.yaml || fail "the .rpm does not mark its configuration"
fi
finish

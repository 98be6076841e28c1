#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# sbom: writes the bill of materials of a package's programs, as SPDX 2.3 JSON.
# It lists the package, the library packages that its programs load, and the header-only libraries compiled into them.
# The time is that of $SOURCE_DATE_EPOCH or of the newest program, so equal builds give equal files.
#
# Usage: sbom.sh OUTPUT NAME VERSION HEADER-PACKAGES PROGRAM...
#   HEADER-PACKAGES   names of development packages, separated by commas
set -euo pipefail
[ $# -ge 5 ] || { echo "usage: sbom.sh OUTPUT NAME VERSION HEADER-PACKAGES PROGRAM..." >&2; exit 2; }
output=$1 name=$2 version=$3 headers=$4
shift 4

# Prints the type (with the vendor), name and version of the package that owns the shared library.
owner_of_library() {
    if command -v dpkg-query >/dev/null; then
        local package
        package=$(dpkg-query -S "*/$1" 2>/dev/null | sed -n '1s/:.*//p')
        [ -z "$package" ] || echo "deb/$vendor $package $(package_version "$package")"
    elif command -v rpm >/dev/null; then
        rpm -q --whatprovides --queryformat "rpm/$vendor %{NAME} %{VERSION}-%{RELEASE}\n" "$1()(64bit)" 2>/dev/null | sed -n 1p
    fi
}

package_version() {
    dpkg-query -W -f '${Version}\n' "$1" | sed -n 1p
}

vendor=$(sed -n 's/^ID="\{0,1\}\([a-z]*\).*/\1/p' /etc/os-release)

# Prints "TYPE NAME VERSION" of everything that the programs need, once each.
dependencies() {
    local library package
    readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort -u | while read -r library; do
        package=$(owner_of_library "$library")
        echo "${package:-generic $library unknown}"
    done
    for package in ${headers//,/ }; do
        if command -v dpkg-query >/dev/null && dpkg-query -W "$package" >/dev/null 2>&1; then
            echo "deb/$vendor $package $(package_version "$package")"
        else
            echo "generic $package unknown"
        fi
    done
}

newest=$(stat -c %Y "$@" | sort -n | tail -n 1)
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$newest}" +%Y-%m-%dT%H:%M:%SZ)
# The namespace has to be unique for each content (SPDX 2.3, clause 6.5).
content=$(cat "$@" | sha256sum | cut -c1-32)

# package ID NAME VERSION LICENSE [URL]: one element of "packages".
package() {
    local reference=""
    [ -z "${5:-}" ] || reference=$(printf ',
      "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "%s"}]' "$5")
    printf '    {
      "SPDXID": "SPDXRef-%s",
      "name": "%s",
      "versionInfo": "%s",
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "licenseConcluded": "NOASSERTION",
      "licenseDeclared": "%s",
      "copyrightText": "NOASSERTION"%s
    }' "$1" "$2" "$3" "$4" "$reference"
}

mapfile -t needed < <(dependencies "$@" | sort -u)
exec >"$output"
cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "$name-$version",
  "documentNamespace": "https://tiercel.invalid/spdx/$name-$version-$content",
  "creationInfo": {"created": "$created", "creators": ["Tool: tiercel-sbom-$version"]},
  "packages": [
END
package "$name" "$name" "$version" "Apache-2.0 AND (GPL-2.0-only OR Apache-2.0)"
relationships='    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-'"$name"'"}'
for line in "${needed[@]}"; do
    read -r type dependency number <<<"$line"
    id=${dependency//[^A-Za-z0-9.-]/-} # the characters that an SPDX identifier may have
    echo ","
    package "$id" "$dependency" "$number" NOASSERTION "pkg:$type/${dependency//+/%2B}@${number//+/%2B}"
    relationships+=$(printf ',\n    {"spdxElementId": "SPDXRef-%s", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-%s"}' "$name" "$id")
done
printf '\n  ],\n  "relationships": [\n%s\n  ]\n}\n' "$relationships"

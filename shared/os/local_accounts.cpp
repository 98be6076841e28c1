// SPDX-License-Identifier: Apache-2.0
//
// Limits the names of users and groups to /etc/passwd and /etc/group. Only programs that are linked
// statically have it: a static libc would load the modules that /etc/nsswitch.conf names, which
// need a libc of exactly the same version.
#include <nss.h>

namespace {

// Runs before main(), because any function may ask for a name.
[[gnu::constructor]] void use_local_accounts() {
    __nss_configure_lookup("passwd", "files");
    __nss_configure_lookup("group", "files");
}

} // namespace

# SPDX-License-Identifier: Apache-2.0
#
# All dependencies are Debian 12 packages, which `./dev` installs.
find_package(PkgConfig REQUIRED)
pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET libbpf>=1.1)
# Debian 12's libbpf, 1.1, knows no BPF tokens; from 1.4 on it does.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::libbpf)
check_cxx_source_compiles("#include <bpf/bpf.h>
int main() { bpf_map_create_opts options{}; options.token_fd = bpf_token_create(0, nullptr); return options.token_fd; }"
    TIERCEL_LIBBPF_TOKEN)
unset(CMAKE_REQUIRED_LIBRARIES)
pkg_check_modules(libcap REQUIRED IMPORTED_TARGET libcap)
pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(libsodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(nlohmann_json REQUIRED)
if(TIERCEL_PORTABLE) # which finds the others itself
  return()
endif()
find_package(fmt REQUIRED)
find_package(doctest REQUIRED)
find_package(yaml-cpp REQUIRED)

# The courier's; without them it is not built.
pkg_check_modules(libarchive IMPORTED_TARGET libarchive)
pkg_check_modules(libcurl IMPORTED_TARGET libcurl)
pkg_check_modules(libnats IMPORTED_TARGET libnats)
pkg_check_modules(rdkafka IMPORTED_TARGET rdkafka)

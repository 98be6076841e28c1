# SPDX-License-Identifier: Apache-2.0
#
# With TIERCEL_PORTABLE each program is a static PIE. It needs no library of the machine that it runs on, so one archive serves
# every distribution. The courier is left out, because Debian has no static libcurl with all that it needs, and so are
# the tests.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(PKG_CONFIG_ARGN --static)
set(Boost_USE_STATIC_LIBS ON)
set(CMAKE_C_LINK_OPTIONS_PIE -static-pie)
set(CMAKE_CXX_LINK_OPTIONS_PIE -static-pie)

# The targets of these two packages name shared libraries.
add_library(fmt INTERFACE)
target_compile_definitions(fmt INTERFACE FMT_HEADER_ONLY)
add_library(fmt::fmt ALIAS fmt)
find_package(PkgConfig REQUIRED)
pkg_check_modules(yaml-cpp-static REQUIRED IMPORTED_TARGET yaml-cpp)
add_library(yaml-cpp ALIAS PkgConfig::yaml-cpp-static)

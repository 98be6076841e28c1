# SPDX-License-Identifier: Apache-2.0
#
# The warnings and hardening flags of all our targets, and what every program of the portable build has.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Paths in debug information, __FILE__ and the like start at the top of the tree, so builds in two folders are equal.
set(TIERCEL_PREFIX_MAPS -ffile-prefix-map=${PROJECT_BINARY_DIR}=build -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
add_compile_options(${TIERCEL_PREFIX_MAPS})

# gcc 11 has no third level, and glibc warns of it in each file.
set(TIERCEL_FORTIFY 3)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  set(TIERCEL_FORTIFY 2)
endif()

function(tiercel_harden target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
    $<$<BOOL:${TIERCEL_WERROR}>:-Werror>
    -fstack-protector-strong -fstack-clash-protection
    $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection=full>
    $<$<AND:$<NOT:$<BOOL:${TIERCEL_SANITIZE}>>,$<NOT:$<BOOL:${TIERCEL_FUZZ}>>,$<NOT:$<CONFIG:Debug>>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${TIERCEL_FORTIFY}>)
  target_link_options(${target} PRIVATE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
  get_target_property(type ${target} TYPE)
  if(TIERCEL_PORTABLE AND type STREQUAL EXECUTABLE)
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/shared/os/local_accounts.cpp)
  endif()
  if(TIERCEL_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
  if(TIERCEL_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
endfunction()

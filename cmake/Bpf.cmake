# SPDX-License-Identifier: Apache-2.0
#
# Compiles BPF C to an object and a libbpf skeleton header, in the build tree only.
find_program(TIERCEL_BPF_CLANG NAMES clang clang-16 clang-15 clang-14 REQUIRED)
find_program(TIERCEL_LLVM_STRIP NAMES llvm-strip llvm-strip-16 llvm-strip-15 llvm-strip-14 REQUIRED)
find_program(TIERCEL_LLVM_OBJCOPY NAMES llvm-objcopy llvm-objcopy-16 llvm-objcopy-15 llvm-objcopy-14 REQUIRED)
find_program(TIERCEL_BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(TIERCEL_BPF_ARCH arm64)
else()
  set(TIERCEL_BPF_ARCH x86)
endif()

# tiercel_bpf_object(NAME SOURCE [PLATFORM HEADER] [DEFINES ...]): makes NAME.bpf.o, and NAME.btf with the types that it
# names. Both are made again when an included header changes. kernel/common/platform.h includes HEADER.
function(tiercel_bpf_object name source)
  cmake_parse_arguments(ARG "" "PLATFORM" "DEFINES" ${ARGN})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(types ${CMAKE_CURRENT_BINARY_DIR}/${name}.btf)
  if(ARG_PLATFORM)
    list(APPEND ARG_DEFINES "TIERCEL_PLATFORM=\"${ARG_PLATFORM}\"")
  endif()
  list(TRANSFORM ARG_DEFINES PREPEND -D)
  add_custom_command(OUTPUT ${object} BYPRODUCTS ${types}
    COMMAND ${TIERCEL_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter
            -D__TARGET_ARCH_${TIERCEL_BPF_ARCH} ${ARG_DEFINES} -I${PROJECT_SOURCE_DIR} ${TIERCEL_PREFIX_MAPS}
            -MD -MF ${object}.d -c ${source} -o ${object}
    COMMAND ${TIERCEL_LLVM_STRIP} -g ${object}
    COMMAND ${TIERCEL_LLVM_OBJCOPY} --dump-section .BTF=${types} ${object}
    DEPENDS ${source} DEPFILE ${object}.d
    COMMENT "Building BPF object ${name}.bpf.o" VERBATIM)
  add_custom_target(${name}_bpf_object DEPENDS ${object})
  set_target_properties(${name}_bpf_object PROPERTIES TIERCEL_OBJECT ${object} TIERCEL_TYPES ${types})
endfunction()

# tiercel_bpf_skeleton(NAME): interface library NAME_skeleton giving <NAME.skel.h>.
function(tiercel_bpf_skeleton name)
  get_target_property(object ${name}_bpf_object TIERCEL_OBJECT)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  add_custom_command(OUTPUT ${header}
    COMMAND sh -c "'${TIERCEL_BPFTOOL}' gen skeleton '${object}' name ${name}_bpf > '${header}'"
    DEPENDS ${object} COMMENT "Generating ${name}.skel.h" VERBATIM)
  add_custom_target(${name}_skeleton_header DEPENDS ${header})
  add_library(${name}_skeleton INTERFACE)
  target_include_directories(${name}_skeleton SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  add_dependencies(${name}_skeleton ${name}_skeleton_header)
endfunction()

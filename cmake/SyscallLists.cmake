# SPDX-License-Identifier: Apache-2.0
#
# Reads the system call lists of policy/privilege/, from which the processes' own filters are compiled, and writes them
# for other programs: as SystemCallFilter= of a unit and as seccomp profile of a container. No program has to run for that,
# so that a cross build has them too.

# tiercel_syscalls(OUT [HEADER ARRAY]...): the names in these arrays of policy/privilege/, sorted.
function(tiercel_syscalls out)
  set(names)
  while(ARGN)
    list(POP_FRONT ARGN header array)
    set(path ${PROJECT_SOURCE_DIR}/policy/privilege/${header})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(READ ${path} text)
    string(FIND "${text}" " ${array}[] = {" begin)
    if(begin EQUAL -1)
      message(FATAL_ERROR "${path} has no array ${array}: the list of system calls cannot be made")
    endif()
    string(SUBSTRING "${text}" ${begin} -1 text)
    string(FIND "${text}" "\n};" end)
    string(SUBSTRING "${text}" 0 ${end} text)
    string(REGEX MATCHALL "SCMP_SYS\\([a-z0-9_]+\\)" found "${text}")
    list(TRANSFORM found REPLACE "SCMP_SYS\\(([a-z0-9_]+)\\)" "\\1")
    list(APPEND names ${found})
  endwhile()
  list(REMOVE_DUPLICATES names)
  list(SORT names)
  set(${out} "${names}" PARENT_SCOPE)
endfunction()

# What each process needs from its exec to its end. Its own filters close later and are narrower.
set(TIERCEL_ANALYZER_LISTS start_syscalls.h kAnalyzerStart analyzer_syscalls.h kAnalyzerSteady
                           analyzer_syscalls.h kAnalyzerMetrics analyzer_syscalls.h kAnalyzerNamedCaptures
                           analyzer_syscalls.h kAnalyzerOverwrite)
set(TIERCEL_PRIVD_LISTS start_syscalls.h kPrivdStart)
foreach(array IN ITEMS kPrivdLoad kPrivdLoadBpf kPrivdLoadClassic kPrivdLoadModule kPrivdSteady kPrivdSteadyClassic)
  list(APPEND TIERCEL_PRIVD_LISTS privd_syscalls.h ${array})
endforeach()
set(TIERCEL_ENRICHER_LISTS enricher_syscalls.h kEnricherStart enricher_syscalls.h kEnricherSteady)
set(TIERCEL_COURIER_LISTS courier_syscalls.h kCourierStart courier_syscalls.h kCourierSteady)

# tiercel_unit_syscalls(OUT [HEADER ARRAY]...): the same as value of SystemCallFilter=, eight names to a line.
function(tiercel_unit_syscalls out)
  tiercel_syscalls(names ${ARGN})
  set(lines)
  while(names)
    list(SUBLIST names 0 8 line)
    list(REMOVE_ITEM names ${line})
    list(JOIN line " " line)
    list(APPEND lines "${line}")
  endwhile()
  list(JOIN lines " \\\n    " lines)
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()

# tiercel_oci_profile(FILE [HEADER ARRAY]...): a container's seccomp profile, as OCI runtimes, Docker and Kubernetes (type
# Localhost) take it. It is the outer filter: by call alone, because what is started needs more than what runs. A call that
# is not in it fails with EPERM, because the runtime probes; the processes' own filters kill.
function(tiercel_oci_profile file)
  tiercel_syscalls(names ${ARGN})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(architecture SCMP_ARCH_AARCH64)
  else()
    set(architecture SCMP_ARCH_X86_64)
  endif()
  list(JOIN names "\",\n      \"" names)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT "{
  \"defaultAction\": \"SCMP_ACT_ERRNO\",
  \"defaultErrnoRet\": 1,
  \"architectures\": [\"@architecture@\"],
  \"syscalls\": [
    {\"action\": \"SCMP_ACT_ALLOW\", \"names\": [
      \"@names@\"
    ]}
  ]
}
")
endfunction()

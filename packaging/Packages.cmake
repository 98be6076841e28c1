# SPDX-License-Identifier: Apache-2.0
#
# `cpack` makes packages of the installed components: .deb, and .rpm if rpmbuild is installed.
set(CPACK_PACKAGE_NAME tiercel)
set(CPACK_PACKAGE_VENDOR Tiercel)
set(CPACK_PACKAGE_CONTACT "Tiercel's maintainers <maintainers@tiercel.invalid>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # the project's would come before each package's own
set(CPACK_PACKAGE_HOMEPAGE_URL ${PROJECT_HOMEPAGE_URL})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # /etc and /lib lie outside the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL tiercel tiercel-rules tiercel-deploy tiercel-dkms)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_GENERATOR DEB)
find_program(TIERCEL_RPMBUILD rpmbuild)
if(TIERCEL_RPMBUILD)
  list(APPEND CPACK_GENERATOR RPM)
endif()

# The distribution is part of the version, because packages for another one need other libraries.
set(distribution)
if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release codename REGEX "^VERSION_CODENAME=")
  string(REGEX REPLACE "^VERSION_CODENAME=\"?([a-z]*)\"?$" "~\\1" distribution "${codename}")
endif()
set(TIERCEL_PACKAGE_RELEASE 1${distribution})

set(tiercel_summary "runtime security sensor with a minimal privileged part")
set(tiercel-rules_summary "detection rules for the Tiercel sensor")
set(tiercel-dkms_summary "kernel module of the Tiercel sensor, as source for DKMS")
set(tiercel-deploy_summary "files for running the Tiercel sensor in containers and Kubernetes")
set(tiercel_text "Turns kernel events into security alerts. A small helper loads an eBPF probe
and leaves; what reads the events has no privilege at all.")
set(tiercel-rules_text "The rules that Tiercel's analyzer matches by default, as configuration
files.")
set(tiercel-dkms_text "For kernels on which Tiercel's eBPF probes do not work. It is loaded by a
unit that is off by default.")
set(tiercel-deploy_text "Seccomp profiles, a Compose file, a manifest and a Helm chart for
Kubernetes, and a Grafana dashboard.")

# ---- what the two formats share: documents, maintainer scripts ----
set(scripts ${CMAKE_CURRENT_BINARY_DIR}/scripts)
set(documents ${CMAKE_CURRENT_BINARY_DIR}/documents)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  configure_file(deb/copyright ${documents}/${component}/copyright COPYONLY)
  set(PACKAGE ${component})
  configure_file(deb/changelog.in ${documents}/${component}/changelog.Debian @ONLY)
  find_program(TIERCEL_GZIP gzip REQUIRED)
  execute_process(COMMAND ${TIERCEL_GZIP} -9 -n -k -f ${documents}/${component}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${documents}/${component}/copyright ${documents}/${component}/changelog.Debian.gz
          DESTINATION share/doc/${component} COMPONENT ${component})
endforeach()

# ---- .deb ----
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${TIERCEL_PACKAGE_RELEASE})
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${component})
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${${component}_summary}\n${${component}_text}")
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION admin)
  set(CPACK_DEBIAN_${upper}_PACKAGE_ARCHITECTURE all)
endforeach()
unset(CPACK_DEBIAN_TIERCEL_PACKAGE_ARCHITECTURE) # this machine's
set(CPACK_DEBIAN_TIERCEL_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TIERCEL_PACKAGE_DEPENDS "systemd, init-system-helpers (>= 1.52), kmod")
set(CPACK_DEBIAN_TIERCEL_PACKAGE_RECOMMENDS tiercel-rules)
set(CPACK_DEBIAN_TIERCEL_PACKAGE_SUGGESTS "tiercel-dkms, tiercel-deploy, logrotate, dwarves")
set(CPACK_DEBIAN_TIERCEL-RULES_PACKAGE_ENHANCES tiercel)
set(CPACK_DEBIAN_TIERCEL-DEPLOY_PACKAGE_ENHANCES tiercel)
set(CPACK_DEBIAN_TIERCEL-DKMS_PACKAGE_DEPENDS "dkms, tiercel (>= ${PROJECT_VERSION})")
foreach(script IN ITEMS conffiles postinst prerm postrm)
  configure_file(deb/tiercel/${script} ${scripts}/tiercel/${script} COPYONLY)
  list(APPEND CPACK_DEBIAN_TIERCEL_PACKAGE_CONTROL_EXTRA ${scripts}/tiercel/${script})
endforeach()
foreach(script IN ITEMS conffiles postinst)
  configure_file(deb/tiercel-rules/${script} ${scripts}/tiercel-rules/${script} COPYONLY)
  list(APPEND CPACK_DEBIAN_TIERCEL-RULES_PACKAGE_CONTROL_EXTRA ${scripts}/tiercel-rules/${script})
endforeach()
foreach(script IN ITEMS postinst prerm)
  configure_file(deb/tiercel-dkms/${script}.in ${scripts}/tiercel-dkms/${script} @ONLY)
  list(APPEND CPACK_DEBIAN_TIERCEL-DKMS_PACKAGE_CONTROL_EXTRA ${scripts}/tiercel-dkms/${script})
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# ---- .rpm ----
set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_URL ${PROJECT_HOMEPAGE_URL})
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/logrotate.d /lib /usr/lib /usr/lib/systemd /usr/lib/systemd/system
  /usr/lib/systemd/system-preset /usr/lib/sysusers.d /usr/lib/tmpfiles.d /usr/lib/udev /usr/lib/udev/rules.d /usr/libexec /usr/sbin
  /usr/share/man /usr/share/man/man1 /usr/share/man/man5 /usr/share/man/man8 /usr/src /usr/share/doc
  /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/zsh /usr/share/zsh/vendor-completions)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(CPACK_RPM_${upper}_PACKAGE_NAME ${component})
  string(SUBSTRING "${${component}_summary}" 0 1 initial)
  string(TOUPPER ${initial} initial)
  string(SUBSTRING "${${component}_summary}" 1 -1 rest)
  set(CPACK_RPM_${upper}_PACKAGE_SUMMARY "${initial}${rest}")
  set(CPACK_RPM_${upper}_PACKAGE_DESCRIPTION "${${component}_text}")
  set(CPACK_RPM_${upper}_PACKAGE_ARCHITECTURE noarch)
endforeach()
unset(CPACK_RPM_TIERCEL_PACKAGE_ARCHITECTURE)
set(CPACK_RPM_TIERCEL_USER_FILELIST "%config(noreplace) /etc/tiercel/analyzer.yaml" "%config(noreplace) /etc/logrotate.d/tiercel")
set(CPACK_RPM_TIERCEL-RULES_USER_FILELIST "%config(noreplace) /etc/tiercel/rules.d/00-tiercel.yaml")
set(CPACK_RPM_TIERCEL_PACKAGE_REQUIRES "systemd, kmod")
set(CPACK_RPM_TIERCEL_PACKAGE_SUGGESTS "tiercel-rules")
set(CPACK_RPM_TIERCEL-DKMS_PACKAGE_REQUIRES "dkms, tiercel")
set(CPACK_RPM_TIERCEL_POST_INSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/post)
set(CPACK_RPM_TIERCEL_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/preun)
set(CPACK_RPM_TIERCEL_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/postun)

include(CPack)

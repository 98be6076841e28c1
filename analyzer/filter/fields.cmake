# SPDX-License-Identifier: Apache-2.0
#
# Fields of events and templates made of them, on top of the state.
add_library(tiercel_fields STATIC
  condition.cpp fields.cpp fields_container.cpp fields_event.cpp fields_fd.cpp fields_fd_peer.cpp fields_lineage.cpp fields_list.cpp
  fields_names.cpp fields_owner.cpp fields_params.cpp fields_path.cpp fields_process.cpp fields_time.cpp
  format.cpp)
target_link_libraries(tiercel_fields PUBLIC tiercel_conditions tiercel_state tiercel_event)
tiercel_harden(tiercel_fields)

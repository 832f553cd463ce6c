# How our targets are made: one flag set, one precompiled header, one function a kind of target.

add_library(patchioner_flags INTERFACE)
target_compile_options(patchioner_flags INTERFACE -Wall -Wextra -Werror)
target_include_directories(patchioner_flags INTERFACE ${CMAKE_SOURCE_DIR}/core/include ${CMAKE_SOURCE_DIR}/core/src)
target_link_libraries(patchioner_flags INTERFACE patchioner_dependencies)

# The precompiled header: compiled once, reused by every target below.
add_library(patchioner_precompiled STATIC ${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp)
target_link_libraries(patchioner_precompiled PRIVATE patchioner_flags)
target_precompile_headers(patchioner_precompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.hpp)

function(patchioner_use_precompiled target)
  target_precompile_headers(${target} REUSE_FROM patchioner_precompiled)
endfunction()

# patchioner_core_folder(NAME DEPENDS ...): core/src/NAME as one static library, patchioner_NAME.
function(patchioner_core_folder name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(patchioner_${name} STATIC ${sources})
  target_link_libraries(patchioner_${name} PUBLIC patchioner_flags)
  foreach(dependency IN LISTS ARG_DEPENDS)
    if(TARGET patchioner_${dependency} OR NOT EXISTS ${CMAKE_SOURCE_DIR}/core/src/${dependency})
      if(TARGET patchioner_${dependency})
        target_link_libraries(patchioner_${name} PUBLIC patchioner_${dependency})
      else()
        target_link_libraries(patchioner_${name} PUBLIC ${dependency})
      endif()
    endif()
  endforeach()
  patchioner_use_precompiled(patchioner_${name})
  patchioner_use_unity(patchioner_${name})
  set_property(GLOBAL APPEND PROPERTY PATCHIONER_CORE_FOLDERS patchioner_${name})
endfunction()

# patchioner_plugin_folder(KIND NAME): plugins/KIND/NAME as one shared library, build/bin/plugins/KIND/NAME.so
function(patchioner_plugin_folder kind name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${kind}/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  set(target plugin_${kind}_${name})
  add_library(${target} MODULE ${sources})
  target_link_libraries(${target} PRIVATE patchioner_flags patchioner)
  patchioner_use_precompiled(${target})
  patchioner_use_unity(${target})
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin/plugins/${kind}
                                             PATCHIONER_FOLDER ${kind})
  set_property(GLOBAL APPEND PROPERTY PATCHIONER_PLUGINS ${target})
endfunction()

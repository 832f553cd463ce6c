# patchioner_add_plugin(NAME KIND backbone|aggregator|gap|decoder SOURCES file ... [CONFIG file])
#
# A plugin as a target NAME: the shared library plugins/NAME.so in the project's build folder, compiled against Patchioner::sdk, exporting nothing
# but its descriptor. Libraries of its own are added by target_link_libraries(NAME PRIVATE ...). Where the project tests (enable_testing()), the
# test NAME.check runs `patchioner plugins check` on it, with CONFIG where one is given. `cmake --install` puts it where an installed program
# looks for plugins, when the prefix is that program's.
option(PATCHIONER_PRECOMPILE "Compile the SDK's and LibTorch's headers once a plugin, which makes every later build of it short" ON)

# Warns of what would only show when the plugin is loaded.
function(_patchioner_check_descriptor name kind sources)
  set(declared "")
  foreach(source IN LISTS sources)
    file(READ "${source}" text)
    if(text MATCHES "patchioner_plugin_descriptor")
      return()  # written out by hand
    endif()
    if(text MATCHES "PATCHIONER_PLUGIN[ \t\r\n]*\\([ \t\r\n]*([A-Za-z_]+)[ \t\r\n]*,[ \t\r\n]*([A-Za-z0-9_]+)")
      set(declared "${CMAKE_MATCH_1}/${CMAKE_MATCH_2}")
    endif()
  endforeach()
  if(declared STREQUAL "")
    message(WARNING "patchioner_add_plugin(${name}): none of its sources declares a plugin, and the program will refuse the library; one of them needs the line "
                    "PATCHIONER_PLUGIN(${kind}, ${name}, \"1.0\", \"what it is\", Class, Options)")
  elseif(NOT declared STREQUAL "${kind}/${name}")
    message(WARNING "patchioner_add_plugin(${name}): its sources declare PATCHIONER_PLUGIN of ${declared}, and here it is called ${kind}/${name}; both have to "
                    "say the same, since a config finds a plugin by the name of its file")
  endif()
endfunction()

function(patchioner_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "KIND;CONFIG" "SOURCES")
  set(where "patchioner_add_plugin(${name})")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${where}: '${ARG_UNPARSED_ARGUMENTS}' is not understood; it takes KIND, SOURCES and CONFIG")
  endif()
  if(NOT name MATCHES "^[A-Za-z0-9_]+$")
    message(FATAL_ERROR "${where}: the name of a plugin is made of letters, digits and '_'")
  endif()
  set(folders backbones aggregators gap decoders)  # as the program's own lie
  set(kinds backbone aggregator gap decoder)
  list(FIND kinds "${ARG_KIND}" place)
  if(place LESS 0)
    message(FATAL_ERROR "${where}: KIND is '${ARG_KIND}', and must be backbone, aggregator, gap or decoder")
  endif()
  list(GET folders ${place} folder)
  set(sources "")
  foreach(source IN LISTS ARG_SOURCES)
    get_filename_component(source "${source}" ABSOLUTE)
    if(NOT EXISTS "${source}")
      message(FATAL_ERROR "${where}: there is no source ${source}")
    endif()
    list(APPEND sources "${source}")
  endforeach()
  if(NOT sources)
    message(FATAL_ERROR "${where}: it has no SOURCES")
  endif()
  _patchioner_check_descriptor(${name} ${ARG_KIND} "${sources}")

  add_library(${name} MODULE ${sources})
  target_link_libraries(${name} PRIVATE Patchioner::sdk)
  # A function that no library has is told when the plugin is linked, not when it is loaded; and whatever headers bring along stays inside.
  target_link_options(${name} PRIVATE -Wl,--no-undefined "-Wl,--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin_exports.map")
  target_compile_options(${name} PRIVATE $<$<CONFIG:>:-O2>)  # a project without a build type
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    SUFFIX .so
    CXX_VISIBILITY_PRESET hidden
    C_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/plugins")
  if(PATCHIONER_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE <patchioner/plugin.hpp>)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION lib/patchioner/plugins/${folder})

  set(config "")
  if(ARG_CONFIG)
    get_filename_component(file "${ARG_CONFIG}" ABSOLUTE)
    if(NOT EXISTS "${file}")
      message(FATAL_ERROR "${where}: there is no CONFIG ${file}")
    endif()
    set(config --config "${file}")
  endif()
  add_test(NAME ${name}.check COMMAND Patchioner::program plugins check $<TARGET_FILE:${name}> ${config})
  set_tests_properties(${name}.check PROPERTIES SKIP_RETURN_CODE 77)  # without options that it needs it is not checked, which is no success
endfunction()

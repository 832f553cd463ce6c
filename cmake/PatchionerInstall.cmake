# What `cmake --install` puts where, and the package that CPack makes of it. Everything is looked for relative to the program, so that the folder
# can be moved: bin/patchioner; lib/patchioner with the libraries, plugins/<kind> and libtorch; lib/cmake/Patchioner and include/patchioner for
# authors of plugins; share/patchioner/{configs,models,templates,examples}; share/doc/patchioner.
include(CMakePackageConfigHelpers)

# The folder that find_package(Torch) found: .../share/cmake/Torch is three above.
get_filename_component(PATCHIONER_LIBTORCH "${Torch_DIR}/../../.." ABSOLUTE)
set(bundle ON)
if(PATCHIONER_LIBTORCH STREQUAL "/usr" OR PATCHIONER_LIBTORCH STREQUAL "/usr/local" OR TARGET torch_cuda)
  set(bundle OFF)  # a system's own, or gigabytes
endif()
option(PATCHIONER_BUNDLE_LIBTORCH "Install LibTorch's libraries and headers beside ours, so that an installed program and its package need no other" ${bundle})

set(home lib/patchioner)
get_property(plugins GLOBAL PROPERTY PATCHIONER_PLUGINS)

if(PATCHIONER_BUNDLE_LIBTORCH)
  install(DIRECTORY ${PATCHIONER_LIBTORCH}/lib/ DESTINATION ${home}/libtorch/lib COMPONENT libtorch
          FILES_MATCHING PATTERN "*.so" PATTERN "*.so.*"
          PATTERN "*python*" EXCLUDE PATTERN "*test*" EXCLUDE PATTERN "libbackend_with_compiler*" EXCLUDE
          PATTERN "libaoti_custom_ops*" EXCLUDE PATTERN "libshm*" EXCLUDE)
  install(DIRECTORY ${PATCHIONER_LIBTORCH}/include ${PATCHIONER_LIBTORCH}/share DESTINATION ${home}/libtorch COMPONENT libtorch MESSAGE_NEVER)
  install(DIRECTORY ${PATCHIONER_LIBTORCH}/licenses DESTINATION ${home}/libtorch COMPONENT libtorch OPTIONAL)
endif()

# Where libraries look for one another; the program opens the commands by their place.
function(patchioner_install_rpath target to_home)
  if(PATCHIONER_BUNDLE_LIBTORCH)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN${to_home};$ORIGIN${to_home}/libtorch/lib")
  else()
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN${to_home};${PATCHIONER_LIBTORCH}/lib")
  endif()
endfunction()
patchioner_install_rpath(patchioner "")
patchioner_install_rpath(patchioner_commands "")
install(TARGETS patchioner patchioner_commands LIBRARY DESTINATION ${home} COMPONENT program)
install(TARGETS patchioner_program RUNTIME DESTINATION bin COMPONENT program)
foreach(plugin IN LISTS plugins)
  patchioner_install_rpath(${plugin} "/../..")
  get_target_property(kind ${plugin} PATCHIONER_FOLDER)
  install(TARGETS ${plugin} LIBRARY DESTINATION ${home}/plugins/${kind} COMPONENT program)
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/configs ${CMAKE_SOURCE_DIR}/models DESTINATION share/patchioner COMPONENT program)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/templates/plugins DESTINATION share/patchioner/templates COMPONENT program)
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/cmake/package/copyright DESTINATION share/doc/patchioner COMPONENT program)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION share/doc/patchioner COMPONENT program
        PATTERN Doxyfile EXCLUDE PATTERN api.md EXCLUDE PATTERN api_filter.sed EXCLUDE)

# The package for authors of plugins, for the install and for this build folder.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/core/include/patchioner DESTINATION include COMPONENT sdk)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples DESTINATION share/patchioner COMPONENT sdk PATTERN build EXCLUDE)
patchioner_compiler_abi(PATCHIONER_COMPILER_ABI)
set(PATCHIONER_LIBTORCH_VERSION ${Torch_VERSION})
patchioner_sdk_version(PATCHIONER_SDK_VERSION)
function(patchioner_configure_package folder)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/package/PatchionerConfig.cmake.in ${folder}/PatchionerConfig.cmake @ONLY)
  write_basic_package_version_file(${folder}/PatchionerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
endfunction()

set(package_include "${CMAKE_SOURCE_DIR}/core/include")
set(package_home "${CMAKE_BINARY_DIR}/bin")
set(package_program "${CMAKE_BINARY_DIR}/bin/patchioner")
set(package_libtorch "${PATCHIONER_LIBTORCH}")
set(package_functions "${CMAKE_SOURCE_DIR}/cmake")
patchioner_configure_package(${CMAKE_BINARY_DIR})

set(package_include "\${_patchioner_prefix}/include")
set(package_home "\${_patchioner_prefix}/${home}")
set(package_program "\${_patchioner_prefix}/bin/patchioner")
set(package_functions "\${CMAKE_CURRENT_LIST_DIR}")
if(PATCHIONER_BUNDLE_LIBTORCH)
  set(package_libtorch "\${_patchioner_prefix}/${home}/libtorch")
endif()
patchioner_configure_package(${CMAKE_BINARY_DIR}/package)
install(FILES ${CMAKE_BINARY_DIR}/package/PatchionerConfig.cmake ${CMAKE_BINARY_DIR}/package/PatchionerConfigVersion.cmake
              ${CMAKE_SOURCE_DIR}/cmake/PatchionerAddPlugin.cmake ${CMAKE_SOURCE_DIR}/cmake/PatchionerCompilerAbi.cmake
              ${CMAKE_SOURCE_DIR}/cmake/plugin_exports.map
        DESTINATION lib/cmake/Patchioner COMPONENT sdk)

# cpack in the build folder, or ./run package.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "Patchioner maintainers <maintainers@patchioner.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_NAME patchioner)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "g++, cmake, wordnet-base")
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
# One package; parts can be left out by CPACK_COMPONENTS_ALL.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_COMPONENTS_ALL program sdk)
if(PATCHIONER_BUNDLE_LIBTORCH)
  list(APPEND CPACK_COMPONENTS_ALL libtorch)
endif()
# Dependencies are what our libraries and LibTorch's need of Debian's.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/bin ${PATCHIONER_LIBTORCH}/lib)
include(CPack)

# What the runtime library exports, in the manner of glibc: the SDK's symbols under its version, what our own plugins, the program and the tests
# use of core under PATCHIONER_PRIVATE, and nothing else. Symbols of the SDK are those that core/sdk_surface.txt lists (tests/sdk/README.md).

# Sets ${result} to the number in `#define PATCHIONER_SDK_VERSION`.
function(patchioner_sdk_version result)
  set(header ${CMAKE_SOURCE_DIR}/core/include/patchioner/plugin.hpp)
  file(STRINGS ${header} line REGEX "^#define PATCHIONER_SDK_VERSION [0-9]+$")
  string(REGEX MATCH "[0-9]+$" version "${line}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
  set(${result} ${version} PARENT_SCOPE)
endfunction()

function(patchioner_limit_exports target)
  patchioner_sdk_version(version)
  set(surface ${CMAKE_SOURCE_DIR}/core/sdk_surface.txt)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${surface})
  file(STRINGS ${surface} lines REGEX "^_Z")
  set(symbols "")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^_Z[A-Za-z0-9_]+" symbol "${line}")
    string(APPEND symbols "    ${symbol};\n")
  endforeach()
  # Names of C++: functions, virtual tables and descriptions of types, thunks, and what is static in inline functions. Descriptions of types stay
  # common to all libraries, since checks at run time (UndefinedBehaviorSanitizer) compare them by address.
  set(private "")
  foreach(pattern _ZN10patchioner* _ZNK10patchioner* _ZNR10patchioner* _ZNKR10patchioner* _ZNO10patchioner* _ZT?N10patchioner*
                  _ZTh*N10patchioner* _ZThn*NK10patchioner* _ZTv*10patchioner* _ZTc*10patchioner* _ZGVN10patchioner* _ZGVZN*10patchioner*
                  _ZZN10patchioner* _ZZNK10patchioner* _ZGRN10patchioner*)
    string(APPEND private "    ${pattern};\n")
  endforeach()
  set(script ${CMAKE_CURRENT_BINARY_DIR}/exports.map)
  file(CONFIGURE OUTPUT ${script} @ONLY CONTENT
    "PATCHIONER_SDK_${version} {\n  global:\n${symbols}};\nPATCHIONER_PRIVATE {\n  global:\n${private}  local:\n    *;\n};\n")
  target_link_options(${target} PRIVATE -Wl,--version-script=${script})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script})
endfunction()

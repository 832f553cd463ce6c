# Sets ${result} to the number of the C++ compiler's ABI, which is part of PATCHIONER_BUILD_FINGERPRINT (patchioner/plugin.hpp).
function(patchioner_compiler_abi result)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} ${flags} -dM -E -x c++ /dev/null OUTPUT_VARIABLE macros ERROR_QUIET)
  string(REGEX MATCH "#define __GXX_ABI_VERSION ([0-9]+)" line "${macros}")
  set(${result} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

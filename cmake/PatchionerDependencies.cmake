# Everything that is not ours, in one place.

# ccache, when it is there. The precompiled header needs the sloppiness; see ccache(1), "Precompiled headers".
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
                                  CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

# LibTorch: any that CMAKE_PREFIX_PATH names, or LIBTORCH from the environment.
if(DEFINED ENV{LIBTORCH})
  list(APPEND CMAKE_PREFIX_PATH $ENV{LIBTORCH})
endif()
find_package(Torch REQUIRED)
string(STRIP "${TORCH_CXX_FLAGS}" TORCH_CXX_FLAGS)

find_package(Boost 1.74 REQUIRED COMPONENTS filesystem)
find_package(yaml-cpp REQUIRED)
include(FindOpenCVModules)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(GIF REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(Threads REQUIRED)

# Snowball's stemmers; the library has no CMake package of its own.
find_path(STEMMER_INCLUDE_DIR libstemmer.h)
find_library(STEMMER_LIBRARY stemmer)
if(NOT STEMMER_INCLUDE_DIR OR NOT STEMMER_LIBRARY)
  message(FATAL_ERROR "Snowball's stemmers were not found; on Debian: apt-get install libstemmer-dev")
endif()

# cpp-httplib as Debian compiles it; no CMake package of its own. Its header lies in the system's include folder and is included by
# core/src/support/http.hpp alone.
find_library(HTTPLIB_LIBRARY cpp-httplib)
if(NOT HTTPLIB_LIBRARY)
  message(FATAL_ERROR "cpp-httplib was not found; on Debian: apt-get install libcpp-httplib-dev")
endif()

# One interface target for the tensor library. Its include folder brings LibTorch's own fmt headers, which come first; the compiled part of
# {fmt} is core/src/support/fmt_implementation.cpp.
add_library(patchioner_dependencies INTERFACE)
target_include_directories(patchioner_dependencies SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS} ${Boost_INCLUDE_DIRS})
target_link_libraries(patchioner_dependencies INTERFACE ${TORCH_LIBRARIES} Threads::Threads)
separate_arguments(PATCHIONER_TORCH_FLAGS UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(patchioner_dependencies INTERFACE ${PATCHIONER_TORCH_FLAGS})

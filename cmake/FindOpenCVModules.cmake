# OpenCV's core, imgproc and imgcodecs as targets opencv_<module>. Debian ships OpenCV's own CMake package only with all of its 140
# dependencies (libopencv-dev); the three modules that we use come in packages of their own, without it.
find_package(OpenCV QUIET CONFIG COMPONENTS core imgproc imgcodecs)
if(NOT OpenCV_FOUND)
  find_path(OPENCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4)
  foreach(module core imgproc imgcodecs)
    find_library(OPENCV_${module}_LIBRARY opencv_${module})
    if(NOT OPENCV_INCLUDE_DIR OR NOT OPENCV_${module}_LIBRARY)
      message(FATAL_ERROR "OpenCV's module ${module} was not found; on Debian: apt-get install libopencv-${module}-dev")
    endif()
    add_library(opencv_${module} SHARED IMPORTED)
    set_target_properties(opencv_${module} PROPERTIES IMPORTED_LOCATION ${OPENCV_${module}_LIBRARY}
                                                      INTERFACE_INCLUDE_DIRECTORIES ${OPENCV_INCLUDE_DIR})
  endforeach()
  set_target_properties(opencv_imgproc opencv_imgcodecs PROPERTIES INTERFACE_LINK_LIBRARIES opencv_core)
endif()

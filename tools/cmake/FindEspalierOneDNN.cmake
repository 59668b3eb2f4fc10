# Finds oneDNN >= 3.1 and makes the imported target espalier::dnnl. Searched in this order: EspalierOneDNN_ROOT,
# CMAKE_PREFIX_PATH (variable, then environment), .deps/onednn as tools/setup.sh lays it out, the system.
# Sets EspalierOneDNN_FOUND, EspalierOneDNN_VERSION, and EspalierOneDNN_IS_BUNDLED: ON for the one in .deps.
# No config mode: the pinned package's config files name the folder of the machine that built it.
find_library(EspalierOneDNN_LIBRARY NAMES dnnl libdnnl.so.3 HINTS ${PROJECT_SOURCE_DIR}/.deps/onednn
             PATH_SUFFIXES lib NO_CACHE)

# The headers must be those of this very library (LibTorch brings oneDNN headers of another version).
set(_problem "oneDNN (libdnnl.so) was not found. Run tools/setup.sh, or name its folder by CMAKE_PREFIX_PATH")
if(EspalierOneDNN_LIBRARY)
  get_filename_component(_folder ${EspalierOneDNN_LIBRARY} DIRECTORY)
  find_path(EspalierOneDNN_INCLUDE_DIR NAMES oneapi/dnnl/dnnl_version.h
            PATHS ${_folder}/../include ${_folder}/../../include NO_DEFAULT_PATH NO_CACHE)
  set(_problem "${EspalierOneDNN_LIBRARY} has no include/oneapi/dnnl/dnnl_version.h beside its folder. Install its headers, or run tools/setup.sh")
endif()
if(EspalierOneDNN_INCLUDE_DIR)
  set(EspalierOneDNN_VERSION "")
  foreach(_part MAJOR MINOR PATCH)
    file(STRINGS ${EspalierOneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h _line REGEX "define DNNL_VERSION_${_part} ")
    string(REGEX MATCH "[0-9]+" _number "${_line}")
    string(APPEND EspalierOneDNN_VERSION ".${_number}")
  endforeach()
  string(SUBSTRING ${EspalierOneDNN_VERSION} 1 -1 EspalierOneDNN_VERSION)
  if(EspalierOneDNN_VERSION VERSION_LESS 3.1)
    set(_problem "oneDNN ${EspalierOneDNN_VERSION} (${EspalierOneDNN_LIBRARY}) is refused: before 3.1 a matmul takes no scales at run time, which dynamic int8 needs. Run tools/setup.sh, which fetches 3.2, or name a newer one by CMAKE_PREFIX_PATH")
    unset(EspalierOneDNN_INCLUDE_DIR)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(EspalierOneDNN
  REQUIRED_VARS EspalierOneDNN_LIBRARY EspalierOneDNN_INCLUDE_DIR VERSION_VAR EspalierOneDNN_VERSION
  REASON_FAILURE_MESSAGE "${_problem}")

if(EspalierOneDNN_FOUND AND NOT TARGET espalier::dnnl)
  # The packaged library computes on libgomp's threads; who sets their number calls libgomp itself.
  add_library(espalier::dnnl SHARED IMPORTED GLOBAL)
  set_target_properties(espalier::dnnl PROPERTIES IMPORTED_LOCATION ${EspalierOneDNN_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${EspalierOneDNN_INCLUDE_DIR}
                        INTERFACE_LINK_LIBRARIES gomp)
endif()
cmake_path(IS_PREFIX PROJECT_SOURCE_DIR "${EspalierOneDNN_LIBRARY}" NORMALIZE EspalierOneDNN_IS_BUNDLED)

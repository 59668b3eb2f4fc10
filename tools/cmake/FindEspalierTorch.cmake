# Finds LibTorch >= 2.4 and makes the imported target espalier::torch. Searched in this order: EspalierTorch_ROOT,
# CMAKE_PREFIX_PATH (variable, then environment; a LibTorch folder or a site-packages one), .deps/torch as
# tools/setup.sh lays it out, the system. Sets EspalierTorch_FOUND, EspalierTorch_VERSION, EspalierTorch_HAS_CUDA.
# Not find_package(Torch): a CUDA build's config stops unless the whole CUDA toolkit is there, and its CPU half needs none.
find_library(EspalierTorch_LIBRARY NAMES torch_cpu HINTS ${PROJECT_SOURCE_DIR}/.deps/torch
             PATH_SUFFIXES lib torch/lib NO_CACHE)

set(_problem "LibTorch (libtorch_cpu.so) was not found. Run tools/setup.sh, name its folder by CMAKE_PREFIX_PATH, or build without it: -DESPALIER_WITH_TRAINING=OFF")
if(EspalierTorch_LIBRARY)
  get_filename_component(_folder ${EspalierTorch_LIBRARY} DIRECTORY)
  find_library(EspalierTorch_C10_LIBRARY NAMES c10 PATHS ${_folder} NO_DEFAULT_PATH NO_CACHE)
  find_path(EspalierTorch_INCLUDE_DIR NAMES torch/csrc/api/include/torch/torch.h
            PATHS ${_folder}/../include ${_folder}/../../include NO_DEFAULT_PATH NO_CACHE)
  set(_problem "${EspalierTorch_LIBRARY} has no include/torch/csrc/api/include/torch/torch.h beside its folder. Install its headers, or run tools/setup.sh")
endif()
if(EspalierTorch_INCLUDE_DIR)
  # The version moved from the first file to the second in 2.9.
  set(EspalierTorch_VERSION "")
  foreach(_file torch/csrc/api/include/torch/version.h torch/headeronly/version.h)
    if(NOT EspalierTorch_VERSION AND EXISTS ${EspalierTorch_INCLUDE_DIR}/${_file})
      file(STRINGS ${EspalierTorch_INCLUDE_DIR}/${_file} _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
      string(REGEX REPLACE "[^;]*TORCH_VERSION_[A-Z]+ ([0-9]+)[^;]*" "\\1" _lines "${_lines}")
      string(REPLACE ";" "." EspalierTorch_VERSION "${_lines}")
    endif()
  endforeach()
  # libc10 is small and full of strings: without one mangled __cxx11 name it was built with the other std::string.
  file(STRINGS ${EspalierTorch_C10_LIBRARY} _new_abi REGEX "__cxx11" LIMIT_COUNT 1)
  if(EspalierTorch_VERSION VERSION_LESS 2.4)
    set(_problem "LibTorch ${EspalierTorch_VERSION} (${EspalierTorch_LIBRARY}) is refused: 2.4 is the oldest supported, and Debian's 1.13 multiplies on the reference BLAS, 35 times slower. Run tools/setup.sh, which fetches 2.15, or name a newer one by CMAKE_PREFIX_PATH")
    unset(EspalierTorch_INCLUDE_DIR)
  elseif(NOT _new_abi)
    set(_problem "${EspalierTorch_LIBRARY} is refused: it was built with _GLIBCXX_USE_CXX11_ABI=0, whose std::string is not this compiler's. Take the cxx11-abi download of LibTorch, or run tools/setup.sh")
    unset(EspalierTorch_INCLUDE_DIR)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(EspalierTorch
  REQUIRED_VARS EspalierTorch_LIBRARY EspalierTorch_C10_LIBRARY EspalierTorch_INCLUDE_DIR
  VERSION_VAR EspalierTorch_VERSION REASON_FAILURE_MESSAGE "${_problem}")

set(EspalierTorch_HAS_CUDA OFF)
if(EspalierTorch_FOUND AND EXISTS ${_folder}/libtorch_cuda.so AND EXISTS ${_folder}/libc10_cuda.so)
  # Half of a CUDA build (no cuDNN, no cuBLAS) would not start: link it only if the loader finds all it names.
  execute_process(COMMAND ldd ${_folder}/libtorch_cuda.so OUTPUT_VARIABLE _needed ERROR_QUIET RESULT_VARIABLE _status)
  if(_status EQUAL 0 AND NOT _needed MATCHES "not found")
    set(EspalierTorch_HAS_CUDA ON)
  endif()
endif()

if(EspalierTorch_FOUND AND NOT TARGET espalier::torch)
  # An interface over whole libraries: operators and devices register themselves when a library is loaded, so none
  # may be dropped as unused.
  add_library(espalier::torch INTERFACE IMPORTED GLOBAL)
  set(_libraries ${EspalierTorch_LIBRARY} ${EspalierTorch_C10_LIBRARY})
  if(EspalierTorch_HAS_CUDA)
    list(APPEND _libraries ${_folder}/libtorch_cuda.so ${_folder}/libc10_cuda.so)
  endif()
  target_link_libraries(espalier::torch INTERFACE -Wl,--push-state,--no-as-needed ${_libraries} -Wl,--pop-state)
  target_include_directories(espalier::torch SYSTEM INTERFACE
    ${EspalierTorch_INCLUDE_DIR} ${EspalierTorch_INCLUDE_DIR}/torch/csrc/api/include)
  message(STATUS "LibTorch ${EspalierTorch_VERSION}, CUDA half: ${EspalierTorch_HAS_CUDA}")
endif()

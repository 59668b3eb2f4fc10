# Options of the build and the one interface target that carries warnings and language level.
if(PROJECT_IS_TOP_LEVEL)  # as a part of another project it is that one's to say
  option(BUILD_SHARED_LIBS "libespalier as a shared library; OFF: as an archive" ON)
endif()
option(ESPALIER_WITH_ONEDNN "CPU back end on oneDNN (>= 3.1)" ON)
option(ESPALIER_WITH_TRAINING "Tools that need LibTorch (>= 2.4)" OFF)
option(ESPALIER_BUILD_TOOLS "Command line programs" ON)
option(ESPALIER_BUILD_TESTS "Tests" ${PROJECT_IS_TOP_LEVEL})
option(ESPALIER_BUILD_BENCHMARKS "Benchmarks" OFF)
option(ESPALIER_WERROR "Warnings are errors" OFF)
option(ESPALIER_FUZZER "Fuzz targets as libFuzzer programs (clang, with ESPALIER_SANITIZE)" OFF)
set(ESPALIER_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=: address,undefined or thread")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness that files with a precompiled header need, or they are never found in the cache.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
set(CMAKE_CXX_EXTENSIONS OFF)

add_library(espalier_flags INTERFACE)
target_compile_features(espalier_flags INTERFACE cxx_std_20)
# No contraction anywhere: the int8 mode promises the same bits from every compiler.
target_compile_options(espalier_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                       # GCC 12 warns of overlaps inside std::string that cannot be (its PR 105651).
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                       -ffp-contract=off $<$<BOOL:${ESPALIER_WERROR}>:-Werror>)
if(ESPALIER_SANITIZE)
  target_compile_options(espalier_flags INTERFACE -fsanitize=${ESPALIER_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(espalier_flags INTERFACE -fsanitize=${ESPALIER_SANITIZE})
endif()


# espalier_add_room(name SOURCES files... LINKS targets...): one static library a room, position
# independent (the shared library is made of them) and hidden by default.
function(espalier_add_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(espalier_${name} STATIC ${ROOM_SOURCES})
  add_library(espalier::${name} ALIAS espalier_${name})
  target_include_directories(espalier_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  target_link_libraries(espalier_${name} PUBLIC ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS}
                        $<BUILD_INTERFACE:espalier_flags>)
  set_target_properties(espalier_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(ESPALIER_FUZZER)
    target_compile_options(espalier_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# espalier_precompile(target FROM owner HEADERS <h>...): headers that take seconds, read once for all targets that name the
# same owner. An owner precompiles them, the others take its result; so all are compiled with the same options.
function(espalier_precompile target)
  cmake_parse_arguments(PCH "" "FROM" "HEADERS" ${ARGN})
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  # As an option, because CMake's property means -fPIE for a program.
  target_compile_options(${target} PRIVATE -fPIC)
  # What lets ccache answer for such files, too.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
                         "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  if(target STREQUAL PCH_FROM)
    target_precompile_headers(${target} PRIVATE ${PCH_HEADERS})
  else()
    target_precompile_headers(${target} REUSE_FROM ${PCH_FROM})
  endif()
endfunction()

# For every target that sees LibTorch, whose headers take most of its compile time.
function(espalier_precompile_torch)
  foreach(target ${ARGN})
    espalier_precompile(${target} FROM espalier_model HEADERS <ATen/ATen.h>)
  endforeach()
endfunction()

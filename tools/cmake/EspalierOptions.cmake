# Options of the build and the one interface target that carries warnings and language level.
option(ESPALIER_WITH_ONEDNN "CPU back end on oneDNN (>= 3.1)" ON)
option(ESPALIER_WITH_TRAINING "Tools that need LibTorch (>= 2.4)" OFF)
option(ESPALIER_BUILD_TOOLS "Command line programs" ON)
option(ESPALIER_BUILD_TESTS "Tests" ${PROJECT_IS_TOP_LEVEL})
option(ESPALIER_BUILD_BENCHMARKS "Benchmarks" OFF)
option(ESPALIER_WERROR "Warnings are errors" OFF)
set(ESPALIER_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=: address,undefined or thread")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(espalier_flags INTERFACE)
target_compile_features(espalier_flags INTERFACE cxx_std_20)
# No contraction anywhere: the int8 mode promises the same bits from every compiler.
target_compile_options(espalier_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                       # GCC 12 warns of overlaps inside std::string that cannot be (its PR 105651).
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                       -ffp-contract=off $<$<BOOL:${ESPALIER_WERROR}>:-Werror>)
if(ESPALIER_SANITIZE)
  target_compile_options(espalier_flags INTERFACE -fsanitize=${ESPALIER_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
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
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS OFF)
endfunction()

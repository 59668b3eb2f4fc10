# Builds the library as an archive, installs it, moves the result elsewhere, and links programs to it through find_package
# and through pkg-config --static. Run by CTest with the -D definitions of CMakeLists.txt here.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

set(BUILD ${WORK}/library)
file(MAKE_DIRECTORY ${BUILD})
file(GLOB leftovers ${WORK}/*)
list(REMOVE_ITEM leftovers ${BUILD})  # objects that are up to date are not built again
file(REMOVE_RECURSE ${WORK}/elsewhere ${leftovers})
file(MAKE_DIRECTORY ${WORK}/elsewhere)
separate_arguments(SAME)
run(${SOURCE} ${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE} -B ${BUILD} -DBUILD_SHARED_LIBS=OFF ${SAME}
    -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_INSTALL_LIBDIR=${LIBRARY_FOLDER}
    -DESPALIER_BUILD_TOOLS=OFF -DESPALIER_BUILD_TESTS=OFF)
run(${SOURCE} ${CMAKE_COMMAND} --build ${BUILD} --target espalier)
run(${WORK} ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/elsewhere/espalier)
set(prefix ${WORK}/elsewhere/espalier)
file(GLOB shared ${prefix}/${LIBRARY_FOLDER}/libespalier.so*)
if(shared)
  message(FATAL_ERROR "a shared library was installed beside the archive: ${shared}")
endif()
expect_movable(${prefix})

run(${WORK} ${MAKE_TINY_CHECKPOINT} ${WORK}/checkpoint)
run(${WORK} ${ESPALIER} quantize ${WORK}/checkpoint -o ${WORK}/sentiment.espl)
run(${WORK} ${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE}/tests/consumer/project -B ${WORK}/consumer
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_CXX_COMPILER=${COMPILER} -DSNIPPETS=${WORK}/none)
run(${WORK} ${CMAKE_COMMAND} --build ${WORK}/consumer)

function(expect_no_shared_espalier program)
  run(${WORK} readelf -d ${program})
  if(NOT output MATCHES "NEEDED" OR output MATCHES "libespalier")
    message(FATAL_ERROR "${program} was not linked to the archive:\n${output}")
  endif()
endfunction()

expect_no_shared_espalier(${WORK}/consumer/consumer)
run(${WORK} ${WORK}/consumer/consumer ${WORK}/sentiment.espl)
expect_answers("${output}")
set(answers "${output}")
run(${WORK} ${WORK}/consumer/consumer_c ${WORK}/sentiment.espl)
expect_the_same_answers("${output}" consumer_c)

set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBRARY_FOLDER}/pkgconfig)
run(${WORK} ${PKG_CONFIG} --static --cflags --libs espalier)
string(STRIP "${output}" flags)
separate_arguments(flags UNIX_COMMAND "${flags}")
run(${WORK} ${COMPILER} -std=c++20 ${SOURCE}/tests/consumer/project/main.cpp ${flags} -o ${WORK}/by_pkg_config)
expect_no_shared_espalier(${WORK}/by_pkg_config)
run(${WORK} ${WORK}/by_pkg_config ${WORK}/sentiment.espl)
expect_the_same_answers("${output}" "main.cpp by pkg-config")
run(${WORK} ${C_COMPILER} -std=c99 -Wall -Wextra -pedantic -Werror ${SOURCE}/tests/consumer/project/main.c ${flags}
    -o ${WORK}/c_by_pkg_config)
run(${WORK} ${WORK}/c_by_pkg_config ${WORK}/sentiment.espl)
expect_the_same_answers("${output}" "main.c by pkg-config")

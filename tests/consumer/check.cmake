# Installs the build tree, moves the result elsewhere, and builds and runs programs against it: relocatable, complete,
# and usable through find_package and through pkg-config. Run by CTest with the -D definitions of CMakeLists.txt here.

include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/elsewhere)
run(${WORK} ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/elsewhere/espalier)
set(prefix ${WORK}/elsewhere/espalier)

# What is installed names neither the build tree nor the place it was first installed to.
file(GLOB binaries ${prefix}/bin/* ${prefix}/${LIBRARY_FOLDER}/libespalier.so)
foreach(binary IN LISTS binaries)
  run(${WORK} readelf -d ${binary})
  string(REGEX MATCHALL "(NEEDED|PATH)[^\n]*" entries "${output}")
  expect_free_of_build_folders("${entries}" ${binary})
endforeach()
expect_movable(${prefix})

run(${WORK} ${MAKE_TINY_CHECKPOINT} ${WORK}/checkpoint)
run(${WORK} ${prefix}/bin/espalier quantize ${WORK}/checkpoint -o ${WORK}/sentiment.espl)
run(${WORK} ${prefix}/bin/espalier-run ${WORK}/sentiment.espl --text "a charming journey")
if(NOT output MATCHES "\"label\"")
  message(FATAL_ERROR "espalier-run printed no label: ${output}")
endif()

run(${WORK} ${PYTHON} -B ${TAKE_CODE} ${SOURCE} ${WORK}/snippets)
run(${WORK} ${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE}/tests/consumer/project -B ${WORK}/build
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_CXX_COMPILER=${COMPILER} -DSNIPPETS=${WORK}/snippets)
run(${WORK} ${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK} ${WORK}/build/consumer ${WORK}/sentiment.espl)
expect_answers("${output}")
set(answers "${output}")

run(${WORK} ${WORK}/build/consumer_c ${WORK}/sentiment.espl)
expect_the_same_answers("${output}" consumer_c)
run(${WORK} ${PYTHON} -B ${SOURCE}/tests/consumer/project/classify.py ${prefix}/${LIBRARY_FOLDER}/libespalier.so
    ${WORK}/sentiment.espl)
expect_the_same_answers("${output}" classify.py)

file(GLOB programs ${WORK}/build/run_*)
foreach(program IN LISTS programs)
  run(${WORK} ${program})
endforeach()
file(GLOB programs ${WORK}/snippets/run_*.py)
foreach(program IN LISTS programs)  # they name the library as an installed one is named
  run(${WORK} ${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${prefix}/${LIBRARY_FOLDER} ${PYTHON} -B ${program})
endforeach()

set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBRARY_FOLDER}/pkgconfig)
run(${WORK} ${PKG_CONFIG} --cflags --libs espalier)
string(STRIP "${output}" flags)
separate_arguments(flags UNIX_COMMAND "${flags}")
run(${WORK} ${COMPILER} -std=c++20 ${SOURCE}/tests/consumer/project/main.cpp ${flags}
    -Wl,-rpath,${prefix}/${LIBRARY_FOLDER} -o ${WORK}/by_pkg_config)
run(${WORK} ${WORK}/by_pkg_config ${WORK}/sentiment.espl)
expect_the_same_answers("${output}" "main.cpp by pkg-config")
run(${WORK} ${C_COMPILER} -std=c99 -Wall -Wextra -pedantic -Werror ${SOURCE}/tests/consumer/project/main.c ${flags}
    -Wl,-rpath,${prefix}/${LIBRARY_FOLDER} -o ${WORK}/c_by_pkg_config)
run(${WORK} ${WORK}/c_by_pkg_config ${WORK}/sentiment.espl)
expect_the_same_answers("${output}" "main.c by pkg-config")

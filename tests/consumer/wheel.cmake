# Builds the wheel, installs it into a fresh virtual environment and asks models of every task through it; the scores must be
# those of a C++ program. Run by CTest with the -D definitions of CMakeLists.txt here.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
execute_process(COMMAND ${PYTHON} -m venv ${WORK}/environment RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
if(NOT status EQUAL 0)
  message(STATUS "skipped: this Python makes no virtual environment with pip: ${printed}")
  return()
endif()
set(python ${WORK}/environment/bin/python)

run(${WORK} ${CMAKE_COMMAND} --build ${BUILD} --target espalier_wheel)
file(GLOB wheels ${BUILD}/wheel/*.whl)
list(LENGTH wheels n_wheels)
if(NOT n_wheels EQUAL 1)
  message(FATAL_ERROR "not one wheel: ${wheels}")
endif()
run(${WORK} ${python} -m pip install --no-index --disable-pip-version-check ${wheels})
run(${WORK} ${python} -m pip check)

foreach(kind sequence tokens masked_lm embedding)
  run(${WORK} ${MAKE_TINY_CHECKPOINT} ${WORK}/${kind} ${kind})
  run(${WORK} ${ESPALIER} quantize ${WORK}/${kind} -o ${WORK}/${kind}.espl)
endforeach()
get_filename_component(library_folder ${LIBRARY} DIRECTORY)
run(${WORK} ${COMPILER} -std=c++20 ${SOURCE}/tests/consumer/project/main.cpp -I${SOURCE}/include ${LIBRARY}
    -Wl,-rpath,${library_folder} -o ${WORK}/consumer)
run(${WORK} ${WORK}/consumer ${WORK}/sequence.espl)
expect_answers("${output}")
set(answers "${output}")

run(${WORK} ${PYTHON} -B ${TAKE_CODE} ${SOURCE} ${WORK}/snippets)
file(COPY_FILE ${WORK}/sequence.espl ${WORK}/sentiment.espl)
file(GLOB programs ${WORK}/snippets/wheel_*.py)
if(NOT programs)
  message(FATAL_ERROR "the documentation shows no program that imports the package")
endif()
foreach(program IN LISTS programs)
  run(${WORK} ${python} -I ${program})
endforeach()

# -I: nothing of the caller's environment or of this folder helps it.
run(${WORK} ${python} -I ${SOURCE}/tests/consumer/project/by_wheel.py ${WORK})
expect_the_same_answers("${output}" by_wheel.py)

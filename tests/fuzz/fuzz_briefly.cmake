# Fuzzes one target for ten seconds from its seeds and its corpus; what crashes it is left in WORK, named in the output.
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/found)
execute_process(COMMAND ${REPLAY} --write ${WORK}/seeds COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${FUZZ} -max_total_time=10 -timeout=10 -rss_limit_mb=2048 -max_len=32768 -print_final_stats=1
                        -artifact_prefix=${WORK}/ ${WORK}/found ${WORK}/seeds ${CORPUS}
                WORKING_DIRECTORY ${WORK} RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${printed}")
endif()
string(REGEX MATCH "number_of_executed_units: ([0-9]+)" found "${printed}")
if(NOT CMAKE_MATCH_1 GREATER 20)  # programs of C calls are slow on a busy machine
  message(FATAL_ERROR "hardly anything was run:\n${printed}")
endif()
message("${CMAKE_MATCH_1} inputs")

# What the tests of the installed tree and of the packages share.

function(run)  # run(WORKING_FOLDER command...): stops the test if the command fails; its output is left in `output`
  list(POP_FRONT ARGV folder)
  # Without the caller's library path: the installed tree must find its libraries itself.
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=LD_LIBRARY_PATH ${ARGV} WORKING_DIRECTORY ${folder}
                  OUTPUT_VARIABLE printed ERROR_VARIABLE printed_error RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "exit status ${status}: ${command}\n${printed}${printed_error}")
  endif()
  set(output "${printed}" PARENT_SCOPE)
endfunction()

function(expect_answers text)
  if(NOT text MATCHES "^(negative|positive) [01](\\.[0-9]+)?\n(negative|positive) [01](\\.[0-9]+)?\n$")
    message(FATAL_ERROR "not two labels with their scores: ${text}")
  endif()
endfunction()

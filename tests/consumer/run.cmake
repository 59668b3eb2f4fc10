# What the tests of the installed tree, of the archive and of the packages share.

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

function(expect_the_same_answers text program)
  if(NOT text STREQUAL answers)
    message(FATAL_ERROR "${program} answers\n${text}and the C++ program\n${answers}")
  endif()
endfunction()

function(expect_free_of_build_folders text name)
  foreach(folder ${BUILD} ${WORK})
    string(FIND "${text}" ${folder} place)
    if(NOT place EQUAL -1)
      message(FATAL_ERROR "${name} is bound to ${folder}:\n${text}")
    endif()
  endforeach()
endfunction()

function(expect_movable prefix)  # by what CMake and pkg-config read there
  file(GLOB_RECURSE texts ${prefix}/*.cmake ${prefix}/*.pc)
  foreach(text IN LISTS texts)
    file(READ ${text} content)
    expect_free_of_build_folders("${content}" ${text})
  endforeach()
endfunction()

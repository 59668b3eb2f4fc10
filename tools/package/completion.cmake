# Makes the completion scripts of the shells: the option tables of PROGRAMS, put into the scripts beside this file.
#   cmake -DPROGRAMS=a,b -DOUT=FOLDER -P completion.cmake
string(REPLACE "," ";" programs "${PROGRAMS}")
set(table "")
foreach(program IN LISTS programs)
  execute_process(COMMAND ${program} help --completion-table OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND table "${lines}")
endforeach()
string(STRIP "${table}" table)
foreach(script espalier.bash _espalier espalier.fish)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${script}.in ${OUT}/${script} @ONLY)
endforeach()

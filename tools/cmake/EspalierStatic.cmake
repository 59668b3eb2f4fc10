# The libraries that a program links besides an archive libespalier.a: espalierDependencies.cmake finds them for
# find_package(espalier), and the .pc file names them for `pkg-config --static`. Included by EspalierInstall.cmake.
find_package(Utf8proc REQUIRED)
set(_libs_private "")

# _link_privately(library option): `option`, and where it is found if the linker does not look there itself.
function(_link_privately library option)
  get_filename_component(folder ${library} DIRECTORY)
  if(NOT folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
    string(APPEND _libs_private " -L${folder}")
  endif()
  set(_libs_private "${_libs_private} ${option}" PARENT_SCOPE)
endfunction()

set(_onednn_of_prefix "")
set(_onednn_of_system "")
if(ESPALIER_WITH_ONEDNN)
  get_filename_component(_name ${EspalierOneDNN_LIBRARY} NAME)
  if(EspalierOneDNN_IS_BUNDLED)
    # Nobody else looks into our private folder, so the program has to be told of it at run time, too.
    get_filename_component(_name ${_library} NAME)
    set(_onednn_of_prefix ${_private_folder}/${_name})
    string(APPEND _libs_private " -L\${libdir}/espalier -Wl,-rpath,\${libdir}/espalier -l:${_name}")
  else()
    set(_onednn_of_system ${EspalierOneDNN_LIBRARY})
    _link_privately(${EspalierOneDNN_LIBRARY} -l:${_name})
  endif()
  string(APPEND _libs_private " -lgomp")
endif()
_link_privately(${Utf8proc_LIBRARY} -lutf8proc)
string(APPEND _libs_private " -pthread -lstdc++ -lm")

configure_file(${CMAKE_CURRENT_LIST_DIR}/espalierDependencies.cmake.in
               ${PROJECT_BINARY_DIR}/package/espalierDependencies.cmake @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/espalierDependencies.cmake ${CMAKE_CURRENT_LIST_DIR}/FindUtf8proc.cmake
        DESTINATION ${_config_folder} COMPONENT development)

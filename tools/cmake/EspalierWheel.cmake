# `cmake --build ... --target espalier_wheel`: the Python package with the installed library and its oneDNN, as
# wheel/espalier-*.whl in the build tree. Only where that is all it takes: no archive, and no oneDNN of the user's own.
get_target_property(_library_type espalier TYPE)
find_package(Python3 COMPONENTS Interpreter)
if(_library_type STREQUAL SHARED_LIBRARY AND Python3_FOUND AND (NOT ESPALIER_WITH_ONEDNN OR EspalierOneDNN_IS_BUNDLED))
  set(_wheel_stage ${PROJECT_BINARY_DIR}/wheel/stage)
  string(TOLOWER "${CMAKE_SYSTEM_NAME}_${CMAKE_SYSTEM_PROCESSOR}" _platform)
  add_custom_target(espalier_wheel
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${PROJECT_BINARY_DIR}/wheel
    COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --component runtime --strip --prefix ${_wheel_stage}
    COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tools/python/make_wheel.py --version ${PROJECT_VERSION}
            --platform ${_platform} --module ${PROJECT_SOURCE_DIR}/tools/python/espalier
            --libraries ${_wheel_stage}/${CMAKE_INSTALL_LIBDIR} --licenses ${_wheel_stage}/${CMAKE_INSTALL_DOCDIR}
            --out ${PROJECT_BINARY_DIR}/wheel
    DEPENDS espalier VERBATIM)
endif()

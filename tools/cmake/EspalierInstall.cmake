# What `cmake --install` lays down: the library, its headers, the programs, and how CMake and pkg-config find them.
# The tree can be moved: programs look for libespalier in ../lib, and it looks beside itself. The oneDNN that
# tools/setup.sh fetched is no package of the system, so its libdnnl.so.3 goes along; one of the user's own is left
# where it is and found there. libgomp.so.1 is the system's (Debian: libgomp1).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/espalier)
file(RELATIVE_PATH _from_programs_to_library /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set_target_properties(espalier PROPERTIES INSTALL_RPATH "$ORIGIN")

install(TARGETS espalier EXPORT espalierTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/espalier DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(_installed espalier)
foreach(_program espalier_cli espalier_run)
  if(TARGET ${_program})
    set_target_properties(${_program} PROPERTIES INSTALL_RPATH "$ORIGIN/${_from_programs_to_library}")
    install(TARGETS ${_program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    list(APPEND _installed ${_program})
  endif()
endforeach()

# LibTorch is a large package of the user's own: where it was found at build time it is looked for later.
foreach(_program espalier_train_program espalier_distill_program)
  if(TARGET ${_program})
    set_target_properties(${_program} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS ${_program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

if(ESPALIER_WITH_ONEDNN)
  find_package(EspalierOneDNN 3.1 REQUIRED)
  if(EspalierOneDNN_IS_BUNDLED)
    get_filename_component(_library ${EspalierOneDNN_LIBRARY} REALPATH)
    get_filename_component(_prefix ${EspalierOneDNN_INCLUDE_DIR} DIRECTORY)
    install(FILES ${_library} DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(DIRECTORY ${_prefix}/share/doc/onednn DESTINATION ${CMAKE_INSTALL_DOCDIR})
  else()
    set_target_properties(${_installed} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  endif()
endif()

install(EXPORT espalierTargets NAMESPACE espalier:: DESTINATION ${_config_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/espalierConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/espalierConfig.cmake INSTALL_DESTINATION ${_config_folder})
# While the major version is 0, every minor one may break source compatibility.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/espalierConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/espalierConfig.cmake
              ${PROJECT_BINARY_DIR}/package/espalierConfigVersion.cmake DESTINATION ${_config_folder})

# The .pc file finds its own prefix by the way back from its folder, so it moves with the tree.
file(RELATIVE_PATH _from_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/tools/package/espalier.pc.in ${PROJECT_BINARY_DIR}/package/espalier.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/espalier.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

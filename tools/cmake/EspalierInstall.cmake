# What `cmake --install` lays down: the library, its headers, the programs, and how CMake and pkg-config find them.
# The tree can be moved: programs look for libespalier in ../lib, and it looks beside itself. The oneDNN that
# tools/setup.sh fetched is no package of the system, so its libdnnl.so.3 goes along, in a folder of ours where it is in
# nobody's way; one of the user's own is left where it is and found there. libgomp.so.1 is the system's (Debian: libgomp1).
# Components: runtime (library), development (headers and how they are found), tools (programs), training (those on LibTorch).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/espalier)
file(RELATIVE_PATH _from_programs_to_library /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set(_private_folder ${CMAKE_INSTALL_LIBDIR}/espalier)
set_target_properties(espalier PROPERTIES INSTALL_RPATH "$ORIGIN/espalier")

install(TARGETS espalier EXPORT espalierTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/espalier DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)

set(_installed espalier)
foreach(_program espalier_cli espalier_run)
  if(TARGET ${_program})
    set_target_properties(${_program} PROPERTIES
      INSTALL_RPATH "$ORIGIN/${_from_programs_to_library};$ORIGIN/${_from_programs_to_library}/espalier")
    install(TARGETS ${_program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
    list(APPEND _installed ${_program})
  endif()
endforeach()

# LibTorch is a large package of the user's own: where it was found at build time it is looked for later.
foreach(_program espalier_train_program espalier_distill_program espalier_prune_program espalier_quantize_program)
  if(TARGET ${_program})
    set_target_properties(${_program} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS ${_program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT training)
  endif()
endforeach()

if(ESPALIER_WITH_ONEDNN)
  find_package(EspalierOneDNN 3.1 REQUIRED)
  if(EspalierOneDNN_IS_BUNDLED)
    get_filename_component(_library ${EspalierOneDNN_LIBRARY} REALPATH)
    get_filename_component(_prefix ${EspalierOneDNN_INCLUDE_DIR} DIRECTORY)
    install(FILES ${_library} DESTINATION ${_private_folder} COMPONENT runtime)
    install(DIRECTORY ${_prefix}/share/doc/onednn DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
  else()
    set_target_properties(${_installed} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  endif()
endif()

get_target_property(_library_type espalier TYPE)
if(_library_type STREQUAL STATIC_LIBRARY)
  include(EspalierStatic)
endif()
install(EXPORT espalierTargets NAMESPACE espalier:: DESTINATION ${_config_folder} COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/espalierConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/espalierConfig.cmake INSTALL_DESTINATION ${_config_folder})
# While the major version is 0, every minor one may break source compatibility.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/espalierConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/espalierConfig.cmake
              ${PROJECT_BINARY_DIR}/package/espalierConfigVersion.cmake
        DESTINATION ${_config_folder} COMPONENT development)

# The .pc file finds its own prefix by the way back from its folder, so it moves with the tree.
file(RELATIVE_PATH _from_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/tools/package/espalier.pc.in ${PROJECT_BINARY_DIR}/package/espalier.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/espalier.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# Completion in the shells, from the programs' own option tables; a cross-built program cannot be asked.
if(TARGET espalier_cli AND NOT CMAKE_CROSSCOMPILING)
  set(_completion ${PROJECT_BINARY_DIR}/completion)
  set(_programs espalier_cli)
  foreach(_program espalier_train_program espalier_distill_program espalier_prune_program espalier_quantize_program)
    if(TARGET ${_program})
      list(APPEND _programs ${_program})
    endif()
  endforeach()
  list(TRANSFORM _programs REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE _paths)
  list(JOIN _paths "," _paths)
  file(GLOB _scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/package/*.in)
  add_custom_command(OUTPUT ${_completion}/espalier.bash ${_completion}/_espalier ${_completion}/espalier.fish
    COMMAND ${CMAKE_COMMAND} -DPROGRAMS=${_paths} -DOUT=${_completion}
            -P ${PROJECT_SOURCE_DIR}/tools/package/completion.cmake
    DEPENDS ${_programs} ${PROJECT_SOURCE_DIR}/tools/package/completion.cmake ${_scripts} VERBATIM)
  add_custom_target(espalier_completion ALL DEPENDS ${_completion}/espalier.bash)
  install(FILES ${_completion}/espalier.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
          RENAME espalier COMPONENT tools)
  install(FILES ${_completion}/_espalier DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT tools)
  install(FILES ${_completion}/espalier.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT tools)
endif()

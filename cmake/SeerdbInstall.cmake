# What `cmake --install` installs: libraries, public headers, programs, the CMake package `seerdb` (targets
# seerdb::seerdb and seerdb::seerdb_shared) and seerdb.pc. tests/install checks all of it from outside.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/seerdb)
set(libraries seerdb)
if(TARGET seerdb_shared)
  list(APPEND libraries seerdb_shared)
endif()
install(TARGETS ${libraries} EXPORT seerdbTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/seerdb DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.inc")
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT seerdbTargets NAMESPACE seerdb:: DESTINATION ${package_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/seerdbConfig.cmake.in
  ${CMAKE_BINARY_DIR}/seerdbConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/seerdbConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/seerdbConfig.cmake ${CMAKE_BINARY_DIR}/seerdbConfigVersion.cmake
  DESTINATION ${package_folder})

# Relative to the folder of seerdb.pc, so that an installed tree can be moved.
file(RELATIVE_PATH SEERDB_PC_PREFIX /seerdb/${CMAKE_INSTALL_LIBDIR}/pkgconfig /seerdb)
configure_file(${CMAKE_CURRENT_LIST_DIR}/seerdb.pc.in ${CMAKE_BINARY_DIR}/seerdb.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/seerdb.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

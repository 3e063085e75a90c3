# What `cmake --install` leaves behind: the public headers, the libraries, and a package that
# find_package(rhohat) finds.
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY RHOHAT_LAYERS)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rhohat)

install(DIRECTORY include/rhohat DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS rhohat ${layers} EXPORT rhohat-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT rhohat-targets NAMESPACE rhohat:: DESTINATION ${package_dir})
configure_package_config_file(cmake/rhohat-config.cmake.in
  ${PROJECT_BINARY_DIR}/rhohat-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rhohat-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rhohat-config.cmake
              ${PROJECT_BINARY_DIR}/rhohat-config-version.cmake
        DESTINATION ${package_dir})

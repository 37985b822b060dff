# SPDX-License-Identifier: GPL-3.0-or-later
# What `cmake --install` installs of the engine: the library with its headers and its package, and the resources. The programs
# and modules install themselves, in their own folders. Everything finds the rest by where it lies itself
# (engine/base/installation.h), so an installation may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
include(${CMAKE_CURRENT_SOURCE_DIR}/public_headers.cmake)
list(TRANSFORM ZIGZAG_PUBLIC_HEADERS PREPEND ${CMAKE_SOURCE_DIR}/)

# A shared library of the very objects that the programs are linked from: who uses it needs none of the libraries behind it.
add_library(zigzag_library SHARED $<TARGET_OBJECTS:zigzag_engine>)
target_link_libraries(zigzag_library PRIVATE zigzag_options ${ZIGZAG_ENGINE_LIBRARIES})
target_compile_features(zigzag_library PUBLIC cxx_std_20)
target_sources(zigzag_library PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${ZIGZAG_PUBLIC_HEADERS})
# Sources are promised what a 0.x began with, and compiled programs nothing yet.
set_target_properties(zigzag_library PROPERTIES
    OUTPUT_NAME zigzag EXPORT_NAME engine LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/zigzag)
# Debian's package of the programs has none of this (resources/package).
install(TARGETS zigzag_library EXPORT zigzag
    LIBRARY COMPONENT development
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/zigzag COMPONENT development)
install(EXPORT zigzag NAMESPACE zigzag:: FILE zigzag-targets.cmake DESTINATION ${package} COMPONENT development)
configure_package_config_file(zigzag-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/zigzag-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/zigzag-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/zigzag-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/zigzag-config-version.cmake
    DESTINATION ${package} COMPONENT development)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/resources/checked ${CMAKE_SOURCE_DIR}/resources/guide ${CMAKE_SOURCE_DIR}/resources/kept ${CMAKE_SOURCE_DIR}/resources/models
    ${CMAKE_SOURCE_DIR}/resources/pictures ${CMAKE_SOURCE_DIR}/resources/presets ${CMAKE_SOURCE_DIR}/resources/tasks
    DESTINATION share/zigzag-studio/resources)

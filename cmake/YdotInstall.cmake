# `cmake --install`: the rooms and the program install themselves; here are the script, the examples and the package.
include(CMakePackageConfigHelpers)

install(FILES "${YDOT_GENERATED_DIR}/ydot_version.hpp" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ydot")

file(GLOB ydot_python CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/python/*.py")
file(GLOB ydot_examples CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/*.toml")
install(FILES ${ydot_python} bench/brian2_vogels_abbott.py DESTINATION "${CMAKE_INSTALL_DATADIR}/ydot")
install(FILES ${ydot_examples} DESTINATION "${CMAKE_INSTALL_DATADIR}/ydot/examples")
# As in the source tree: the catalogue of systems finds its descriptions and records by these paths.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples/systems" DESTINATION "${CMAKE_INSTALL_DATADIR}/ydot/examples" FILES_MATCHING PATTERN "*.toml")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/results" DESTINATION "${CMAKE_INSTALL_DATADIR}/ydot/docs" FILES_MATCHING PATTERN "*.json")

set(YDOT_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/ydot")
install(EXPORT ydotTargets NAMESPACE ydot:: DESTINATION "${YDOT_CMAKE_DIR}")
configure_package_config_file(cmake/ydotConfig.cmake.in "${PROJECT_BINARY_DIR}/ydotConfig.cmake"
    INSTALL_DESTINATION "${YDOT_CMAKE_DIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ydotConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/ydotConfig.cmake"
    "${PROJECT_BINARY_DIR}/ydotConfigVersion.cmake"
    cmake/FindRandom123.cmake
    cmake/FindHDF5C.cmake
    cmake/FindDNNL.cmake
    cmake/FindLibZip.cmake
    DESTINATION "${YDOT_CMAKE_DIR}")

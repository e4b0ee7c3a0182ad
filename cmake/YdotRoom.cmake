# ydot_room(<room> [USES <room>...] [LIBRARIES <target>...])
#
# Makes the library ydot_<room> (alias ydot::<room>) of all the .cpp files of the current folder and its subfolders, and
# installs it with its headers. CONFIGURE_DEPENDS: a new file is picked up by the next build, no list to edit.
# A room of headers alone becomes an INTERFACE library, and turns into a static one when its first .cpp appears.
function(ydot_room room)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;LIBRARIES")
    set(target ydot_${room})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.hpp")
    if(sources)
        add_library(${target} STATIC ${sources} ${headers})
        set(scope PUBLIC)
    else()
        add_library(${target} INTERFACE)
        set(scope INTERFACE)
    endif()
    add_library(ydot::${room} ALIAS ${target})

    # The repository root is the include path (#include "neurons/lif.hpp"); installed, include/ydot takes its place.
    # No room's folder is hidden from the others by this, hence tests/python/test_layering.py.
    target_include_directories(${target} ${scope}
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
        "$<BUILD_INTERFACE:${YDOT_GENERATED_DIR}>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ydot>")
    target_compile_features(${target} ${scope} cxx_std_20)
    list(TRANSFORM arg_USES PREPEND ydot_)
    target_link_libraries(${target} ${scope} ${arg_USES} ${arg_LIBRARIES})

    set_target_properties(${target} PROPERTIES EXPORT_NAME ${room})
    install(TARGETS ${target} EXPORT ydotTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ydot/${room}"
        FILES_MATCHING PATTERN "*.hpp")
endfunction()

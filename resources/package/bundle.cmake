# SPDX-License-Identifier: GPL-3.0-or-later
# Run by cpack when everything lies in the archive's folder: the libraries that the programs need join it, and Qt's plugins, so that it
# runs on distributions that have others. The system keeps what belongs to it: the C and C++ libraries, OpenGL, X11 and fonts.
find_program(PATCHELF patchelf)
if(NOT PATCHELF)
    message(FATAL_ERROR "patchelf was not found: install patchelf, or run ./dev package, which installs what an archive needs")
endif()
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(libraries ${root}/lib/zigzag/bundled)
set(plugins ${root}/lib/zigzag/plugins)

file(GLOB plugin_files ${CPACK_ZIGZAG_QT_PLUGINS}/platforms/libq{xcb,offscreen,wayland}*.so ${CPACK_ZIGZAG_QT_PLUGINS}/iconengines/*.so
    ${CPACK_ZIGZAG_QT_PLUGINS}/imageformats/*.so ${CPACK_ZIGZAG_QT_PLUGINS}/xcbglintegrations/*.so
    ${CPACK_ZIGZAG_QT_PLUGINS}/wayland-shell-integration/*.so)
foreach(name xcb offscreen)
    if(NOT EXISTS ${CPACK_ZIGZAG_QT_PLUGINS}/platforms/libq${name}.so)
        message(FATAL_ERROR "Qt has no plugin platforms/libq${name}.so in ${CPACK_ZIGZAG_QT_PLUGINS}")
    endif()
    list(APPEND plugin_files ${CPACK_ZIGZAG_QT_PLUGINS}/platforms/libq${name}.so)
endforeach()
list(REMOVE_DUPLICATES plugin_files)
file(GLOB programs ${root}/bin/zigzag*)
file(GLOB engine ${root}/lib/libzigzag.so)

file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${programs} LIBRARIES ${engine} MODULES ${plugin_files}
    RESOLVED_DEPENDENCIES_VAR found UNRESOLVED_DEPENDENCIES_VAR missing
    PRE_EXCLUDE_REGEXES
        "^lib(c|m|dl|rt|pthread|resolv|util)\\.so" "^ld-linux" "^libstdc\\+\\+" "^libgcc_s"
        "^lib(GL|EGL|GLX|GLdispatch|GLESv2|drm|gbm)\\.so" "^libX11\\.so" "^libX11-xcb" "^libxcb\\.so"
        "^libfontconfig" "^libfreetype" "^libexpat" "^libz\\.so")
if(missing)
    message(FATAL_ERROR "The programs need what is not here: ${missing}")
endif()

foreach(library ${found})
    file(COPY ${library} DESTINATION ${libraries} FOLLOW_SYMLINK_CHAIN)
    # Whose it is, and under what licence.
    get_filename_component(name ${library} NAME)
    execute_process(COMMAND dpkg -S "*/${name}" OUTPUT_VARIABLE owner OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    string(REGEX REPLACE "[:,].*" "" owner "${owner}")
    if(owner AND EXISTS /usr/share/doc/${owner}/copyright)
        file(REAL_PATH /usr/share/doc/${owner}/copyright text)
        file(COPY_FILE ${text} ${root}/share/doc/zigzag-studio/copyright.${owner})
    endif()
endforeach()
foreach(file ${plugin_files})
    get_filename_component(folder ${file} DIRECTORY)
    get_filename_component(folder ${folder} NAME)
    file(COPY ${file} DESTINATION ${plugins}/${folder})
endforeach()

# An RPATH counts for the libraries of libraries, too, and a RUNPATH does not.
function(search path)
    execute_process(COMMAND ${PATCHELF} --force-rpath --set-rpath ${path} ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
search("$ORIGIN/../lib/zigzag/bundled" ${programs})
foreach(file ${engine})
    file(REAL_PATH ${file} file)
    search("$ORIGIN/zigzag/bundled" ${file})
endforeach()
file(WRITE ${root}/bin/qt.conf "[Paths]\nPrefix = ..\nPlugins = lib/zigzag/plugins\n")

# SPDX-License-Identifier: GPL-3.0-or-later
# Run by cpack when everything lies in the archive's folder: the libraries that the programs need join it, and Qt's plugins and words, so
# that it runs on distributions that have others. The system keeps what belongs to it: the C and C++ libraries, OpenGL, X11, Wayland and
# fonts.
find_program(PATCHELF patchelf)
if(NOT PATCHELF)
    message(FATAL_ERROR "patchelf was not found: install patchelf, or run ./dev package, which installs what an archive needs")
endif()
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(libraries ${root}/lib/zigzag/bundled)
set(plugins ${root}/lib/zigzag/plugins)
set(translations ${root}/lib/zigzag/translations)

file(GLOB plugin_files ${CPACK_ZIGZAG_QT_PLUGINS}/iconengines/*.so ${CPACK_ZIGZAG_QT_PLUGINS}/imageformats/*.so
    ${CPACK_ZIGZAG_QT_PLUGINS}/xcbglintegrations/*.so ${CPACK_ZIGZAG_QT_PLUGINS}/wayland-shell-integration/*.so
    ${CPACK_ZIGZAG_QT_PLUGINS}/wayland-decoration-client/*.so)
foreach(language ${CPACK_ZIGZAG_LANGUAGES})
    list(APPEND translation_files ${CPACK_ZIGZAG_QT_TRANSLATIONS}/qtbase_${language}.qm)
endforeach()
foreach(name xcb offscreen wayland-generic)
    list(APPEND plugin_files ${CPACK_ZIGZAG_QT_PLUGINS}/platforms/libq${name}.so)
endforeach()
# What an archive has does not hang on the machine that it was made on.
foreach(file ${plugin_files} ${translation_files})
    if(NOT EXISTS ${file})
        message(FATAL_ERROR "${file} was not found: install qt6-wayland and qt6-translations-l10n, or run ./dev package, which installs what an "
            "archive needs")
    endif()
endforeach()
file(GLOB programs ${root}/bin/zigzag*)
file(GLOB engine ${root}/lib/libzigzag.so)

file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${programs} LIBRARIES ${engine} MODULES ${plugin_files}
    RESOLVED_DEPENDENCIES_VAR found UNRESOLVED_DEPENDENCIES_VAR missing
    PRE_EXCLUDE_REGEXES
        "^lib(c|m|dl|rt|pthread|resolv|util)\\.so" "^ld-linux" "^libstdc\\+\\+" "^libgcc_s"
        "^lib(GL|EGL|GLX|GLdispatch|GLESv2|drm|gbm)\\.so" "^libX11\\.so" "^libX11-xcb" "^libxcb\\.so" "^libwayland-client"
        "^libfontconfig" "^libfreetype" "^libexpat" "^libz\\.so")
if(missing)
    message(FATAL_ERROR "The programs need what is not here: ${missing}")
endif()

# Whose a file is, and under what licence, goes beside our own.
function(add_licence file)
    string(REGEX REPLACE "^/usr/" "/" path ${file}) # packages name some files below /lib that are found below /usr/lib, and the other way
    execute_process(COMMAND dpkg -S "*${path}" OUTPUT_VARIABLE owner OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    string(REGEX REPLACE "[:,].*" "" owner "${owner}")
    if(owner AND EXISTS /usr/share/doc/${owner}/copyright)
        file(REAL_PATH /usr/share/doc/${owner}/copyright text)
        file(COPY_FILE ${text} ${root}/share/doc/zigzag-studio/copyright.${owner})
    endif()
endfunction()

foreach(library ${found})
    file(COPY ${library} DESTINATION ${libraries} FOLLOW_SYMLINK_CHAIN)
    add_licence(${library})
endforeach()
file(COPY ${translation_files} DESTINATION ${translations})
foreach(file ${plugin_files} ${translation_files})
    add_licence(${file})
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
file(WRITE ${root}/bin/qt.conf "[Paths]\nPrefix = ..\nPlugins = lib/zigzag/plugins\nTranslations = lib/zigzag/translations\n")

# SPDX-License-Identifier: GPL-3.0-or-later
# Installs the build BUILD below PREFIX, and moves it there from another prefix: nothing in it may remember where it was installed.
# A model and a preset get names that the checkout does not have, so that what is found under them comes from the installation.
file(REMOVE_RECURSE ${PREFIX} ${PREFIX}-first)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX}-first OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${PREFIX}-first ${PREFIX})
set(resources ${PREFIX}/share/zigzag-studio/resources)
file(COPY_FILE ${resources}/presets/tinyllama-1.1b.json ${resources}/presets/installed.json)
file(RENAME ${resources}/models/zigzag-tiny ${resources}/models/installed)
file(CREATE_LINK installed ${resources}/models/zigzag-tiny SYMBOLIC)
# What the window shows of resources at its start and on F1.
foreach(file guide/index.md guide/pictures/find.png pictures/window-light.png checked/engines.md kept/zigzag-tiny/scores.json
        kept/zigzag-tiny/machine.json)
    if(NOT EXISTS ${resources}/${file})
        message(FATAL_ERROR "${file} was not installed: engine/install.cmake")
    endif()
endforeach()

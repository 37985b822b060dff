# SPDX-License-Identifier: GPL-3.0-or-later
# Runs PROGRAM on the bundled model, by its own name and by the one that it has in the installation alone, and holds what it
# prints against the file EXPECTED.
file(READ ${EXPECTED} expected)
foreach(model bundled:zigzag-tiny bundled:installed)
    execute_process(COMMAND ${PROGRAM} ${model} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
    if(NOT output STREQUAL expected)
        message(FATAL_ERROR "${model}: it printed\n${output}\ninstead of\n${expected}")
    endif()
endforeach()
message("${output}")

# SPDX-License-Identifier: GPL-3.0-or-later
# Writes OUTPUT, a header with the commit that the sources in SOURCE are of, where it says something else than what is there. COMMIT
# stands for it where the sources are no checkout, such as in an archive of them.
function(git result)
    execute_process(COMMAND git -c safe.directory=* -C ${SOURCE} ${ARGN}
        OUTPUT_VARIABLE output RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(failed)
        set(output "")
    endif()
    set(${result} "${output}" PARENT_SCOPE)
endfunction()

set(date "")
# Sources that lie somewhere in another project's checkout are none of its commits.
git(top rev-parse --show-toplevel)
file(REAL_PATH ${SOURCE} source)
if(NOT COMMIT AND top STREQUAL source)
    git(COMMIT rev-parse HEAD)
    git(date log -1 --format=%cs)
    git(changed status --porcelain --untracked-files=no)
    if(changed)
        string(APPEND COMMIT ", and changes that are in none")
    endif()
endif()
if(NOT COMMIT)
    set(COMMIT "not known: built from sources without their history")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#pragma once
#define ZIGZAG_COMMIT "@COMMIT@"
#define ZIGZAG_COMMIT_DATE "@date@"
]] @ONLY)

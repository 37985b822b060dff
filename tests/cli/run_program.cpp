// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/cli/run_program.h"
#include "tests/paths.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zigzag::test {

namespace {

/// What the child wrote to one of its streams: an unlinked temporary file, which never blocks the child as a pipe could.
std::string contentOf(std::FILE *file)
{
    std::string text;
    std::rewind(file);
    char block[4096];
    while (const std::size_t count = std::fread(block, 1, sizeof block, file))
        text.append(block, count);
    std::fclose(file);
    return text;
}

} // namespace

ProgramResult runZigzag(const std::vector<std::string> &arguments, const ProgramOptions &options)
{
    std::FILE *output = std::tmpfile(), *errors = std::tmpfile();
    if (!output || !errors)
        return {-1, {}, fmt::format("no temporary file: {}", std::strerror(errno))};
    const std::string path = options.program.empty() ? zigzagProgram() : options.program;
    std::vector<char *> argv = {const_cast<char *>(path.c_str())};
    for (const std::string &argument : arguments)
        argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        const int target = options.outputFile.empty() ? ::fileno(output) : ::open(options.outputFile.c_str(), O_WRONLY);
        ::dup2(target, 1);
        ::dup2(::fileno(errors), 2);
        for (const std::string &variable : options.environment)
            ::putenv(const_cast<char *>(variable.c_str()));
        // Opened as who we are: nobody may not pass the folders that lead to the build.
        const int program = ::open(argv[0], O_RDONLY | O_CLOEXEC);
        constexpr uid_t nobody = 65534;
        // The order matters: after setuid the group could not be changed any more.
        if (options.asNobody && ::getuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0))
            ::_exit(126);
        ::fexecve(program, argv.data(), environ);
        ::_exit(127);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) { }
    ProgramResult result;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.output = contentOf(output);
    result.errors = contentOf(errors);
    return result;
}

std::string refusalFault(const ProgramResult &result, int code)
{
    const bool oneLine = std::count(result.errors.begin(), result.errors.end(), '\n') == 1 && result.errors.back() == '\n';
    const bool named = result.errors.rfind("error: ", 0) == 0;
    if (result.code == code && oneLine && named && result.output.empty())
        return {};
    return fmt::format("exit code {} (expected {}), standard error: \"{}\", standard output: \"{}\"", result.code, code,
                       result.errors, result.output);
}

} // namespace zigzag::test

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/about/program_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

namespace {

/// In single quotes, for _arguments and _describe: these end a text at a colon, and an option's at a bracket.
std::string quoted(const std::string &text)
{
    std::string out;
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else if (c == ':' || c == '[' || c == ']' || c == '\\')
            (out += '\\') += c;
        else
            out += c;
    }
    return out;
}

std::string action(const OptionText &option)
{
    return option.choices.empty() ? "_files" : fmt::format("({})", fmt::join(option.choices, " "));
}

/// The words behind `_arguments`, each on a line of its own.
std::string specifications(const CommandText &command)
{
    std::string text;
    for (const OptionText &option : command.options)
        for (const std::string &name : option.names) {
            const std::string value = option.value.empty() ? "" : fmt::format(":{}:{}", quoted(option.value), action(option));
            text += fmt::format(" \\\n        '{}{}[{}]{}'", option.repeats ? "*" : "", name, quoted(option.about), value);
        }
    for (const OptionText &argument : command.arguments)
        text += fmt::format(" \\\n        '{}:{}:{}'", argument.repeats ? "*" : "", quoted(argument.names.front()),
                            action(argument));
    return text;
}

} // namespace

std::string zshCompletion(const ProgramText &program)
{
    const std::string &name = program.self.name;
    std::string text = fmt::format("#compdef {}\n# written by the program itself\n", name);
    if (program.commands.empty())
        return text + fmt::format("_arguments -S{}\n", specifications(program.self));

    std::string commands, cases;
    for (const CommandText &command : program.commands) {
        commands += fmt::format("    '{}:{}'\n", command.name, quoted(command.about));
        cases += fmt::format("    {})\n        _arguments -S{}\n        ;;\n", command.name, specifications(command));
    }
    return text
        + fmt::format(R"(local curcontext=$curcontext state line
local -a commands
commands=(
{}
)
_arguments -C -S{} \
        '1:command:->command' \
        '*::argument:->argument'
case $state in
command)
    _describe command commands
    ;;
argument)
    curcontext=${{curcontext%:*}}-$words[1]:
    case $words[1] in
{}    esac
    ;;
esac
)",
                      commands, specifications(program.self), cases);
}

} // namespace zigzag

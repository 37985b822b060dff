// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/about/program_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

namespace {

std::string quoted(const std::string &text)
{
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + "'";
}

/// One line an option. `when` is what fish asks first, empty for always.
std::string lines(const std::string &program, const CommandText &command, const std::string &when)
{
    std::string text;
    for (const OptionText &option : command.options) {
        text += "complete -c " + program;
        if (!when.empty())
            text += " -n " + quoted(when);
        for (const std::string &name : option.names)
            text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        if (!option.choices.empty())
            text += " -x -a " + quoted(fmt::format("{}", fmt::join(option.choices, " ")));
        else if (!option.value.empty())
            text += " -r";
        text += " -d " + quoted(option.about) + "\n";
    }
    return text;
}

} // namespace

std::string fishCompletion(const ProgramText &program)
{
    const std::string &name = program.self.name;
    std::string text = fmt::format("# fish completion for {}; written by the program itself\n", name);
    text += lines(name, program.self, program.commands.empty() ? "" : "__fish_use_subcommand");
    for (const CommandText &command : program.commands)
        text
            += fmt::format("complete -c {} -f -n __fish_use_subcommand -a {} -d {}\n", name, command.name, quoted(command.about));
    for (const CommandText &command : program.commands)
        text += lines(name, command, "__fish_seen_subcommand_from " + command.name);
    return text;
}

} // namespace zigzag

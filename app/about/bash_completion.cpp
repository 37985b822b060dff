// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/about/program_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

namespace {

std::string wordsOf(const CommandText &command)
{
    std::vector<std::string> words;
    for (const OptionText &option : command.options)
        words.insert(words.end(), option.names.begin(), option.names.end());
    return fmt::format("{}", fmt::join(words, " "));
}

/// Lines of a `case` on "COMMAND,OPTION": what the option takes. Files, where that is no list.
std::string valueCases(const CommandText &command, const std::string &name)
{
    std::string cases;
    for (const OptionText &option : command.options) {
        if (option.value.empty())
            continue;
        std::vector<std::string> patterns;
        for (const std::string &of : option.names)
            patterns.push_back(fmt::format("{},{}", name, of));
        cases += fmt::format("        {}) words='{}'; takes=1 ;;\n", fmt::join(patterns, " | "), fmt::join(option.choices, " "));
    }
    return cases;
}

} // namespace

std::string bashCompletion(const ProgramText &program)
{
    const std::string &name = program.self.name;
    std::string function = "_" + name;
    std::ranges::replace(function, '-', '_');

    std::string values = valueCases(program.self, "");
    std::string options = fmt::format("        '') words='{}' ;;\n", wordsOf(program.self));
    std::vector<std::string> commands;
    for (const CommandText &command : program.commands) {
        commands.push_back(command.name);
        values += valueCases(command, command.name);
        options += fmt::format("        {}) words='{}' ;;\n", command.name, wordsOf(command));
    }
    return fmt::format(R"(# bash completion for {0}; written by the program itself
{1}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command= commands='{2}' words= takes= index
    COMPREPLY=()
    if [[ -n $commands ]]; then
        for ((index = 1; index < COMP_CWORD; ++index)); do
            [[ ${{COMP_WORDS[index]}} == -* ]] || {{ command=${{COMP_WORDS[index]}}; break; }}
        done
    fi
    # What the option before takes; without a list of words, files.
    case $command,$before in
{3}    esac
    if [[ -n $takes ]]; then
        [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    case $command in
{4}    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    elif [[ -z $command && -n $commands ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
    fi
}}
complete -o bashdefault -o default -F {1} {0}
)",
                       name, function, fmt::join(commands, " "), values, options);
}

} // namespace zigzag

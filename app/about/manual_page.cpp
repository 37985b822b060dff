// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/about/program_text.h"
#include "app/about/version_text.h"
#include "engine/base/version.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag {

namespace {

/// As roff has it: a backslash is a command there, a dash a hyphen, and a line that begins with a dot or an apostrophe a macro.
std::string escaped(const std::string &text)
{
    std::string roff;
    bool lineBegins = true;
    for (const char c : text) {
        if (lineBegins && (c == '.' || c == '\''))
            roff += "\\&";
        if (c == '\\')
            roff += "\\e";
        else if (c == '-')
            roff += "\\-";
        else
            roff += c;
        lineBegins = c == '\n';
    }
    return roff;
}

std::string upper(std::string text)
{
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

/// "TEXT", or "attention|ablation", with "…" where it takes several.
std::string valueOf(const OptionText &option)
{
    std::string value = option.choices.empty() ? "\\fI" + escaped(option.value) + "\\fR"
                                               : "\\fB" + escaped(fmt::format("{}", fmt::join(option.choices, "|"))) + "\\fR";
    if (option.repeats)
        value += " …";
    return value;
}

std::string withStop(const std::string &text)
{
    return text.empty() || text.ends_with('.') ? text : text + ".";
}

/// What is to know beside what the option is for.
std::string conditions(const OptionText &option)
{
    std::string text;
    if (option.isRequired && option.names.front().starts_with('-'))
        text += " Required.";
    if (!option.fallback.empty())
        text += fmt::format(" Default: {}.", option.fallback);
    if (!option.onlyWith.empty())
        text += fmt::format(" Only with {}.", fmt::join(option.onlyWith, ", "));
    if (!option.notWith.empty())
        text += fmt::format(" Not with {}.", fmt::join(option.notWith, ", "));
    return text;
}

std::string entry(const OptionText &option)
{
    std::string head;
    if (option.names.front().starts_with('-')) {
        for (const std::string &name : option.names)
            head += (head.empty() ? "" : ", ") + ("\\fB" + escaped(name) + "\\fR");
        if (!option.value.empty())
            head += " " + valueOf(option);
    } else {
        head = "\\fI" + escaped(option.names.front()) + "\\fR" + (option.repeats ? " …" : "");
    }
    return fmt::format(".TP\n{}\n{}\n", head, escaped(withStop(option.about) + conditions(option)));
}

std::string synopsis(const std::string &name, const CommandText &command, bool hasCommands)
{
    std::string line = fmt::format("\\fB{}\\fR", escaped(name));
    for (const OptionText &option : command.options)
        if (option.isRequired)
            line += fmt::format(" \\fB{}\\fR {}", escaped(option.names.back()), valueOf(option));
    line += " [\\fIOPTION\\fR …]";
    for (const OptionText &argument : command.arguments) {
        const std::string text = fmt::format("\\fI{}\\fR{}", escaped(argument.names.front()), argument.repeats ? " …" : "");
        line += argument.isRequired ? " " + text : " [" + text + "]";
    }
    if (hasCommands)
        line += " \\fICOMMAND\\fR …";
    return line + "\n";
}

} // namespace

std::string manualPage(const ProgramText &program)
{
    const CommandText &self = program.self;
    std::string page = fmt::format(".\\\" Written by {} itself: what is wrong here is wrong in its --help.\n", self.name);
    page += fmt::format(".TH {} 1 \"{}\" \"{}\" \"User Commands\"\n", escaped(upper(self.name)), commitDate(),
                        escaped(std::string(programVersion)));
    page += fmt::format(".SH NAME\n{} \\- {}\n", escaped(self.name), escaped(self.about));
    page += ".SH SYNOPSIS\n" + synopsis(self.name, self, !program.commands.empty());
    page += ".SH OPTIONS\n";
    for (const OptionText &argument : self.arguments)
        page += entry(argument);
    for (const OptionText &option : self.options)
        page += entry(option);
    if (!program.commands.empty())
        page += ".SH COMMANDS\n";
    for (const CommandText &command : program.commands) {
        page += fmt::format(".SS {} {}\n", escaped(self.name), escaped(command.name));
        page += synopsis(self.name + " " + command.name, command, false);
        page += ".PP\n" + escaped(withStop(command.about)) + "\n";
        for (const OptionText &argument : command.arguments)
            page += entry(argument);
        for (const OptionText &option : command.options)
            if (option.names.back() != "--help") // said once, of the program
                page += entry(option);
    }
    for (const auto &[title, text] : program.sections)
        page += fmt::format(".SH {}\n{}\n", upper(title), escaped(text));
    if (!program.seeAlso.empty())
        page += fmt::format(".SH SEE ALSO\n.BR {} (1)\n", escaped(program.seeAlso));
    return page;
}

std::string programTextAs(const ProgramText &program, const std::string &form)
{
    if (form == "man")
        return manualPage(program);
    if (form == "bash")
        return bashCompletion(program);
    if (form == "zsh")
        return zshCompletion(program);
    if (form == "fish")
        return fishCompletion(program);
    return {};
}

} // namespace zigzag

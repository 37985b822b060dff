// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/about/program_text.h"
#include "app/cli/commands.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <set>

namespace zigzag {

namespace {

std::vector<std::string> namesOf(const std::set<CLI::Option *> &options)
{
    std::vector<std::string> names;
    names.reserve(options.size());
    for (const CLI::Option *option : options)
        names.push_back(option->get_name());
    std::ranges::sort(names); // a set of pointers has the order of their addresses
    return names;
}

/// CLI11 has what a check says behind the type: "TEXT:{table,json}" or "INT:at least 0".
void describeValue(const CLI::Option &option, OptionText &text)
{
    const std::string type = option.get_type_name();
    const std::size_t colon = type.find(':');
    text.value = type.substr(0, colon);
    if (colon == std::string::npos)
        return;
    const std::string rule = type.substr(colon + 1);
    if (rule.size() > 2 && rule.front() == '{' && rule.back() == '}')
        text.choices = CLI::detail::split(rule.substr(1, rule.size() - 2), ',');
    else
        text.value += " " + rule;
}

OptionText described(const CLI::Option &option)
{
    OptionText text;
    if (option.nonpositional()) {
        for (const std::string &name : option.get_snames())
            text.names.push_back("-" + name);
        for (const std::string &name : option.get_lnames())
            text.names.push_back("--" + name);
    } else {
        text.names.push_back(option.get_name());
    }
    text.about = option.get_description();
    text.isRequired = option.get_required();
    text.fallback = option.get_default_str();
    if (option.get_items_expected_max() > 0) {
        describeValue(option, text);
        text.repeats = option.get_items_expected_max() > 1;
    }
    text.onlyWith = namesOf(option.get_needs());
    text.notWith = namesOf(option.get_excludes());
    return text;
}

CommandText described(const CLI::App &command)
{
    CommandText text;
    text.name = command.get_name();
    text.about = command.get_description();
    for (const CLI::Option *option : command.get_options()) {
        if (option->get_group().empty())
            continue; // hidden
        (option->nonpositional() ? text.options : text.arguments).push_back(described(*option));
    }
    return text;
}

ProgramText described(const CLI::App &app, const std::vector<std::pair<std::string, std::string>> &sections)
{
    ProgramText program{described(app), {}, sections, "zigzag-studio"};
    if (const std::size_t colon = program.self.about.find(": "); colon != std::string::npos)
        program.self.about.erase(0, colon + 2); // the name, which stands before it anyway
    for (const CLI::App *command : app.get_subcommands([](const CLI::App *any) { return !any->get_group().empty(); }))
        program.commands.push_back(described(*command));
    return program;
}

} // namespace

void addDescribe(CLI::App &app, Chosen &chosen)
{
    auto form = std::make_shared<std::string>();
    auto *command = app.add_subcommand("describe", "write the manual page, or what a shell completes, to standard output");
    command->group(""); // hidden
    command->add_option("FORM", *form, "man, bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"man", "bash", "zsh", "fish"}));
    command->callback([&app, &chosen, form] {
        chosen.run = [&app, form]() -> Result<void> {
            const ProgramText program = described(
                app,
                {{"Files",
                  "MODEL is a Hugging Face folder, a GGUF file, bundled:NAME (comes with the program) or preset:NAME (random "
                  "weights in a published shape). MAP is a head-map file, full or streaming."},
                 {"Exit status",
                  "0: done. 1: it failed while running. 2: bad usage or bad input. Every failure is one line on standard error: "
                  "what, where, and what to do."}});
            fmt::print("{}", programTextAs(program, *form));
            return {};
        };
    });
}

} // namespace zigzag

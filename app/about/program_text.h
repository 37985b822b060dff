// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace zigzag {

/// An option, or an argument by its place (which has one name, without a dash), as a manual page and a shell need it.
struct OptionText {
    std::vector<std::string> names; ///< "-o", "--output"; never empty
    std::string value; ///< what it takes, such as TEXT or PATH; empty: nothing
    std::vector<std::string> choices; ///< all that it takes, where that is a list
    std::string fallback; ///< what it is where nobody gives it; empty: nothing, or told in `about`
    std::string about;
    bool isRequired = false;
    bool repeats = false; ///< takes several values
    std::vector<std::string> onlyWith, notWith; ///< other options, by their names
};

struct CommandText {
    std::string name;
    std::string about;
    std::vector<OptionText> arguments, options;
};

/// A program as its own parser of arguments has it, so that what is written from it says nothing else than `--help`.
struct ProgramText {
    CommandText self;
    std::vector<CommandText> commands; ///< empty: it has none
    std::vector<std::pair<std::string, std::string>> sections; ///< of the manual page, behind its options: title, and a paragraph
    std::string seeAlso; ///< another program's name
};

/// Text of `program` in the form "man" (a manual page, roff), "bash", "zsh" or "fish" (what completes its arguments in that
/// shell). Empty where the form is none of these.
std::string programTextAs(const ProgramText &program, const std::string &form);

/// `man`: section 1, by the macros of man(7), in UTF-8.
std::string manualPage(const ProgramText &program);
std::string bashCompletion(const ProgramText &program);
std::string zshCompletion(const ProgramText &program);
std::string fishCompletion(const ProgramText &program);

} // namespace zigzag

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/describe.h"

#include "app/about/program_text.h"

#include <cstdio>

namespace zigzag {

namespace {

OptionText described(const QCommandLineOption &option)
{
    OptionText text;
    for (const QString &name : option.names())
        text.names.push_back((name.size() == 1 ? "-" : "--") + name.toStdString());
    text.value = option.valueName().toStdString();
    text.about = option.description().toStdString();
    return text;
}

} // namespace

bool describeProgram(const QString &form, const QString &about, const QString &files, const QList<QCommandLineOption> &options)
{
    ProgramText program;
    program.self.name = "zigzag-studio";
    program.self.about = about.toStdString();
    OptionText file;
    file.names = {"FILE|MODEL"};
    file.value = "FILE";
    file.about = files.toStdString();
    file.repeats = true;
    program.self.arguments = {file};
    for (const QCommandLineOption &option : options)
        program.self.options.push_back(described(option));
    program.sections = {{"Exit status",
                         "0: done. 1: there is no display, or it failed while running. 2: bad usage, or a file that is not to be "
                         "opened. Every failure is one line on standard error."}};
    program.seeAlso = "zigzag";
    const std::string text = programTextAs(program, form.toStdString());
    std::fputs(text.c_str(), stdout);
    return !text.empty();
}

} // namespace zigzag

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/about/version_text.h"
#include "app/cli/commands.h"

#include <cstdio>
#include <exception>

namespace {

/// The contract of every failure: one line on stderr.
int fail(const std::string &message, int code)
{
    std::string line = message;
    for (char &c : line)
        if (c == '\n' || c == '\r')
            c = ' ';
    std::fprintf(stderr, "error: %s\n", line.c_str());
    return code;
}

} // namespace

int main(int argc, char **argv)
{
    CLI::App app{"Zigzag: which layers of a transformer need the whole KV cache, and what it saves when the others stream",
                 "zigzag"};
    app.set_version_flag(
        "--version",
        [] {
            std::string text = zigzag::versionText("zigzag");
            text.pop_back(); // CLI11 ends the line
            return text;
        },
        "print version, commit and backends, and exit");
    app.require_subcommand(1);
    zigzag::Chosen chosen;
    zigzag::addInfo(app, chosen);
    zigzag::addLogits(app, chosen);
    zigzag::addGenerate(app, chosen);
    zigzag::addServe(app, chosen);
    zigzag::addCheck(app, chosen);
    zigzag::addAttention(app, chosen);
    zigzag::addTokenize(app, chosen);
    zigzag::addScore(app, chosen);
    zigzag::addAssign(app, chosen);
    zigzag::addCompare(app, chosen);
    zigzag::addCriteria(app, chosen);
    zigzag::addBench(app, chosen);
    zigzag::addEval(app, chosen);
    zigzag::addExport(app, chosen);
    zigzag::addPareto(app, chosen);
    zigzag::addRank(app, chosen);
    zigzag::addPlan(app, chosen);
    zigzag::addRecommend(app, chosen);
    zigzag::addReport(app, chosen);
    zigzag::addTrace(app, chosen);
    zigzag::addCalibrate(app, chosen);
    zigzag::addPredict(app, chosen);
    zigzag::addDescribe(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success &success) {
        return app.exit(success);
    } catch (const CLI::ParseError &error) {
        return fail(std::string(error.what()) + "; see zigzag --help", 2);
    }
    try {
        const auto done = chosen.run();
        if (!done)
            return fail(done.error().message, done.error().kind == zigzag::ErrorKind::BadInput ? 2 : 1);
    } catch (const std::bad_alloc &) {
        return fail("out of memory: choose a smaller model or context, or close other programs", 1);
    } catch (const std::exception &error) {
        return fail(error.what(), 1);
    }
    if (std::fflush(stdout) != 0)
        return fail("standard output could not be written: is the disk full?", 2);
    return 0;
}

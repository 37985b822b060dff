// SPDX-License-Identifier: GPL-3.0-or-later
// A session in its file: what goes in comes back, whatever the file is cut to, and saves append what is new.
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/measure/bench_file.h"
#include "profiler/session/session_parts.h"
#include "tests/cli/run_program.h"
#include "tests/temp_folder.h"

#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace zigzag {
namespace {

using test::readText;
using test::TempFolder;
using test::writeText;

ModelShape shape()
{
    return {"sample", 3, 8, 2, 64, "sha256:00"};
}

HeadMap mapOfLayers(const std::string &layers)
{
    HeadMap map(shape(), HeadKind::Retrieval, 4, 60);
    for (int layer = 0; layer < map.layers(); ++layer)
        if (layers[static_cast<std::size_t>(layer)] == 'S')
            map.setLayer(layer, HeadKind::Streaming);
    return map;
}

HeadScores someScores()
{
    HeadScores scores;
    scores.model = shape();
    scores.method = "attention";
    scores.scores = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.975f};
    scores.spread = {0.01f, 0.02f, 0.03f, 0.04f, 0.05f, 0.06f};
    scores.engine = "vllm";
    return scores;
}

SavedSession someSession()
{
    SavedSession session;
    session.asked = "bundled:zigzag-tiny";
    session.model = shape();
    session.notes = "before the holidays";
    session.current = "no first layer";
    session.put(scoresPart("Attention", someScores()));
    session.put(variantPart("half", mapOfLayers("SRR")));
    session.put(variantPart("no first layer", mapOfLayers("RSS"), {true, false, true}));
    session.parts.back().notes = "breaks \"recall\" – see the third question";
    session.parts.back().details["criterion"] = "zigzag";
    session.put(reportPart("what was tried", "one\ntwo\n"));
    return session;
}

void expectSame(const SavedSession &a, const SavedSession &b)
{
    EXPECT_EQ(a.asked, b.asked);
    EXPECT_EQ(a.model, b.model);
    EXPECT_EQ(a.notes, b.notes);
    EXPECT_EQ(a.current, b.current);
    EXPECT_EQ(a.others, b.others);
    ASSERT_EQ(a.parts.size(), b.parts.size());
    for (std::size_t i = 0; i < a.parts.size(); ++i) {
        const SessionPart &one = a.parts[i], &two = b.parts[i];
        SCOPED_TRACE(one.kind + " " + one.name);
        EXPECT_EQ(one.kind, two.kind);
        EXPECT_EQ(one.name, two.name);
        EXPECT_EQ(one.notes, two.notes);
        EXPECT_EQ(one.when, two.when);
        EXPECT_EQ(one.locked, two.locked);
        EXPECT_EQ(one.details, two.details);
        EXPECT_EQ(*one.content, *two.content);
        EXPECT_EQ(one.others, two.others);
    }
}

std::string fileOf(const SavedSession &session, const TempFolder &folder)
{
    EXPECT_TRUE(writeSession(session, folder / "whole.zigzag"));
    return readText(folder / "whole.zigzag");
}

TEST(Session, ComesBackAsItWas)
{
    const TempFolder folder;
    const SavedSession session = someSession();
    ASSERT_TRUE(writeSession(session, folder / "a.zigzag"));
    const auto read = readSession(folder / "a.zigzag");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->notes.empty());
    expectSame(read->session, session);
    EXPECT_EQ(scoresOf(*read->session.find(PartKind::Scores, "Attention"))->scores, someScores().scores);
    EXPECT_EQ(scoresOf(*read->session.find(PartKind::Scores, "Attention"))->engine, "vllm");
    const SessionPart *variant = read->session.find(PartKind::Variant, "no first layer");
    EXPECT_EQ(*mapOf(*variant), mapOfLayers("RSS"));
    EXPECT_EQ(variant->locked, (std::vector<int>{0, 2}));
    EXPECT_EQ(read->session.all(PartKind::Variant).size(), 2u);
    EXPECT_EQ(read->session.freeName(PartKind::Variant, "half"), "half 2");
    EXPECT_EQ(read->session.freeName(PartKind::Variant, "new"), "new");
}

TEST(Session, OfAFileThatIsCutAnywhereWhatIsWholeIsRead)
{
    const TempFolder folder;
    const SavedSession session = someSession();
    const std::string whole = fileOf(session, folder);
    const std::size_t manifestEnd = whole.find("]}\n") + 3;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto read = parseSession(std::string_view(whole).substr(0, length), "cut.zigzag");
        if (length < manifestEnd) {
            ASSERT_FALSE(read) << length;
            EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
            continue;
        }
        ASSERT_TRUE(read) << length << ": " << read.error().message;
        EXPECT_EQ(read->session.model, session.model);
        EXPECT_LT(read->session.parts.size(), session.parts.size()) << length << ": the last part has lost its end";
        EXPECT_GE(read->notes.size(), session.parts.size() - read->session.parts.size()) << "what is missing is said";
        for (const SessionPart &part : read->session.parts)
            EXPECT_EQ(*part.content, *session.find(part.kind, part.name)->content);
    }
}

TEST(Session, ASaveThatDidNotEndLeavesTheOneBefore)
{
    const TempFolder folder;
    const auto path = folder / "a.zigzag";
    SavedSession first = someSession(), second = first;
    second.put(reportPart("later", std::string(3000, 'x')));
    std::string before;
    {
        auto file = SessionFile::open(path);
        ASSERT_TRUE(file) << file.error().message;
        ASSERT_TRUE(file->save(first));
        before = readText(path);
        ASSERT_TRUE(file->save(second));
    }
    const std::string after = readText(path);
    ASSERT_TRUE(after.starts_with(before)) << "what was there is not written again";
    for (std::size_t length = before.size(); length <= after.size(); ++length) {
        const auto read = parseSession(std::string_view(after).substr(0, length), "torn.zigzag");
        ASSERT_TRUE(read) << length;
        if (length == before.size() || length == after.size()) {
            EXPECT_TRUE(read->notes.empty()) << length;
        }
        ASSERT_EQ(read->session.parts.size(), length < after.size() ? first.parts.size() : second.parts.size()) << length;
    }
    // Whoever opens it goes on from there.
    writeText(path, after.substr(0, after.size() - 5));
    auto file = SessionFile::open(path);
    ASSERT_TRUE(file);
    expectSame(file->takeFound().session, first);
    ASSERT_TRUE(file->save(second));
    expectSame(readSession(path)->session, second);
    EXPECT_TRUE(readSession(path)->notes.empty());
}

TEST(Session, ADamagedPartIsLeftOutAndSaid)
{
    const TempFolder folder;
    const SavedSession session = someSession();
    std::string bytes = fileOf(session, folder);
    const std::size_t at = bytes.find("one\ntwo");
    ASSERT_NE(at, std::string::npos);
    bytes[at] = 'O';
    const auto read = parseSession(bytes, "damaged.zigzag");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->session.parts.size(), session.parts.size() - 1);
    ASSERT_EQ(read->notes.size(), 1u);
    EXPECT_NE(read->notes[0].find("what was tried"), std::string::npos);
}

TEST(Session, AFutureVersionIsRefusedByName)
{
    const TempFolder folder;
    std::string bytes = fileOf(someSession(), folder);
    bytes.replace(bytes.find("\"version\": 1"), 12, "\"version\": 2");
    const auto read = parseSession(bytes, "future.zigzag");
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("version 2"), std::string::npos) << read.error().message;
    for (const char *other : {"", "{}\n", "{\"format\": \"zigzag-head-map\", \"version\": 1}\n", "hello\n", "PK\x03\x04"}) {
        const auto refused = parseSession(other, "other.zigzag");
        ASSERT_FALSE(refused) << other;
        EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
    }
}

TEST(Session, WhatALaterVersionWroteIsKept)
{
    const TempFolder folder;
    SavedSession session = someSession();
    SessionPart unknown;
    unknown.kind = "dreams-2027";
    unknown.name = "of electric sheep";
    unknown.content = std::make_shared<const std::string>(std::string("\0\n\xff manifest ", 13));
    unknown.others = R"({"depth":[1,2],"mood":"calm"})";
    session.others = R"({"weather":{"sun":true}})";
    session.put(unknown);
    ASSERT_TRUE(writeSession(session, folder / "a.zigzag"));
    auto file = SessionFile::open(folder / "a.zigzag");
    ASSERT_TRUE(file);
    SavedSession found = file->takeFound().session;
    expectSame(found, session);
    found.put(reportPart("new", "text"));
    ASSERT_TRUE(file->save(found));
    expectSame(readSession(folder / "a.zigzag")->session, found);
}

TEST(Session, ResultsComeBack)
{
    NeedleRecord needle{"0123456789abcdef", "vllm", {}};
    needle.result.grid = {{1024, 0.25, 5, 4}, {2048, 1, 5, 0}};
    needle.result.planned = 10;
    const auto needleBack = needleOf(needlePart("n", needle));
    ASSERT_TRUE(needleBack) << needleBack.error().message;
    EXPECT_EQ(needleBack->mapFingerprint, needle.mapFingerprint);
    EXPECT_EQ(needleBack->engine, "vllm");
    ASSERT_EQ(needleBack->result.grid.size(), 2u);
    EXPECT_EQ(needleBack->result.grid[0].found, 4);
    EXPECT_DOUBLE_EQ(needleBack->result.grid[0].depth, 0.25);
    EXPECT_DOUBLE_EQ(needleBack->result.accuracy, 0.4);
    EXPECT_FALSE(needleBack->result.isComplete());

    SweepRecord sweep{"zigzag", "Attention", "ours", 12, {}};
    SweepPoint point{mapOfLayers("SRS"), {}};
    point.quality.loss = {0.1, 0.05, 0.2, 0.03, 12};
    point.quality.prompts = 12;
    sweep.points = {point, point};
    const auto sweepBack = sweepOf(sweepPart("s", sweep));
    ASSERT_TRUE(sweepBack) << sweepBack.error().message;
    EXPECT_EQ(sweepBack->criterion, "zigzag");
    EXPECT_EQ(sweepBack->plannedPrompts, 12);
    ASSERT_EQ(sweepBack->points.size(), 2u);
    EXPECT_EQ(sweepBack->points[1].map, point.map);
    EXPECT_EQ(sweepBack->points[1].quality.loss.high, 0.2);
    EXPECT_EQ(sweepBack->points[1].quality.loss.count, 12);

    QualityRecord quality{"perplexity", "text.txt", "vllm", {{mapOfLayers("SRS"), {9.5, 9, 10, 0.25, 40}}}};
    const auto qualityBack = qualityOf(qualityPart("q", quality));
    ASSERT_TRUE(qualityBack) << qualityBack.error().message;
    EXPECT_EQ(qualityBack->axis, "perplexity");
    EXPECT_EQ(qualityBack->asked, "text.txt");
    EXPECT_EQ(qualityBack->engine, "vllm");
    ASSERT_EQ(qualityBack->points.size(), 1u);
    EXPECT_EQ(qualityBack->points[0].map, mapOfLayers("SRS"));
    EXPECT_EQ(qualityBack->points[0].quality.high, 10);
    EXPECT_EQ(qualityBack->points[0].quality.count, 40);
    quality.axis = "loss"; // sweeps over tasks have a part of their own
    EXPECT_FALSE(qualityOf(qualityPart("q", quality)));

    BenchFile bench;
    bench.model = "sample";
    bench.machine.device = "a processor";
    bench.machine.threads = 2;
    bench.machine.backend = "cpu";
    bench.records.resize(1);
    bench.records[0].map = "half";
    bench.records[0].mapFingerprint = fingerprintOf(mapOfLayers("SRR"));
    bench.records[0].context = 1024;
    bench.records[0].medianMs = 12.5;
    bench.records[0].samplesMs = {12.25, 12.5, 13};
    const auto benchBack = benchOf(benchPart("b", bench));
    ASSERT_TRUE(benchBack) << benchBack.error().message;
    EXPECT_EQ(benchBack->records[0].mapFingerprint, measuredMapPart(mapOfLayers("SRR")).name);
    EXPECT_EQ(benchBack->records[0].samplesMs, bench.records[0].samplesMs);
    EXPECT_EQ(benchBack->machine.device, "a processor");

    Trace trace;
    trace.info.model = "sample";
    trace.rows = {"host"};
    TraceSpan span;
    span.durationNs = 1000;
    trace.spans = {span};
    const auto traceBack = traceOf(tracePart("t", trace));
    ASSERT_TRUE(traceBack) << traceBack.error().message;
    EXPECT_EQ(traceBack->spans, trace.spans);
}

TEST(SessionFile, KeepsOthersOutAndLosesNothingToThem)
{
    const TempFolder folder;
    const auto path = folder / "a.zigzag";
    auto mine = SessionFile::open(path);
    ASSERT_TRUE(mine);
    ASSERT_TRUE(mine->save(someSession()));
    const auto other = SessionFile::open(path);
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().message.find("another window"), std::string::npos);
    EXPECT_TRUE(readSession(path)) << "reading is always allowed";
    // Taken away while it is open: the next save brings it back.
    std::filesystem::remove(path);
    ASSERT_TRUE(mine->save(someSession()));
    EXPECT_EQ(readSession(path)->session.parts.size(), someSession().parts.size());
    // Replaced while it is open: that one is somebody else's.
    std::filesystem::remove(path);
    writeText(path, "theirs");
    EXPECT_FALSE(mine->save(SavedSession()));
    EXPECT_EQ(readText(path), "theirs");
}

TEST(SessionFile, WritesOnlyWhatIsNewAndStaysSmall)
{
    const TempFolder folder;
    const auto path = folder / "a.zigzag";
    auto file = SessionFile::open(path);
    ASSERT_TRUE(file);
    SavedSession session = someSession();
    session.put(reportPart("large", std::string(4 << 20, 'x')));
    ASSERT_TRUE(file->save(session));
    const auto large = std::filesystem::file_size(path);
    ASSERT_TRUE(file->save(session));
    EXPECT_EQ(std::filesystem::file_size(path), large) << "nothing changed";
    session.put(variantPart("half", mapOfLayers("RSR")));
    ASSERT_TRUE(file->save(session));
    EXPECT_LT(std::filesystem::file_size(path) - large, 4096u);
    // Many large changes: most of the file would be of earlier saves.
    for (int change = 0; change < 8; ++change) {
        session.put(reportPart("large", std::string(4 << 20, static_cast<char>('a' + change))));
        ASSERT_TRUE(file->save(session));
        EXPECT_LT(std::filesystem::file_size(path), std::uintmax_t{10} << 20) << change;
        expectSame(readSession(path)->session, session);
    }
}

TEST(SessionFile, AKilledWriterLeavesTheLastSave)
{
    // A child saves 1, 2, 3 … and is killed somewhere; what it had told us was saved is there, and so is nothing else.
    const TempFolder folder;
    const auto path = folder / "a.zigzag";
    const std::string ballast(256 << 10, 'b'); // so that it is often in the middle of a write
    for (int round = 0; round < 12; ++round) {
        int told[2];
        ASSERT_EQ(pipe(told), 0);
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            close(told[0]);
            auto file = SessionFile::open(path);
            if (!file)
                _exit(1);
            SavedSession session = file->takeFound().session;
            const SessionPart *last = session.find(PartKind::Report, "count");
            for (int count = last ? std::stoi(*last->content) + 1 : 1;; ++count) {
                session.put(reportPart("count", std::to_string(count)));
                session.put(reportPart("ballast", std::to_string(count) + ballast));
                if (!file->save(session) || write(told[1], &count, sizeof count) != sizeof count)
                    _exit(1);
            }
        }
        close(told[1]);
        int count = 0;
        ASSERT_EQ(read(told[0], &count, sizeof count), static_cast<ssize_t>(sizeof count)) << round;
        usleep(static_cast<useconds_t>(1000 + 2531 * round));
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status));
        for (int next = 0; read(told[0], &next, sizeof next) == static_cast<ssize_t>(sizeof next);)
            count = next;
        close(told[0]);
        const auto found = readSession(path);
        ASSERT_TRUE(found) << found.error().message;
        const int saved = std::stoi(*found->session.find(PartKind::Report, "count")->content);
        EXPECT_TRUE(saved == count || saved == count + 1) << saved << " of " << count;
        EXPECT_EQ(*found->session.find(PartKind::Report, "ballast")->content, std::to_string(saved) + ballast);
    }
    ASSERT_TRUE(SessionFile::open(path));
    std::size_t files = 0;
    for ([[maybe_unused]] const auto &entry : std::filesystem::directory_iterator(folder.path()))
        ++files;
    EXPECT_EQ(files, 1u) << "nothing of the killed ones is left beside it";
}

TEST(SessionFile, ALargeOneIsReadInLittleTime)
{
    const TempFolder folder;
    SavedSession session = someSession();
    for (int part = 0; part < 10; ++part)
        session.put(reportPart("ten megabytes " + std::to_string(part), std::string(10 << 20, static_cast<char>('0' + part))));
    ASSERT_TRUE(writeSession(session, folder / "large.zigzag"));
    const auto begin = std::chrono::steady_clock::now();
    const auto file = SessionFile::open(folder / "large.zigzag");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ASSERT_TRUE(file);
    std::cout << std::filesystem::file_size(folder / "large.zigzag") / 1'000'000 << " MB opened in " << seconds << " s\n";
    EXPECT_LT(seconds, 10) << "1 on an idle machine; this one may have others on it, or a sanitizer";
}

TEST(SessionCommands, InfoTellsWhatIsInASession)
{
    const TempFolder folder;
    const auto path = folder / "a.zigzag";
    ASSERT_TRUE(writeSession(someSession(), path));
    const auto table = test::runZigzag({"info", path.string()});
    ASSERT_EQ(table.code, 0) << table.errors;
    for (const char *word : {"sample", "bundled:zigzag-tiny", "Attention", "no first layer", "4 of 6 KV heads stream",
                             "2 layers locked", "in front", "third question", "what was tried"})
        EXPECT_NE(table.output.find(word), std::string::npos) << word << " is not in\n" << table.output;
    const auto json = test::runZigzag({"info", path.string(), "-o", "json"});
    ASSERT_EQ(json.code, 0) << json.errors;
    const auto read = nlohmann::json::parse(json.output);
    EXPECT_EQ(read["parts"].size(), 4u);
    EXPECT_EQ(read["parts"][0]["kind"], "scores");
    EXPECT_EQ(read["model"], "sample");
    writeText(path, readText(path).substr(0, 100));
    EXPECT_EQ(test::refusalFault(test::runZigzag({"info", path.string()}), 2), "");
}

TEST(SessionFile, WhatCannotBeReadBackIsNotWritten)
{
    const TempFolder folder;
    SavedSession session = someSession();
    session.parts.push_back(session.parts.front());
    EXPECT_FALSE(writeSession(session, folder / "twice.zigzag"));
    session = someSession();
    session.parts[0].kind = "With Blanks";
    EXPECT_FALSE(writeSession(session, folder / "kind.zigzag"));
    session = someSession();
    session.parts[0].name.clear();
    EXPECT_FALSE(writeSession(session, folder / "name.zigzag"));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

} // namespace
} // namespace zigzag

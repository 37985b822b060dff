// SPDX-License-Identifier: GPL-3.0-or-later
// What `--backend cuda` says where it cannot run, in one line each; `auto` runs on the processor in every case.
#include "engine/run/backend_module.h"
#include "tests/cli/run_program.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace zigzag::test {
namespace {

namespace fs = std::filesystem;

class BackendLines : public testing::Test
{
protected:
    /// A copy of the program with, perhaps, a module beside it and a driver where the loader looks first.
    ProgramResult run(const char *module, bool driver, const std::string &backend = "cuda")
    {
        const fs::path program = m_folder.path() / "zigzag", beside = m_folder.path() / "zigzag_cuda.so";
        const fs::path drivers = m_folder.path() / "drivers";
        fs::create_directories(drivers);
        fs::copy_file(zigzagProgram(), program, fs::copy_options::overwrite_existing);
        fs::remove(beside);
        fs::remove(drivers / "libcuda.so.1");
        if (module)
            fs::copy_file(module, beside);
        if (driver)
            fs::copy_file(ZIGZAG_EMPTY_LIBRARY, drivers / "libcuda.so.1");
        return runZigzag(
            {"generate", "bundled:zigzag-tiny", "--prompt", "The pass key is ", "--max-new", "1", "--backend", backend},
            {.environment = {"LD_LIBRARY_PATH=" + drivers.string()}, .program = program.string()});
    }

    void expectLine(const ProgramResult &result, int code, const std::string &text)
    {
        EXPECT_EQ(refusalFault(result, code), "");
        EXPECT_NE(result.errors.find(text), std::string::npos) << result.errors;
        fmt::print("{}", result.errors);
    }

    TempFolder m_folder;
};

TEST_F(BackendLines, ModuleMissing)
{
    expectLine(run(nullptr, true), 2, "there is no zigzag_cuda.so beside the program");
}

TEST_F(BackendLines, UnsupportedDevice)
{
    expectLine(run(ZIGZAG_REFUSING_MODULE, true), 1, "compute capability 7.0 and 8.0 is the least");
}

TEST_F(BackendLines, ModuleOfAnotherVersion)
{
    const auto next = fmt::format("is for version {} of the backend interface, and this engine's is {}", backendInterface + 1,
                                  backendInterface);
    expectLine(run(ZIGZAG_OTHER_VERSION_MODULE, true), 1, next);
    expectLine(run(ZIGZAG_OTHER_BUILD_MODULE, true), 1, "is from another build");
    expectLine(run(ZIGZAG_EMPTY_LIBRARY, true), 1, "names no version of the backend interface"); // from before there was one
}

TEST_F(BackendLines, DriverMissing)
{
    // A machine that has a driver has it here as well; then the fake module is asked, and refuses.
    const ProgramResult result = run(ZIGZAG_REFUSING_MODULE, false);
    const bool hasDriver = result.errors.find("compute capability 7.0") != std::string::npos;
    expectLine(result, 1, hasDriver ? "compute capability 7.0" : "this machine has no NVIDIA driver");
}

TEST_F(BackendLines, AutoRunsOnTheProcessor)
{
    const ProgramResult without = run(nullptr, true, "auto");
    EXPECT_EQ(without.code, 0) << without.errors;
    EXPECT_EQ(without.errors.find("note: backend"), std::string::npos) << "nothing is amiss: " << without.errors;
    for (const char *module :
         {ZIGZAG_REFUSING_MODULE, ZIGZAG_OTHER_VERSION_MODULE, ZIGZAG_OTHER_BUILD_MODULE, ZIGZAG_EMPTY_LIBRARY}) {
        const ProgramResult result = run(module, true, "auto");
        EXPECT_EQ(result.code, 0) << result.errors;
        EXPECT_EQ(result.output, without.output);
        EXPECT_NE(result.errors.find("note: backend cuda: "), std::string::npos) << result.errors;
        EXPECT_NE(result.errors.find("; until then the processor runs everything\n"), std::string::npos) << result.errors;
    }
}

} // namespace
} // namespace zigzag::test

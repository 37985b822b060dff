// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

namespace zigzag::test {

/// What stands before every fuzzer's body. Under libFuzzer (-DZIGZAG_LIBFUZZER) the body is its entry; in the ordinary build
/// it has a name, by which corpus_test.cpp feeds it the corpus.
#ifdef ZIGZAG_LIBFUZZER
#define ZIGZAG_FUZZ(name)                                                                                                        \
    static void fuzzBody(std::string_view input);                                                                                \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)                                            \
    {                                                                                                                            \
        fuzzBody({reinterpret_cast<const char *>(data), size});                                                                  \
        return 0;                                                                                                                \
    }                                                                                                                            \
    static void fuzzBody(std::string_view input)
#else
#define ZIGZAG_FUZZ(name) void fuzz_##name(std::string_view input)
#endif

/// A parser broke a promise of its own; a sanitizer would not see it.
inline void require(bool holds)
{
    if (!holds)
        std::abort();
}

/// A scratch folder in memory, one for each process; gone when it ends.
inline const std::filesystem::path &fuzzFolder()
{
    struct Scratch {
        std::filesystem::path folder;
        Scratch()
        {
            const std::filesystem::path shared = "/dev/shm";
            const auto root = std::filesystem::is_directory(shared) ? shared : std::filesystem::temp_directory_path();
            folder = root / ("zigzag-fuzz-" + std::to_string(getpid()));
            std::filesystem::create_directories(folder);
        }
        ~Scratch()
        {
            std::error_code ignored;
            std::filesystem::remove_all(folder, ignored);
        }
    };
    static const Scratch scratch;
    return scratch.folder;
}

inline std::filesystem::path fuzzFile(const std::string &name, std::string_view content)
{
    std::filesystem::path file = fuzzFolder() / name;
    std::ofstream(file, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    return file;
}

} // namespace zigzag::test

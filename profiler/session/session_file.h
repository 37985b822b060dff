// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zigzag {

/// What parts of a session are called. The content of a part is what the file of its kind is, so that each has one reader and one
/// writer (session_parts.h). Kinds that this version does not know are kept as they are.
struct PartKind {
    static constexpr std::string_view Scores = "scores", ///< zigzag-head-scores
        Variant = "variant", ///< zigzag-head-map: a map that a person works on, with its locks
        MeasuredMap = "measured-map", ///< zigzag-head-map: what results speak of; its name is fingerprintOf it
        Bench = "bench", ///< zigzag-bench, or zigzag-prediction
        Sweep = "sweep", ///< zigzag-sweep: maps and what each costs in quality
        Needle = "needle", ///< zigzag-needle
        Trace = "trace", ///< zigzag-trace
        Answers = "answers", ///< zigzag-answers
        Quality = "quality", ///< zigzag-quality: maps, and what they score where each was asked by itself
        Machine = "machine-profile", ///< zigzag-machine-profile
        Report = "report", ///< text for a person
        Recommendation = "recommendation", ///< zigzag-recommendation
        Layout = "layout"; ///< of the window; opaque
};

/// One thing that was worked out. Contents are shared and never changed: who has the same pointer has the same bytes, and only
/// what is new is written.
struct SessionPart {
    std::string kind; ///< small letters, digits and dashes; at most 64
    std::string name; ///< what a person calls it; of one kind, names differ
    std::string notes; ///< a person's own words
    std::int64_t when = 0; ///< seconds since 1970; 0 = not known
    std::vector<int> locked; ///< of a variant: layers that an assignment leaves as they are, rising
    std::map<std::string, std::string> details; ///< small things beside the content, such as the engine that ran it
    std::shared_ptr<const std::string> content; ///< never null
    std::string others = {}; ///< members of its entry that a later version wrote, as a JSON object; empty: none
};

/// `zigzag-session`, version 1: everything that was worked out with one model, as a value.
struct SavedSession {
    std::string asked; ///< the model as it was asked for: a folder, a GGUF file, preset:NAME, bundled:NAME; empty: not at hand
    ModelShape
        model; ///< no layers: none yet. Its fingerprint tells whether `asked` still is the model that this was worked out with
    std::string notes;
    std::string current; ///< the variant in front; empty: the first
    std::vector<SessionPart> parts;
    std::string others = {}; ///< members of the manifest that a later version wrote, as a JSON object; empty: none

    const SessionPart *find(std::string_view kind, std::string_view name) const;
    std::vector<const SessionPart *> all(std::string_view kind) const; ///< in their order
    /// In the place of the part of the same kind and name, or behind all others.
    void put(SessionPart part);
    void remove(std::string_view kind, std::string_view name);
    /// `name`, or with a number behind where the kind has a part of that name: "map", "map 2".
    std::string freeName(std::string_view kind, const std::string &name) const;
};

/// A session as it was found, and what of it was not.
struct ReadSession {
    SavedSession session;
    std::vector<std::string> notes; ///< for a person: what is damaged or missing, and that the last save did not end
};

// The file is text around the parts' own bytes:
//
//     {"format": "zigzag-session", "version": 1}
//     part SHA256 BYTES         the content of a part behind it, and a line's end
//     manifest SHA256 BYTES     JSON behind it: model, parts by kind and name and SHA-256, a line each; and a line's end
//
// The last manifest whose parts are all there is the session. A file that is written whole begins with its manifest, so that it
// opens with what is in it; a save while one works appends the parts that are new, and then a manifest. What is behind the last
// whole block is the rest of a save that did not end, and counts for nothing.

/// The largest session that is read, in bytes.
inline constexpr std::uint64_t largestSession = std::uint64_t{4} << 30;

/// Trusts nothing. Parts whose bytes are not those that the manifest names are left out, with a note.
Result<ReadSession> parseSession(std::string_view bytes, const std::string &where);
Result<ReadSession> readSession(const std::filesystem::path &file);
/// Whole and atomically, whoever has the file open: of a crash, the old file or the new one is left.
Result<void> writeSession(const SavedSession &session, const std::filesystem::path &file);

/// A session's file while somebody works in it: nobody else saves into it, and a save writes what is new alone. A process that
/// ends anyhow, at any moment, leaves the session of the last save.
class SessionFile
{
public:
    /// Opens a session, or begins an empty one where there is no such file. Refused while another process has it.
    static Result<SessionFile> open(const std::filesystem::path &file);
    SessionFile(SessionFile &&other) noexcept;
    SessionFile &operator=(SessionFile &&other) noexcept;
    ~SessionFile();

    const std::filesystem::path &path() const { return m_path; }
    /// What was in it when it was opened; taken once.
    ReadSession takeFound() { return std::move(m_found); }

    /// Returns when it is on the disk. Nothing is written where nothing changed. The file is written anew, whole, where more than
    /// half of it would be of earlier saves, and where somebody took it away. Refused where somebody put another one in its
    /// place.
    Result<void> save(const SavedSession &session);
    /// The next save writes the file whole: what a person keeps has its manifest first.
    void wantWhole() { m_wantWhole = true; }

private:
    struct Known {
        std::shared_ptr<const std::string> content; ///< kept, so that no other content gets its address
        std::string hash;
    };
    SessionFile() = default;
    enum class Place { Ours, Nowhere, Other }; ///< what is at the path: the file that we hold, none, or one of somebody else
    Place whereIsIt() const;
    Result<void> lock();
    std::string hashOf(const std::shared_ptr<const std::string> &content);
    Result<void> append(const SavedSession &session, const std::string &manifest);
    Result<void> writeWhole(const SavedSession &session, const std::string &manifest);
    void forgetAllBut(const SavedSession &session);

    std::filesystem::path m_path;
    ReadSession m_found;
    int m_descriptor = -1;
    std::uint64_t m_end = 0; ///< of the last whole block
    bool m_wantWhole = false;
    std::string m_manifest; ///< of the last save
    std::map<const std::string *, Known> m_known;
    std::map<std::string, std::uint64_t> m_inFile; ///< hash → bytes
};

} // namespace zigzag

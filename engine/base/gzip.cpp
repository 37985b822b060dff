// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/gzip.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <zlib.h>

namespace zigzag {
namespace {

/// A stream of zlib, ended with its scope.
class Inflater
{
public:
    explicit Inflater(std::string_view bytes)
        : m_rest(bytes)
    {
        constexpr int gzipOnly = 16; // added to the window's bits
        m_isReady = inflateInit2(&m_stream, MAX_WBITS + gzipOnly) == Z_OK;
    }
    ~Inflater() { inflateEnd(&m_stream); }
    Inflater(const Inflater &) = delete;
    Inflater &operator=(const Inflater &) = delete;

    /// Appends the next piece. Z_OK: there is more; Z_STREAM_END: that was all; else what is wrong.
    int appendTo(std::string &out)
    {
        if (!m_isReady)
            return Z_MEM_ERROR;
        if (m_stream.avail_in == 0) {
            const std::size_t piece = std::min<std::size_t>(m_rest.size(), std::numeric_limits<uInt>::max());
            m_stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(m_rest.data())); // zlib only reads it
            m_stream.avail_in = static_cast<uInt>(piece);
            m_rest.remove_prefix(piece);
        }
        const bool isEmpty = m_stream.avail_in == 0;
        m_stream.next_out = m_block;
        m_stream.avail_out = sizeof m_block;
        const int code = inflate(&m_stream, Z_NO_FLUSH);
        const std::size_t count = sizeof m_block - m_stream.avail_out;
        out.append(reinterpret_cast<const char *>(m_block), count);
        if (code == Z_STREAM_END)
            return nextMember();
        return code == Z_BUF_ERROR && !isEmpty ? Z_OK : code;
    }

private:
    /// Files are put behind one another; what follows and is no gzip is ignored, as gzip does.
    int nextMember()
    {
        const std::string_view left(reinterpret_cast<const char *>(m_stream.next_in), m_stream.avail_in);
        const bool isMore = isGzip(left) || (left.empty() && isGzip(m_rest));
        return isMore && inflateReset(&m_stream) == Z_OK ? Z_OK : Z_STREAM_END;
    }

    std::string_view m_rest;
    z_stream m_stream = {};
    bool m_isReady = false;
    Bytef m_block[64 << 10];
};

} // namespace

bool isGzip(std::string_view bytes)
{
    return bytes.starts_with("\x1f\x8b");
}

Result<std::string> gunzip(std::string_view bytes, std::uint64_t limit, const std::string &where)
{
    std::string out;
    Inflater inflater(bytes);
    while (true) {
        const int code = inflater.appendTo(out);
        if (out.size() > limit)
            return badInput(
                fmt::format("{}: unpacks to more than {} bytes, the most that is read here; give a smaller file", where, limit));
        if (code == Z_STREAM_END)
            return out;
        if (code == Z_BUF_ERROR)
            return badInput(fmt::format("{}: gzip data that is cut off; fetch the file whole", where));
        if (code == Z_MEM_ERROR)
            return failed(fmt::format("{}: no memory is left to unpack it; close other programs", where));
        if (code != Z_OK)
            return badInput(fmt::format("{}: damaged gzip data; fetch the file anew", where));
    }
}

std::string gunzipBeginning(std::string_view bytes, std::size_t count)
{
    std::string out;
    Inflater inflater(bytes);
    while (out.size() < count && inflater.appendTo(out) == Z_OK)
        continue;
    out.resize(std::min(out.size(), count));
    return out;
}

} // namespace zigzag

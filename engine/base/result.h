// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace zigzag {

/// Who can mend it: the person who gave the input (exit code 2), or nobody in advance (exit code 1). Cancelled: there is
/// nothing to mend, the work was asked to stop (exit code 1).
enum class ErrorKind { BadInput, Failed, Cancelled };

/// One line for a person: what, where, and what to do.
struct Error {
    ErrorKind kind = ErrorKind::Failed;
    std::string message;
};

template <class T> using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> badInput(std::string message)
{
    return tl::unexpected(Error{ErrorKind::BadInput, std::move(message)});
}

inline tl::unexpected<Error> failed(std::string message)
{
    return tl::unexpected(Error{ErrorKind::Failed, std::move(message)});
}

/// Of work that its cancel flag stopped. Whoever has part of a result may return that instead.
inline tl::unexpected<Error> cancelled(std::string message = "the run was cancelled")
{
    return tl::unexpected(Error{ErrorKind::Cancelled, std::move(message)});
}

inline bool isCancelled(const Error &error)
{
    return error.kind == ErrorKind::Cancelled;
}

} // namespace zigzag

/// Declares `name` as the value of `expression`, or returns its error from the enclosing function.
#define ZIGZAG_TRY(name, expression)                                                                                             \
    auto name##Result = (expression);                                                                                            \
    if (!name##Result)                                                                                                           \
        return tl::unexpected(std::move(name##Result.error()));                                                                  \
    auto &name = *name##Result

/// Returns the error of a Result<void> from the enclosing function.
#define ZIGZAG_CHECK(expression)                                                                                                 \
    do {                                                                                                                         \
        if (auto checked = (expression); !checked)                                                                               \
            return tl::unexpected(std::move(checked.error()));                                                                   \
    } while (false)

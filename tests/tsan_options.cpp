// SPDX-License-Identifier: GPL-3.0-or-later
// Debian builds Qt, oneDNN and libgomp without ThreadSanitizer: it sees their accesses to memory through intercepted calls, and
// none of the atomic operations that order them. What two places of ours do to each other is still reported.

extern "C" const char *__tsan_default_options()
{
    return "ignore_noninstrumented_modules=1";
}

/// Nor does it see the mutex of an event queue, under which the arguments of a queued signal pass to another thread: Qt's
/// templates copy them here, in code that is ours by name.
extern "C" const char *__tsan_default_suppressions()
{
    return "race:QtPrivate::QMetaTypeForType\n";
}

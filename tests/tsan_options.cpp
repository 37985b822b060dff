// SPDX-License-Identifier: GPL-3.0-or-later
// Debian builds Qt, oneDNN and libgomp without ThreadSanitizer: it sees their accesses to memory through intercepted calls, and
// none of the atomic operations that order them. What two places of ours do to each other is still reported.

extern "C" const char *__tsan_default_options()
{
    return "ignore_noninstrumented_modules=1";
}

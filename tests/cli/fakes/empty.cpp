// SPDX-License-Identifier: GPL-3.0-or-later
// A driver's library by name alone, or a module of another version: nothing in it.

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QAction;
class QActionGroup;
class QMenu;

namespace zigzag {

/// The window's actions, by menu. The window owns them.
struct WindowActions {
    QAction *open, *openFolder, *openConfig, *importScores, *save, *saveAs, *exportMap, *report, *close, *saveSession,
        *saveSessionAs;
    QMenu *recent, *variants;
    QAction *newVariant, *renameVariant, *noteVariant, *removeVariant, *nextVariant;
    QAction *undo, *redo, *flip, *retrieve, *stream, *lock, *selectAll, *exclusive, *preferences;
    QAction *measure, *needle, *score, *calibrate, *checkServer, *recommend, *cancel;
    QActionGroup *themes;
    QAction *resetLayout;
    QAction *palette, *guide, *glossary, *shortcuts, *about;
};

} // namespace zigzag

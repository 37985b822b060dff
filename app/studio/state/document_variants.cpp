// SPDX-License-Identifier: GPL-3.0-or-later
// Several maps of one model, each with a history of its own.
#include "app/studio/state/document.h"

#include <algorithm>
#include <utility>

namespace zigzag {

namespace {
constexpr int undoLimit = 1000;
}

Document::Kept Document::keptFrom(const MapVariant &variant)
{
    Kept kept{variant.name, variant.notes, std::make_unique<QUndoStack>(), variant.state, variant.saved, variant.path};
    kept.undo->setUndoLimit(undoLimit);
    m_undoGroup.addStack(kept.undo.get());
    return kept;
}

void Document::putAside()
{
    if (inStroke())
        endStroke();
    endSeries();
    Kept &front = m_variants[m_variant];
    front.state = m_state;
    front.saved = m_saved;
    front.path = m_path;
}

void Document::takeFront(std::size_t index)
{
    m_variant = index;
    Kept &front = m_variants[index];
    m_undoGroup.setActiveStack(front.undo.get());
    m_state = std::exchange(front.state, {});
    m_saved = std::exchange(front.saved, {});
    m_path = std::exchange(front.path, {});
}

MapVariant Document::variantAt(int index) const
{
    const Kept &kept = m_variants[static_cast<std::size_t>(index)];
    if (index == variant())
        return {kept.name, kept.notes, m_state, m_saved, m_path};
    return {kept.name, kept.notes, kept.state, kept.saved, kept.path};
}

QString Document::freeVariantName(const QString &name) const
{
    const auto isTaken = [this](const QString &wanted) {
        return std::any_of(m_variants.begin(), m_variants.end(), [&](const Kept &kept) { return kept.name == wanted; });
    };
    constexpr qsizetype longest = 100;
    const QString shortName = name.left(longest);
    QString free = shortName;
    for (int number = 2; isTaken(free); ++number)
        free = QStringLiteral("%1 %2").arg(shortName).arg(number);
    return free;
}

int Document::duplicateVariant(const QString &name)
{
    putAside();
    MapVariant copy = variantAt(variant());
    copy.state = m_variants[m_variant].state;
    copy.saved = copy.state.map; // it comes from no file
    copy.path.clear();
    copy.name = freeVariantName(name);
    m_variants.push_back(keptFrom(copy));
    takeFront(m_variants.size() - 1);
    apply(m_state);
    Q_EMIT pathChanged();
    Q_EMIT variantsChanged();
    return variant();
}

void Document::showVariant(int index)
{
    if (index == variant() || index < 0 || index >= variants())
        return;
    putAside();
    takeFront(static_cast<std::size_t>(index));
    apply(m_state);
    Q_EMIT pathChanged();
    Q_EMIT variantsChanged();
}

void Document::renameVariant(int index, const QString &name)
{
    Kept &kept = m_variants[static_cast<std::size_t>(index)];
    const QString trimmed = name.simplified();
    if (trimmed.isEmpty() || trimmed == kept.name)
        return;
    kept.name = freeVariantName(trimmed);
    Q_EMIT variantsChanged();
}

void Document::setVariantNotes(int index, const QString &notes)
{
    m_variants[static_cast<std::size_t>(index)].notes = notes;
    Q_EMIT variantsChanged();
}

void Document::removeVariant(int index)
{
    if (variants() < 2 || index < 0 || index >= variants())
        return;
    if (index == variant())
        showVariant(index > 0 ? index - 1 : 1);
    m_undoGroup.removeStack(m_variants[static_cast<std::size_t>(index)].undo.get());
    m_variants.erase(m_variants.begin() + index);
    if (variant() > index)
        --m_variant;
    Q_EMIT variantsChanged();
}

void Document::beginVariants(const std::vector<MapVariant> &variants, int current)
{
    m_beforeStroke.reset();
    std::vector<Kept> kept;
    for (const MapVariant &variant : variants)
        kept.push_back(keptFrom(variant));
    m_variants = std::move(kept);
    takeFront(static_cast<std::size_t>(std::clamp(current, 0, static_cast<int>(variants.size()) - 1)));
    m_shape = m_state.map.model();
    apply(m_state);
    Q_EMIT pathChanged();
    Q_EMIT variantsChanged();
}

} // namespace zigzag

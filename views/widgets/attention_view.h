// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/attention_picture_job.h"
#include "views/widgets/exhibit.h"

#include <QWidget>
#include <memory>

namespace zigzag {

/// The attention of one head over a prompt: queries from top to bottom, keys from left to right, with the sinks and the window
/// of a streaming head drawn in. A click, or the arrow keys, chooses a query.
class AttentionView : public QWidget
{
    Q_OBJECT
public:
    explicit AttentionView(QWidget *parent = nullptr);

    /// Null: nothing. Begins at the head that looks farthest, and at the query that the prompt asks.
    void show(std::shared_ptr<const jobs::AttentionPictures> pictures);
    void setHead(std::size_t index);
    void setLargest(bool largest); ///< a bin's largest weight rather than its mean
    void setQuery(std::int64_t query);

    bool isEmpty() const { return !m_pictures; }
    const jobs::AttentionPictures *pictures() const { return m_pictures.get(); }
    const AttentionPicture *picture() const { return m_pictures ? &m_pictures->heads[m_head] : nullptr; }
    std::size_t head() const { return m_head; }
    std::int64_t query() const { return m_query; }
    /// What the chosen query looks at, in words: a line for where its attention goes, and one for each of its strongest keys.
    QString described() const;
    Exhibit exhibit();
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void chosen();

protected:
    void paintEvent(QPaintEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;
    bool event(QEvent *event) override;

private:
    QRect square(const QSize &size) const;
    void paint(QPainter &painter, const QSize &size, bool focused) const;
    QImage image() const;
    QString csv() const;
    void changed();

    std::shared_ptr<const jobs::AttentionPictures> m_pictures;
    std::size_t m_head = 0;
    std::int64_t m_query = 0;
    bool m_largest = true;
};

/// A token of a prompt as a person reads it: what is invisible is seen, what is no UTF-8 is marked.
QString pieceText(const std::string &piece);

} // namespace zigzag

// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/op_colors.h"

namespace zigzag {

OpGroup groupOf(Op op)
{
    switch (op) {
    case Op::Attention:
    case Op::Commit:
    case Op::CopyHeads:
        return OpGroup::Attention;
    case Op::Qkv:
    case Op::OutputProjection:
        return OpGroup::Projections;
    case Op::GateUp:
    case Op::Down:
    case Op::Router:
    case Op::Experts:
        return OpGroup::Mlp;
    case Op::InputNorm:
    case Op::AttentionNorm:
    case Op::PostNorm:
    case Op::FeedForwardNorm:
    case Op::RopeAppend:
    case Op::Activation:
        return OpGroup::Pointwise;
    case Op::Embed:
    case Op::FinalNorm:
    case Op::Logits:
    case Op::NextToken:
        return OpGroup::Ends;
    case Op::Pass:
        break;
    }
    return OpGroup::Pass;
}

QColor groupColor(OpGroup group)
{
    switch (group) {
    case OpGroup::Attention:
        return {0xd5, 0x5e, 0x00};
    case OpGroup::Projections:
        return {0x00, 0x72, 0xb2};
    case OpGroup::Mlp:
        return {0x00, 0x9e, 0x73};
    case OpGroup::Pointwise:
        return {0xe6, 0xb4, 0x2e};
    case OpGroup::Ends:
        return {0xcc, 0x79, 0xa7};
    case OpGroup::Pass:
        break;
    }
    return {0x8a, 0x93, 0x9e};
}

QColor opColor(Op op)
{
    const QColor family = groupColor(groupOf(op));
    switch (op) {
    case Op::OutputProjection:
        return {0x56, 0xb4, 0xe9};
    case Op::Down:
    case Op::Router:
        return {0x5c, 0xc9, 0xa4};
    case Op::Commit:
        return {0xf0, 0x9a, 0x58};
    case Op::CopyHeads:
        return {0x9c, 0x3d, 0x00};
    case Op::RopeAppend:
    case Op::PostNorm:
    case Op::FeedForwardNorm:
        return family.lighter(122);
    case Op::Embed:
    case Op::FinalNorm:
        return family.lighter(118);
    default:
        return family;
    }
}

} // namespace zigzag

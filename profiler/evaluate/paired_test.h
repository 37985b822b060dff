// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace zigzag {

/// Whether a map answers the same questions otherwise than full attention, from the pairs of scores.
struct PairedTest {
    int count = 0; ///< questions
    int worse = 0, better = 0; ///< whose score fell, and rose
    double difference = 0; ///< mean of (map − full), within −1 to 1
    double low = 0, high = 0; ///< its 95 % interval
    double p = 1; ///< two-sided: that such a difference is chance
    bool isExact = false; ///< p is McNemar's, from scores that are all 0 or 1; otherwise the bootstrap's
    double detectable = 1; ///< the smallest drop of the mean that so many questions show in four of five cases

    bool isDifferent() const { return p < 0.05; }
};

/// `full` and `map`: scores of the same questions in the same order, 0 to 1.
///
/// p of scores that are 0 or 1: McNemar's test in its exact form, two-sided (Q. McNemar, Psychometrika 12, 1947): the binomial
/// probability of so uneven a split of the pairs that differ. Otherwise twice the smaller share of 10,000 seeded resamples of the
/// questions whose mean difference is on either side of 0. The interval is the adjusted Wald one of D. G. Bonett and R. M. Price
/// (Journal of Educational and Behavioral Statistics 37, 2012) where scores are 0 or 1 or none differs, so that it has a width
/// then too; otherwise that of the resamples. `detectable`: the difference δ at which R. J. Connor's sample size for the paired
/// design (Biometrics 43, 1987) is this one, at 5 % and a power of 80 %: √n · δ = 1.960 √ψ + 0.842 √(ψ − δ²), where ψ is the mean
/// square of the differences seen, and never less than δ, as where nothing differed yet; and no less than what makes the six
/// pairs that McNemar's exact test needs likely enough.
PairedTest pairedTest(std::span<const double> full, std::span<const double> map, std::uint64_t seed = 1);

/// "no difference seen with n = 40; a drop of less than 14 points would not have been seen", or what was seen.
std::string pairedText(const PairedTest &test);

} // namespace zigzag

"""A bound that may be looked at after every call, for as long as one likes: how sure it is that too much fails.

An e-value: the likelihood of what was seen if more fails than may, over its likelihood if just as much fails as may,
averaged over a few such alternatives. While no more fails than may, the chance that it *ever* reaches 1/doubt is
`doubt` at most (Ville's inequality; A. Wald, Sequential Tests of Statistical Hypotheses, 1945; H. Robbins, Statistical
Methods Related to the Law of the Iterated Logarithm, 1970; A. Ramdas et al., Game-Theoretic Statistics and Safe
Anytime-Valid Inference, 2023). A share of failures of a fixed number of calls would not do: whoever looks often enough
sees any share.
"""

from __future__ import annotations

from math import exp, log

_ALTERNATIVES = 8


def e_value(failed: int, count: int, may_fail: float) -> float:
    """Of `failed` among `count` calls, of which a share `may_fail` (between 0 and 1, both excluded) may fail."""
    steps = range(1, _ALTERNATIVES + 1)
    worse = [may_fail + (1 - may_fail) * step / (_ALTERNATIVES + 1) for step in steps]
    worse += [odds for odds in (2 * may_fail, 4 * may_fail) if odds < 1]
    ratios = [failed * log(p / may_fail) + (count - failed) * log((1 - p) / (1 - may_fail)) for p in worse]
    return sum(exp(min(ratio, 700.0)) for ratio in ratios) / len(ratios)


def fails_too_often(failed: int, count: int, may_fail: float, doubt: float) -> bool:
    """Is it as good as certain that more than `may_fail` fails? `doubt` is the chance of a false alarm."""
    return count > 0 and failed / count > may_fail and e_value(failed, count, may_fail) >= 1 / doubt


def bound(count: int, doubt: float, failed: int = 0) -> float:
    """The greatest share of failures that is still believable after this many calls: a confidence sequence's end.

    Everything above it is ruled out at once and for good, with a chance of `doubt` of being wrong. 1 of none.
    """
    low, high = failed / count if count else 1.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if _seldom(failed, count, middle) >= 1 / doubt:
            high = middle
        else:
            low = middle
    return high


def _seldom(failed: int, count: int, often: float) -> float:
    """The e-value against "a share `often` fails or more": averaged over alternatives that fail less."""
    if not 0 < often < 1:
        return 0.0
    less = [often * step / (_ALTERNATIVES + 1) for step in range(1, _ALTERNATIVES + 1)] + [often / 1000]
    ratios = [failed * log(p / often) + (count - failed) * log((1 - p) / (1 - often)) for p in less]
    return sum(exp(min(ratio, 700.0)) for ratio in ratios) / len(ratios)

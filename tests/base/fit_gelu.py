#!/usr/bin/env python3
"""Fits kGelu of src/base/canonical.hpp: Phi(y) - 1/2 = y P(u), u = 2 (y/c)^2 - 1, on |y| <= c.

Minimax in the error of GELU, y (Phi - fit), by reweighted least squares on Chebyshev nodes: points
whose error is large get more weight until all peaks are alike. P is tied at u = 1, where the fit
reaches 1/2, so that Phi is 1 from the clamp on. Powers of u, not of y: the terms of P stay small and
do not cancel in fp32. A larger clamp needs more terms, a smaller one cuts off a larger tail; 4.8 with
11 terms leaves 4.4e-6.

Usage: fit_gelu.py [CLAMP TERMS]      needs NumPy; prints the coefficients as C++ hex floats.
"""
import sys
from math import erf, sqrt

import numpy as np
from numpy.polynomial import chebyshev

NODES = 6000
ROUNDS = 400


# Rounding to fp32 leaves y P an ulp short of 1/2 at the clamp; one ulp more in the last coefficient
# makes it reach 1/2, and the clamp of Phi to [0, 1] makes GELU exactly x or 0 from there on.
LAST_NUDGE = 2.0**-26


def fit(clamp, terms):
    """Coefficients of P, highest power first, and the largest |error| of GELU inside the clamp."""
    y = np.maximum(0.5 * clamp * (1 - np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)), 1e-6)
    target = np.array([0.5 * erf(value / sqrt(2)) for value in y])
    # All Chebyshev polynomials are 1 at u = 1: the tie P(1) = 0.5 / c fixes the first coefficient.
    basis = chebyshev.chebvander(2 * (y / clamp) ** 2 - 1, terms - 1) * y[:, None]
    tie = 0.5 / clamp
    free = basis[:, 1:] - basis[:, :1]
    rest = target - basis[:, 0] * tie
    weight = np.ones(NODES)
    for _ in range(ROUNDS):
        root = np.sqrt(weight) * y
        solution, *_ = np.linalg.lstsq(free * root[:, None], rest * root, rcond=None)
        error = np.abs((free @ solution - rest) * y)
        weight *= error / error.max() + 1e-3
        weight /= weight.mean()
    series = chebyshev.cheb2poly(np.concatenate([[tie - solution.sum()], solution]))
    return series[::-1], error.max()


def main():
    clamp, terms = (float(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else (4.8, 11)
    coefficients, error = fit(float(np.float32(clamp)), terms)
    print(f"clamp {clamp}, {terms} terms, largest error of GELU inside the clamp {error:.2e}")
    rounded = coefficients.astype(np.float32)
    rounded[-1] = np.float32(np.float64(rounded[-1]) + LAST_NUDGE)
    print(",\n".join(float(value).hex() + "F" for value in rounded))


if __name__ == "__main__":
    main()

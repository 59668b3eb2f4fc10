"""Prints what range_methods_test.cpp expects of a body of values and three outliers, computed by numpy and scipy.

Run: python make_ranges.py. The methods are written anew here: percentiles and squared errors of the values
themselves, not of a histogram, and scipy's divergence between distributions."""
import numpy as np
from scipy import special

N, COPIES, BINS = 10007, 200, 8192


def values():
    """Of operations that are the same in every language: a body within 2.05 of 0, each value 200 times."""
    u = (np.arange(N, dtype=np.float64) * 7919 % N + 0.5) / N * 2 - 1
    body = (u * u * u * 2 - 0.05).astype(np.float32)
    return np.concatenate([np.repeat(body, COPIES), np.float32([9.5, -5.25, 7.0])]).astype(np.float64)


def quantize(x, low, high):
    scale = (high - low) / 255
    zero = np.round(-low / scale)
    return np.clip(np.round(x / scale), -zero, 255 - zero) * scale


def mse_range(x):
    """Every pair of hundredths of both ends; values that occur often are coded once."""
    unique, counts = np.unique(x, return_counts=True)
    best = (np.inf, 0, 0)
    for low in x.min() * np.arange(1, 101) / 100:
        for high in x.max() * np.arange(1, 101) / 100:
            error = np.sum(counts * (unique - quantize(unique, low, high)) ** 2) / len(x)
            if error < best[0]:
                best = (error, low, high)
    return best


def entropy_share(x):
    """The share of both ends that keeps the distribution best."""
    counts, edges = np.histogram(x, BINS, (x.min(), x.max()))
    width = (x.max() - x.min()) / BINS
    best = (np.inf, 1.0)
    for share in np.arange(100, 0, -1) / 100:
        first = int(np.floor((x.min() * share - x.min()) / width))
        end = min(int(np.ceil((x.max() * share - x.min()) / width)), BINS)
        window = counts[first:end].astype(np.float64)
        if len(window) < 256:
            break
        q = np.zeros_like(window)
        cuts = len(window) * np.arange(257) // 256
        for begin, stop in zip(cuts, cuts[1:]):
            part = window[begin:stop]
            filled = part > 0
            if filled.any():
                q[begin:stop][filled] = part.sum() / filled.sum()
        kept = window.sum()
        window[0] += counts[:first].sum()
        window[-1] += counts[end:].sum()
        filled = window > 0
        p, q = window[filled] / len(x), np.maximum(q[filled], 1) / kept
        distance = np.sum(special.rel_entr(p, q))
        if distance < best[0]:
            best = (distance, share)
    return best


if __name__ == "__main__":
    x = values()
    for p in [99.0, 99.99]:
        low, high = (np.percentile(x, q, method="inverted_cdf") for q in [100 - p, p])
        print(f"percentile {p}: {low:.6f} {high:.6f}")
    error, low, high = mse_range(x)
    plain = np.mean((x - quantize(x, x.min(), x.max())) ** 2)
    print(f"mse: {error:.6e} at {low:.4f} {high:.4f}; of all that was seen {plain:.6e}")
    print("entropy: divergence {:.6f} at share {:.2f}".format(*entropy_share(x)))
    noise = np.sum((x - quantize(x, -1.0, 6.0)) ** 2)
    print(f"coded from -1 to 6: {10 * np.log10(np.sum(x * x) / noise):.4f} dB, "
          f"{np.mean((x < -36.5 * 7 / 255) | (x > 219.5 * 7 / 255)):.6f} clipped")  # 0 has the code 36

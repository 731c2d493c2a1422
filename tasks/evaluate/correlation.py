"""How alike the scores of images of one drive are: autocorrelation, block length, and independent images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Drives = Sequence[NDArray[np.intp]]

_LEAST = 1.3  # times the square root of N


def autocorrelation(series: Floats, drives: Drives) -> Floats:
    """The autocorrelation of per-image scores along drives, ``[L]`` at lags of 0, 1 ... frames; ``[0]`` is 1.

    Products are of frames of one drive, divided by the number of all frames; of several series, the mean.

    Args:
        series: ``[M, N]``; those that do not vary do not count. Without one that does, frames count as independent.
        drives: the images of each drive, as positions in N, by time; L is the longest one's length.
    """
    centred = series - series.mean(1, keepdims=True)
    power = (centred**2).sum(1)
    centred = centred[power > 0] / np.sqrt(power[power > 0])[:, None]
    found = np.zeros(max(map(len, drives)))
    for drive in drives:
        spectrum = np.fft.rfft(centred[:, drive], 2 * len(drive))
        found[: len(drive)] += np.fft.irfft(np.abs(spectrum) ** 2)[:, : len(drive)].sum(0)
    found[0] = max(len(centred), 1)
    normed: Floats = found / found[0]
    return normed


def window(correlation: Floats, images: int) -> Floats:
    """The flat-top weights (Politis and Romano, 1995) of lags 0 to M that hold what is no chance.

    M is twice the first lag after which 5 or more in a row are within 2 sqrt(log10(N) / N) of 0 (Politis and White,
    Automatic Block-Length Selection for the Dependent Bootstrap, Econometric Reviews 23, 2004).

    Args:
        correlation: ``[L]``, as of ``autocorrelation``. images: N.
    """
    run = max(5, math.ceil(math.sqrt(math.log10(max(images, 2)))))
    most = min(math.ceil(math.sqrt(images)) + run, len(correlation) - 1)
    limit = 2 * math.sqrt(math.log10(max(images, 2)) / images)
    small = np.abs(np.concatenate([correlation[1:], np.zeros(most + run)])) < limit
    last = next((m for m in range(most) if small[m : m + run].all()), most)
    width = max(min(2 * max(last, 1), most), 0)
    lags = np.arange(width + 1) / max(width, 1)
    return np.where(lags <= 0.5, 1.0, 2 * (1 - lags))


def long_run(correlation: Floats, weights: Floats) -> float:
    """How many times the variance of a mean is that of independent images; above 0."""
    return max(float(1 + 2 * (weights[1:] * correlation[1 : len(weights)]).sum()), 1e-3)


def best_block(correlation: Floats, images: int) -> float:
    """The block length of least mean squared error of a mean's variance, for the circular block bootstrap.

    ``(2 G² / D)^(1/3) N^(1/3)`` with G the sum over lags k of weight · |k| · R(k), and D = 4/3 g(0)², g(0) being the
    weighted sum of R(k) (Politis and White 2004, with the corrections of Patton, Politis and White 2009); from 1 to
    min(3 sqrt(N), N / 3), their bounds.
    """
    weights = window(correlation, images)
    lags = np.arange(1, len(weights))
    g = 2 * float((weights[1:] * lags * correlation[1 : len(weights)]).sum())
    length = (2 * g * g / (4 / 3 * long_run(correlation, weights) ** 2)) ** (1 / 3) * images ** (1 / 3)
    return float(min(max(length, 1.0), max(min(3 * math.sqrt(images), images / 3), 1.0)))


def block_length(correlation: Floats, images: int) -> int:
    """Frames in a block: ``best_block``'s, and no fewer than 1.3 sqrt(N).

    What is best for the variance itself is too short for a test of few frames (Lazarus, Lewis, Stock and Watson, HAR
    Inference: Recommendations for Practice, Journal of Business & Economic Statistics 36, 2018).
    """
    return min(max(math.ceil(best_block(correlation, images)), math.ceil(_LEAST * math.sqrt(images))), images)


def missed(correlation: Floats, images: int, length: int) -> float:
    """By what factor, 1 or more, blocks of a length make the variance of a mean too small.

    A block bootstrap weighs the lag k by 1 - k / length (Kuensch, The Jackknife and the Bootstrap for General
    Stationary Observations, Annals of Statistics 17, 1989) and so leaves out a part of a long correlation.
    """
    lags = np.arange(min(length, len(correlation)))
    return max(long_run(correlation, window(correlation, images)) / long_run(correlation, 1 - lags / length), 1.0)


def independent(correlation: Floats, images: int) -> int:
    """How many independent images frames with this autocorrelation are worth, 1 to N."""
    return min(max(round(images / long_run(correlation, window(correlation, images))), 1), images)


def independent_drives(series: Floats, drives: Drives) -> int:
    """How many independent images those of many drives are worth, 1 to N, by the variance between drives.

    N over the design effect of whole drives (Kish, Survey Sampling, 1965), the mean over series that vary.

    Args:
        series: ``[M, N]``, each of mean 0. drives: as of ``autocorrelation``, two at least.
    """
    images = series.shape[1]
    power = (series**2).sum(1)
    varying = series[power > 0] / np.sqrt(power[power > 0])[:, None]
    if not len(varying):
        return len(drives)
    between = np.array([varying[:, drive].sum(1) for drive in drives])
    effect = float((between**2).sum(0).mean()) * len(drives) / (len(drives) - 1)
    return int(min(max(round(images / max(effect, 1.0)), 1), images))

# mypy: allow-untyped-defs, allow-untyped-decorators, allow-untyped-calls
"""Two layers as machine code for one core, made by Numba in float32: attention of narrow heads, group normalization with SiLU."""

import inspect
import math
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic
from numba.np.unsafe.ndarray import to_fixed_tuple

# LLVM takes half of the 512-bit registers unless told; a choice of the user's own is left alone.
if numba.config.CPU_NAME is None and binding.get_host_cpu_features().get("avx512f"):
    numba.config.CPU_NAME = binding.get_host_cpu_name()
    numba.config.CPU_FEATURES = binding.get_host_cpu_features().flatten() + ",-prefer-256-bit"

f32 = np.float32
LOG2_E = f32(1 / math.log(2))
SERIES = tuple(f32(math.log(2) ** k / math.factorial(k)) for k in range(5, -1, -1))
ROUND = f32(1.5 * 2**23)  # Added to a float32 it leaves the nearest integer in the last bits.


def machine_code(flags):
    """Compile at the first call and keep it on disk, under what a checker of types may have wrapped around the function."""
    return lambda function: numba.njit(fastmath=flags, error_model="numpy", cache=True)(inspect.unwrap(function))


@intrinsic
def as_bits(typing: Any, x: Any) -> Any:
    return numba.int32(numba.float32), lambda context, builder, signature, arguments: builder.bitcast(arguments[0], ir.IntType(32))


@intrinsic
def as_float(typing: Any, x: Any) -> Any:
    return numba.float32(numba.int32), lambda context, builder, signature, arguments: builder.bitcast(arguments[0], ir.FloatType())


# Sums may be taken in any order elsewhere, but not here: (x + ROUND) - ROUND is meant.
@machine_code({"contract", "nsz"})
def exp2(x):
    """2^x for |x| < 126: 2^n times a series of degree 6 (relative error 2e-7) in what is left."""
    n = x + ROUND
    f = x - (n - ROUND)
    p = f32(math.log(2) ** 6 / 720)
    for c in SERIES:
        p = p * f + c
    return as_float(as_bits(p) + (as_bits(n) << np.int32(23)))


@machine_code({"contract", "nsz"})
def logistic(z):
    return f32(1) / (f32(1) + exp2(max(min(-LOG2_E * z, f32(120)), f32(-120))))


FLAGS = {"contract", "nsz", "reassoc", "arcp"}


@lru_cache
def attention(features):
    """Forward and backward pass of heads of so many features, a loop over them being unrolled.

    q, out, g, dq: [head, feature, pixel]; those with T, pixels before features. Logits are base 2, an even number of pixels.
    """
    F, NONE = features, (f32(0),) * features

    @machine_code(FLAGS)
    def forward(q, kT, vT, out, total):
        heads, _, pixels = q.shape
        sums = np.empty((F + 1, pixels), f32)
        for h in range(heads):
            sums[:] = 0
            for j in range(0, pixels, 2):
                k0, k1 = to_fixed_tuple(kT[h, j], F), to_fixed_tuple(kT[h, j + 1], F)
                v0, v1 = to_fixed_tuple(vT[h, j], F), to_fixed_tuple(vT[h, j + 1], F)
                for i in range(pixels):
                    x0 = x1 = f32(0)
                    for f in range(F):
                        x0 += q[h, f, i] * k0[f]
                        x1 += q[h, f, i] * k1[f]
                    w0, w1 = exp2(x0), exp2(x1)
                    for f in range(F):
                        sums[f, i] += w0 * v0[f] + w1 * v1[f]
                    sums[F, i] += w0 + w1
            for i in range(pixels):
                r = f32(1) / sums[F, i]
                for f in range(F):
                    out[h, f, i] = sums[f, i] * r
                total[h, i] = -np.log2(sums[F, i])

    @machine_code(FLAGS)
    def backward(q, kT, vT, g, centre, total, dq, dkT, dvT):
        heads, _, pixels = q.shape
        for h in range(heads):
            dq[h] = 0
            for j in range(pixels):
                k, v = to_fixed_tuple(kT[h, j], F), to_fixed_tuple(vT[h, j], F)
                dk, dv = NONE, NONE
                for i in range(pixels):
                    x, slope = total[h, i], centre[h, i]
                    for f in range(F):
                        x += q[h, f, i] * k[f]
                        slope += g[h, f, i] * v[f]
                    w = exp2(max(x, f32(-125)))
                    slope *= w
                    for f in range(F):
                        dq[h, f, i] += slope * k[f]
                        dk = tuple_setitem(dk, f, dk[f] + slope * q[h, f, i])
                        dv = tuple_setitem(dv, f, dv[f] + w * g[h, f, i])
                for f in range(F):
                    dkT[h, j, f], dvT[h, j, f] = dk[f], dv[f]

    return forward, backward


@machine_code(FLAGS)
def normed_silu(x, weight, bias, groups, eps, y, mean, rstd):
    """x, y: [sample, rows, wide] with the channels of one or more pixels in a row, weight and bias as often."""
    samples, rows, wide = x.shape
    channels = len(weight)
    size = channels // groups
    scale, shift, acc = np.empty(wide, f32), np.empty(wide, f32), np.empty(wide, f32)
    count = rows * wide // groups
    for n in range(samples):
        acc[:] = 0
        for r in range(rows):
            for c in range(wide):
                acc[c] += x[n, r, c]
        mean[n] = 0
        for c in range(wide):
            mean[n, c % channels // size] += acc[c]
        for c in range(wide):
            shift[c] = mean[n, c % channels // size] / count
        acc[:] = 0
        for r in range(rows):
            for c in range(wide):
                d = x[n, r, c] - shift[c]
                acc[c] += d * d
        rstd[n] = 0
        for c in range(wide):
            rstd[n, c % channels // size] += acc[c]
        for g in range(groups):
            mean[n, g] /= count
            rstd[n, g] = f32(1) / np.sqrt(rstd[n, g] / count + eps)
        for c in range(wide):
            g = c % channels // size
            scale[c] = weight[c % channels] * rstd[n, g]
            shift[c] = bias[c % channels] - mean[n, g] * scale[c]
        for r in range(rows):
            for c in range(wide):
                z = x[n, r, c] * scale[c] + shift[c]
                y[n, r, c] = z * logistic(z)


@machine_code(FLAGS)
def normed_silu_backward(x, weight, bias, groups, mean, rstd, dy, dx, dweight, dbias):
    samples, rows, wide = x.shape
    channels = len(weight)
    size = channels // groups
    scale, shift, zero = np.empty(wide, f32), np.empty(wide, f32), np.empty(wide, f32)
    plain, moment = np.empty(wide, f32), np.empty(wide, f32)
    a, b = np.empty(groups, f32), np.empty(groups, f32)
    count = rows * wide // groups
    dweight[:] = 0
    dbias[:] = 0
    for n in range(samples):
        for c in range(wide):
            g = c % channels // size
            scale[c] = weight[c % channels] * rstd[n, g]
            shift[c] = bias[c % channels] - mean[n, g] * scale[c]
            zero[c] = mean[n, g]
        plain[:] = 0
        moment[:] = 0
        for r in range(rows):
            for c in range(wide):
                z = x[n, r, c] * scale[c] + shift[c]
                s = logistic(z)
                d = dy[n, r, c] * s * (f32(1) + z * (f32(1) - s))
                dx[n, r, c] = d
                plain[c] += d
                moment[c] += d * (x[n, r, c] - zero[c])
        a[:] = 0
        b[:] = 0
        for c in range(wide):
            g = c % channels // size
            moment[c] *= rstd[n, g]
            dweight[c % channels] += moment[c]
            dbias[c % channels] += plain[c]
            a[g] += weight[c % channels] * plain[c]
            b[g] += weight[c % channels] * moment[c]
        for c in range(wide):  # dx = scale d - rstd (a + b (x - mean) rstd) / count
            g = c % channels // size
            moment[c] = rstd[n, g] * rstd[n, g] * b[g] / count
            plain[c] = rstd[n, g] * a[g] / count - zero[c] * moment[c]
        for r in range(rows):
            for c in range(wide):
                dx[n, r, c] = dx[n, r, c] * scale[c] - plain[c] - x[n, r, c] * moment[c]

# mypy: allow-untyped-defs, allow-untyped-decorators, allow-untyped-calls
"""Two layers as machine code for one core, made by Numba in float32: self-attention, group normalization with SiLU."""

import inspect
import math
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import intrinsic

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


@machine_code(FLAGS)
def four(x, sample, pixel, place):
    return x[sample, pixel, place], x[sample, pixel, place + 1], x[sample, pixel, place + 2], x[sample, pixel, place + 3]


@machine_code(FLAGS)
def largest_logit(qkv, heads):
    """What no logit exceeds: the product of the longest q and the longest k, over the root of a head's features."""
    samples, pixels, wide = qkv.shape
    width = wide // 3
    features = width // heads
    q, k = f32(0), f32(0)
    for n in range(samples):
        for i in range(pixels):
            for at in range(0, width, features):
                q_squared, k_squared = f32(0), f32(0)
                for f in range(at, at + features):
                    q_squared += qkv[n, i, f] ** 2
                    k_squared += qkv[n, i, width + f] ** 2
                if not (q_squared < f32(np.inf) and k_squared < f32(np.inf)):  # Nor if it is no number.
                    return f32(np.inf)
                q, k = max(q, q_squared), max(k, k_squared)
    return np.sqrt(q * k / features)


@machine_code(FLAGS)
def attention(qkv, heads, out, less):
    """out: [sample, pixel, feature of each head]; qkv likewise, with q, k and v one after the other. less: [sample, head, pixel].

    Weights exp(q k) are made in registers for four pixels of k at once and used at once; four features are summed at a time.
    ``less`` is what a logit (base 2) loses so that the weights of a pixel sum to one.
    """
    samples, pixels, wide = qkv.shape
    width = wide // 3
    features = width // heads
    scale = LOG2_E / np.sqrt(f32(features))
    # A list: of a range LLVM would ask beforehand whether any rows overlap, find that later ones do, and take numbers one by one.
    fours = np.arange(0, features, 4)
    q, sums = np.empty((features, pixels), f32), np.empty((features, pixels), f32)
    w, total = np.empty((4, pixels), f32), np.empty(pixels, f32)
    for n in range(samples):
        for h in range(heads):
            at = h * features
            for f in range(features):
                for i in range(pixels):
                    q[f, i] = qkv[n, i, at + f] * scale
                    sums[f, i] = 0
            total[:] = 0
            for j in range(0, pixels, 4):
                w[:] = 0
                for c in fours:
                    here = width + at + c
                    k0, k1, k2, k3 = four(qkv, n, j, here), four(qkv, n, j + 1, here), four(qkv, n, j + 2, here), four(qkv, n, j + 3, here)
                    for i in range(pixels):
                        x0, x1, x2, x3 = w[0, i], w[1, i], w[2, i], w[3, i]
                        for f in range(4):
                            x0 += q[c + f, i] * k0[f]
                            x1 += q[c + f, i] * k1[f]
                            x2 += q[c + f, i] * k2[f]
                            x3 += q[c + f, i] * k3[f]
                        w[0, i], w[1, i], w[2, i], w[3, i] = x0, x1, x2, x3
                for i in range(pixels):
                    w0, w1, w2, w3 = exp2(w[0, i]), exp2(w[1, i]), exp2(w[2, i]), exp2(w[3, i])
                    total[i] += (w0 + w1) + (w2 + w3)
                    w[0, i], w[1, i], w[2, i], w[3, i] = w0, w1, w2, w3
                for c in fours:
                    here = 2 * width + at + c
                    v0, v1, v2, v3 = four(qkv, n, j, here), four(qkv, n, j + 1, here), four(qkv, n, j + 2, here), four(qkv, n, j + 3, here)
                    for i in range(pixels):
                        w0, w1, w2, w3 = w[0, i], w[1, i], w[2, i], w[3, i]
                        for f in range(4):
                            sums[c + f, i] += (w0 * v0[f] + w1 * v1[f]) + (w2 * v2[f] + w3 * v3[f])
            for i in range(pixels):
                less[n, h, i] = -np.log2(total[i])
                total[i] = f32(1) / total[i]
            for f in range(features):
                for i in range(pixels):
                    out[n, i, at + f] = sums[f, i] * total[i]


@machine_code(FLAGS)
def attention_backward(qkv, heads, out, less, slope, d_qkv):
    """The weights are made again, from ``less``; what the softmax takes off is the product of ``slope`` and ``out``."""
    samples, pixels, wide = qkv.shape
    width = wide // 3
    features = width // heads
    root = f32(1) / np.sqrt(f32(features))
    none = (f32(0), f32(0), f32(0), f32(0))
    q, g, dq = np.empty((features, pixels), f32), np.empty((features, pixels), f32), np.empty((features, pixels), f32)
    w, s, centre = np.empty((2, pixels), f32), np.empty((2, pixels), f32), np.empty(pixels, f32)
    for n in range(samples):
        for h in range(heads):
            at = h * features
            centre[:] = 0
            for f in range(features):
                for i in range(pixels):
                    q[f, i] = qkv[n, i, at + f] * (LOG2_E * root)
                    g[f, i] = slope[n, i, at + f]
                    dq[f, i] = 0
                    centre[i] -= slope[n, i, at + f] * out[n, i, at + f]
            for j in range(0, pixels, 2):
                for i in range(pixels):
                    w[0, i] = w[1, i] = less[n, h, i]
                    s[0, i] = s[1, i] = centre[i]
                for c in range(0, features, 4):
                    here = width + at + c
                    k0, k1 = four(qkv, n, j, here), four(qkv, n, j + 1, here)
                    v0, v1 = four(qkv, n, j, width + here), four(qkv, n, j + 1, width + here)
                    for i in range(pixels):
                        x0, x1, s0, s1 = w[0, i], w[1, i], s[0, i], s[1, i]
                        for f in range(4):
                            x0 += q[c + f, i] * k0[f]
                            x1 += q[c + f, i] * k1[f]
                            s0 += g[c + f, i] * v0[f]
                            s1 += g[c + f, i] * v1[f]
                        w[0, i], w[1, i], s[0, i], s[1, i] = x0, x1, s0, s1
                for i in range(pixels):
                    w0, w1 = exp2(max(w[0, i], f32(-125))), exp2(max(w[1, i], f32(-125)))
                    w[0, i], w[1, i] = w0, w1
                    s[0, i] *= w0
                    s[1, i] *= w1
                for c in range(0, features, 4):
                    here = width + at + c
                    k0, k1 = four(qkv, n, j, here), four(qkv, n, j + 1, here)
                    dk0, dk1, dv0, dv1 = none, none, none, none
                    for i in range(pixels):
                        s0, s1 = s[0, i], s[1, i]
                        for f in range(4):
                            dq[c + f, i] += s0 * k0[f] + s1 * k1[f]
                            dk0 = tuple_setitem(dk0, f, dk0[f] + s0 * q[c + f, i])
                            dk1 = tuple_setitem(dk1, f, dk1[f] + s1 * q[c + f, i])
                    for i in range(pixels):
                        w0, w1 = w[0, i], w[1, i]
                        for f in range(4):
                            dv0 = tuple_setitem(dv0, f, dv0[f] + w0 * g[c + f, i])
                            dv1 = tuple_setitem(dv1, f, dv1[f] + w1 * g[c + f, i])
                    for f in range(4):  # q has a factor log2(e) that k has not.
                        d_qkv[n, j, here + f], d_qkv[n, j + 1, here + f] = dk0[f] / LOG2_E, dk1[f] / LOG2_E
                        d_qkv[n, j, width + here + f], d_qkv[n, j + 1, width + here + f] = dv0[f], dv1[f]
            for f in range(features):
                for i in range(pixels):
                    d_qkv[n, i, at + f] = dq[f, i] * root


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

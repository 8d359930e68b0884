# mypy: allow-untyped-defs, allow-untyped-decorators, allow-untyped-calls
"""The passes of ``perceptron_pass``, and Adam of their weights, as machine code for one core, made by Numba in float32.

Products are SciPy's BLAS; bias, activation, skip and their gradients are one loop between two products.
"""

import math

import numpy as np

from tauscope.networks.jit import FLAGS, LOG2_E, ROUND, as_bits, as_float, f32, logistic, machine_code

ACTIVATIONS = ("relu", "silu", "tanh")
_RELU, _SILU, _TANH = range(3)
_SERIES = tuple(f32(math.log(2) ** k / math.factorial(k)) for k in range(6, 0, -1))
_ONE_FROM = f32(9.5)  # From here on tanh is 1 in float32.


@machine_code({"contract", "nsz"})
def tanh(z):
    """Of e = exp(2 z) - 1, e / (e + 2): to some 1e-7 of its value, small ones too; what is no number stays so.

    With 2 z / ln 2 = n + f, e = 2^n (2^f - 1) + (2^n - 1), the first from a series of degree 7 without its 1.
    """
    x = _ONE_FROM if z > _ONE_FROM else z
    x = (-_ONE_FROM if x < -_ONE_FROM else x) * (f32(2) * LOG2_E)
    n = x + ROUND
    f = x - (n - ROUND)
    p = f32(math.log(2) ** 7 / 5040)
    for c in _SERIES:
        p = p * f + c
    power = as_float(as_bits(f32(1)) + (as_bits(n) << np.int32(23)))
    e = power * (p * f) + (power - f32(1))
    return e / (e + f32(2))


@machine_code(FLAGS)
def forward_layer(x, below, weight, bias, activation, skip, kept, y):
    """y = f(W x + b), and ``below`` added with ``skip``; f is the identity if ``activation`` is negative. Kept is f, of SiLU W x + b.

    A choice inside a loop would keep it from taking several numbers at once, so each activation has its own.
    """
    np.dot(x, weight.T, kept)
    rows, wide = kept.shape
    for r in range(rows):
        if activation == _RELU:
            for c in range(wide):
                z = kept[r, c] + bias[c]
                y[r, c] = kept[r, c] = f32(0) if z <= f32(0) else z
        elif activation == _SILU:
            for c in range(wide):
                kept[r, c] += bias[c]
                y[r, c] = kept[r, c] * logistic(kept[r, c])
        elif activation == _TANH:
            for c in range(wide):
                y[r, c] = kept[r, c] = tanh(kept[r, c] + bias[c])
        else:
            for c in range(wide):
                y[r, c] = kept[r, c] + bias[c]
        if skip:
            for c in range(wide):
                y[r, c] += below[r, c]


@machine_code(FLAGS)
def backward_layer(x, gradient, activation, kept, d_weight, d_bias):
    """Of the gradient of y those of W, b and W x + b; the last takes the place of what was kept."""
    rows, wide = kept.shape
    d_bias[:] = 0
    for r in range(rows):
        if activation == _RELU:
            for c in range(wide):
                kept[r, c] = gradient[r, c] if kept[r, c] > f32(0) else f32(0)
        elif activation == _SILU:
            for c in range(wide):
                z = kept[r, c]
                s = logistic(z)
                kept[r, c] = gradient[r, c] * s * (f32(1) + z * (f32(1) - s))
        elif activation == _TANH:
            for c in range(wide):
                kept[r, c] = gradient[r, c] * (f32(1) - kept[r, c] * kept[r, c])
        else:
            for c in range(wide):
                kept[r, c] = gradient[r, c]
        for c in range(wide):
            d_bias[c] += kept[r, c]
    np.dot(kept.T, x, d_weight)


@machine_code(FLAGS)
def passes(x, target, weight, whole, d_whole, h, kept, gradient, inner, residual, activation, skips):
    """Put the gradient of half the weighted sum of squares into ``d_whole``, and return that half.

    x: [row, told]. target, residual: [row, number]. weight: [row, 1]. whole, d_whole: every W and b of the layers, one after the other.
    h, kept: [layer, row, unit] of all layers but the last. gradient, inner: [row, unit].
    """
    layers, rows, wide = h.shape
    told, numbers = x.shape[1], target.shape[1]
    first, block = wide * (told + 1), wide * (wide + 1)
    at = first + (layers - 1) * block
    outermost = -1 if skips else activation
    forward_layer(x, h[0], whole[: first - wide].reshape(wide, told), whole[first - wide : first], outermost, False, kept[0], h[0])
    for layer in range(1, layers):
        part = whole[first + (layer - 1) * block : first + layer * block]
        w, b = part[:-wide].reshape(wide, wide), part[-wide:]
        forward_layer(h[layer - 1], h[layer - 1], w, b, activation, skips, kept[layer], h[layer])
    w, b, d_b = whole[at:-numbers].reshape(numbers, wide), whole[-numbers:], d_whole[-numbers:]
    np.dot(h[-1], w.T, residual)
    loss = f32(0)
    d_b[:] = 0
    for r in range(rows):
        for c in range(numbers):
            off = residual[r, c] + b[c] - target[r, c]
            d = off * weight[r, 0]
            loss += off * d
            d_b[c] += d
            residual[r, c] = d
    np.dot(residual.T, h[-1], d_whole[at:-numbers].reshape(numbers, wide))
    np.dot(residual, w, gradient)
    for layer in range(layers - 1, 0, -1):
        start = first + (layer - 1) * block
        part, d_part = whole[start : start + block], d_whole[start : start + block]
        backward_layer(h[layer - 1], gradient, activation, kept[layer], d_part[:-wide].reshape(wide, wide), d_part[-wide:])
        if skips:
            np.dot(kept[layer], part[:-wide].reshape(wide, wide), inner)
            for r in range(rows):
                for c in range(wide):
                    gradient[r, c] += inner[r, c]
        else:
            np.dot(kept[layer], part[:-wide].reshape(wide, wide), gradient)
    backward_layer(x, gradient, outermost, kept[0], d_whole[: first - wide].reshape(wide, told), d_whole[first - wide : first])
    return loss / f32(2)


@machine_code(FLAGS)
def adam(weights, gradient, first, second, step, lr, beta1, beta2, weight_decay):
    """As ``torch._fused_adamw_``, which is ``torch._fused_adam_`` without weight decay; all of one length, but ``step`` of length 1."""
    step[0] += f32(1)
    steps = np.float64(step[0])
    rate = f32(lr / (1 - beta1**steps))
    root = f32(np.sqrt(1 - beta2**steps))
    kept, keep1, new1, keep2, new2 = f32(1 - lr * weight_decay), f32(beta1), f32(1 - beta1), f32(beta2), f32(1 - beta2)
    for i in range(len(weights)):
        g = gradient[i]
        m = keep1 * first[i] + new1 * g
        v = keep2 * second[i] + new2 * g * g
        first[i], second[i] = m, v
        weights[i] = kept * weights[i] - rate * m / (np.sqrt(v) / root + f32(1e-8))

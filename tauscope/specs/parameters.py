"""How many numbers a network learns: the p of a phase diagram, counted without building the network."""

from collections.abc import Iterator

from tauscope.specs.network import UNetSpec

IMAGE_CHANNELS = 1  # Every registered data set is grey.


def trained_parameters(network: UNetSpec, *, channels: int = IMAGE_CHANNELS, labels: int = 0) -> int:
    """Trained parameters p of the U-Net, layer by layer as ``tauscope.networks.unet`` builds it; buffers do not count.

    Args:
        channels: of the images.
        labels: of the data set, where the network is told them; one more is the missing one. How many there are is known
            once the images are read, so that a diagram drawn before leaves their vectors out, 4 W a label.
    """
    width, time = network.base_width, 4 * network.base_width
    embedding = _affine(width, time) + _affine(time, time)
    features = 2 * network.fourier.count if network.fourier else 0
    ends = _conv3(channels + features, width) + 2 * width * network.multipliers[0] + _conv3(width * network.multipliers[0], channels)
    told = (labels + 1) * time if labels else 0
    return embedding + told + ends + sum(_stages(network, time))


def _stages(network: UNetSpec, time: int) -> Iterator[int]:
    widths = [network.base_width * multiplier for multiplier in network.multipliers]
    skips, width = [network.base_width], network.base_width
    for level, wide in enumerate(widths):
        for _ in range(network.blocks):
            yield _stage(width, wide, time, attends=network.attention[level])
            skips.append(width := wide)
        if level < len(widths) - 1:
            yield _conv3(width, width)
            skips.append(width)
    yield _stage(width, width, time, attends=True) + _stage(width, width, time, attends=False)
    for level, wide in reversed(list(enumerate(widths))):
        for _ in range(network.blocks + 1):
            yield _stage(width + skips.pop(), wide, time, attends=network.attention[level])
            width = wide
        if level > 0:
            yield _conv3(width, width)


def _stage(width_in: int, width_out: int, time: int, *, attends: bool) -> int:
    """Two normalisations and convolutions, the shift by time, the shortcut; then normalisation, queries, keys, values and output."""
    norms = 2 * width_in + 2 * width_out
    shortcut = _affine(width_in, width_out) if width_in != width_out else 0
    attention = 2 * width_out + _affine(width_out, 3 * width_out) + _affine(width_out, width_out) if attends else 0
    return norms + _conv3(width_in, width_out) + _conv3(width_out, width_out) + _affine(time, width_out) + shortcut + attention


def _affine(width_in: int, width_out: int) -> int:
    return (width_in + 1) * width_out


def _conv3(width_in: int, width_out: int) -> int:
    return (9 * width_in + 1) * width_out

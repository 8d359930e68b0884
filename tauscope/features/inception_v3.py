"""Inception v3 (Szegedy et al. 2015, arXiv:1512.00567) as the FID's TensorFlow graph has it, with torchvision's names of weights.

It differs from the usual one in that average pools leave the border out of their count, and in that the last block has a maximum pool.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Pool = Callable[[Tensor], Tensor]


def _average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, 1, 1)


class _Convolution(nn.Module):
    """Convolution without bias, normalization, ReLU; as much padding as keeps the size, unless told otherwise."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int | tuple[int, int], *, stride: int = 1, padded: bool = True) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if padded else (0, 0)
        self.conv = nn.Conv2d(channels_in, channels_out, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(channels_out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class _Mixed5(nn.Module):
    def __init__(self, channels_in: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(channels_in, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = _Convolution(channels_in, 48, 1), _Convolution(48, 64, 5)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Convolution(channels_in, 64, 1), _Convolution(64, 96, 3)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3)
        self.branch_pool = _Convolution(channels_in, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, self.branch_pool(_average(x))], 1)


class _Mixed6a(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = _Convolution(288, 384, 3, stride=2, padded=False)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Convolution(288, 64, 1), _Convolution(64, 96, 3)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, stride=2, padded=False)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class _Mixed6(nn.Module):
    def __init__(self, narrow: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(768, 192, 1)
        self.branch7x7_1, self.branch7x7_2 = _Convolution(768, narrow, 1), _Convolution(narrow, narrow, (1, 7))
        self.branch7x7_3 = _Convolution(narrow, 192, (7, 1))
        self.branch7x7dbl_1, self.branch7x7dbl_2 = _Convolution(768, narrow, 1), _Convolution(narrow, narrow, (7, 1))
        self.branch7x7dbl_3, self.branch7x7dbl_4 = _Convolution(narrow, narrow, (1, 7)), _Convolution(narrow, narrow, (7, 1))
        self.branch7x7dbl_5 = _Convolution(narrow, 192, (1, 7))
        self.branch_pool = _Convolution(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(_average(x))], 1)


class _Mixed7a(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = _Convolution(768, 192, 1), _Convolution(192, 320, 3, stride=2, padded=False)
        self.branch7x7x3_1, self.branch7x7x3_2 = _Convolution(768, 192, 1), _Convolution(192, 192, (1, 7))
        self.branch7x7x3_3, self.branch7x7x3_4 = _Convolution(192, 192, (7, 1)), _Convolution(192, 192, 3, stride=2, padded=False)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, F.max_pool2d(x, 3, 2)], 1)


class _Mixed7(nn.Module):
    def __init__(self, channels_in: int, pool: Pool) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(channels_in, 320, 1)
        self.branch3x3_1 = _Convolution(channels_in, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = _Convolution(384, 384, (1, 3)), _Convolution(384, 384, (3, 1))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Convolution(channels_in, 448, 1), _Convolution(448, 384, 3)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = _Convolution(384, 384, (1, 3)), _Convolution(384, 384, (3, 1))
        self.branch_pool = _Convolution(channels_in, 192, 1)
        self._pool = pool

    def forward(self, x: Tensor) -> Tensor:
        once, twice = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        wide = [self.branch3x3_2a(once), self.branch3x3_2b(once), self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice)]
        return torch.cat([self.branch1x1(x), *wide, self.branch_pool(self._pool(x))], 1)


class InceptionV3(nn.Module):
    """Up to the 2048 features: (N, 3, 299, 299), values about -1 to 1, to (N, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, stride=2, padded=False)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3, padded=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _Mixed5(192, 32), _Mixed5(256, 64), _Mixed5(288, 64)
        self.Mixed_6a = _Mixed6a()
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = _Mixed6(128), _Mixed6(160), _Mixed6(160), _Mixed6(192)
        self.Mixed_7a = _Mixed7a()
        self.Mixed_7b, self.Mixed_7c = _Mixed7(1280, _average), _Mixed7(2048, _maximum)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))), 3, 2)
        x = F.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean((2, 3))

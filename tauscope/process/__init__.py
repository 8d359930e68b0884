"""The forward process: beta schedules, noising, and the conversions between eps, x_0 and the score."""

from tauscope.process.diffusion import Diffusion, linear_schedule

__all__ = ["Diffusion", "linear_schedule"]

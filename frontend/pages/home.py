"""The bare address: go on to the experiments."""

from frontend.navigation import open_page

open_page("experiments")

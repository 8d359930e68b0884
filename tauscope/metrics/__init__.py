"""What is measured of samples and losses: pure functions of arrays, each with its interval and count."""

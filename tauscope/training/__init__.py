"""The training loop and its parts: seeding, optimizers, moving average, checkpoints."""

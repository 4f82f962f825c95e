"""The plumbing of every trainer: batches, log-probabilities, the loop, checkpoints. Knows no algorithm."""

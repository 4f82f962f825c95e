"""Benchmarks ask and sum up: prompts, judges, sampling and metrics of one evaluation each."""

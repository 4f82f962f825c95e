"""Backends that turn prompts into responses, one adapter each, one protocol (`harness.engines.base`)."""

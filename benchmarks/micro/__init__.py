"""Tasks that we generate from a seed, so that the whole system runs with nothing downloaded."""

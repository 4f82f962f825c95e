"""The parts of the math judge: text -> tokens -> tree -> decision; algebra only in workers."""

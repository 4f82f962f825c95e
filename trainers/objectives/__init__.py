"""The maths: tensors in, one loss per example out. Imports torch and nothing else of ours."""

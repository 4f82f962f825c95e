"""The face of the project: what users import and what the command line runs."""

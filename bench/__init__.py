"""Speed as ratios measured side by side in one run; `make bench` runs every part, `python -m bench NAME` one."""

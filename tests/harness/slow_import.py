"""A module that takes its time to import, as sympy does."""

import time
from typing import Any

time.sleep(0.3)


def echo(item: Any) -> Any:
    return item

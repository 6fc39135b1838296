"""Random campaigns: many rounds of the same test, each of which can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator


class Rounds:
    """The rounds of one campaign.

    Args:
        seed: What the rounds draw from: the run's seed and the test's name, so that no test shifts another's.
        full: Whether all rounds are run, or a sample.
    """

    def __init__(self, seed: str, *, full: bool) -> None:
        self.seed = seed
        self.full = full

    def __call__(self, sample: int, full: int) -> Iterator[random.Random]:
        """A random source for each round; which one failed stands in the test's output.

        Args:
            sample: How many rounds `--matrix` runs: the first ones of the same order.
            full: How many `--campaign` runs.
        """
        wanted = full if self.full else sample
        for number in range(wanted):
            print(f"round {number + 1} of {wanted}, seed {self.seed!r}")
            yield random.Random(f"{self.seed} {number}")

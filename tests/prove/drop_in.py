"""initd reads supervisord's files as supervisor 4.3.0 does: same refusals, same values, field by field.

Hypothesis generates configurations (tests.support.configs); supervisor's own parser, in-process, is the oracle.  The
claim holds if there is no difference, if supervisord accepts at least 60 % of the files, and if every option, every
expansion and every class of refusal was met often enough (500 times in 100,000).
"""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, seed, settings

from initd.config import ini
from tests.support.config_faults import FAULTS
from tests.support.configs import NAMES, TABLES, Case, configs
from tests.support.oracle import compare, smallest, try_case

EXAMPLES, QUICK = 100_000, 1_000
BATCH = 1_000
"""Examples that Hypothesis draws from one seed: it remembers each, so that more would fill the memory."""

LEAST_ACCEPTED, LEAST_HITS = 0.6, 0.005


class Tally:
    """What was generated, what was accepted, and the first difference."""

    def __init__(self) -> None:
        self.examples = 0
        self.accepted = 0
        self.differences = 0
        self.first = ""
        self.hits: Counter[str] = Counter(dict.fromkeys(wanted(), 0))

    def take(self, case: Case) -> None:
        """Read one configuration twice."""
        self.examples += 1
        accepted, difference = try_case(case)
        self.accepted += accepted
        self.hits.update(tag for tag in case.tags if not (accepted and tag.startswith("fault")))
        if difference is not None:
            self.differences += 1
            self.first = self.first or describe(case, difference)

    def rarest(self) -> tuple[str, int]:
        """What was met least often of all that must be met."""
        return min(((tag, self.hits[tag]) for tag in wanted()), key=lambda pair: pair[1])


def wanted() -> set[str]:
    """Tags that must occur: options of all sections, names of expansions, classes of refusals."""
    options = {f"option {kind}.{option}" for kind, table in TABLES.items() for option in table}
    return options | {f"name {name}" for name in NAMES} | {f"fault {fault.name}" for fault in FAULTS}


def describe(case: Case, difference: str) -> str:
    """A difference with the smallest files that show it."""
    small = smallest(case, compare)
    texts = " | ".join(f"{name}: {text!r}" for name, text in small.files.items())
    return f"{compare(small) or difference} in {texts}"


def run(tally: Tally, examples: int) -> None:
    """Generate that many, the same ones every time."""
    for batch in range(-(-examples // BATCH)):

        @seed(batch)
        @settings(
            max_examples=min(BATCH, examples - batch * BATCH),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(configs())
        def one(case: Case) -> None:
            tally.take(case)

        one()


def only_semicolons(line: str) -> int | None:
    """The broken rule: `#` begins no comment."""
    place = line.find(" ;")
    return place if place >= 0 else None


def main(quick: bool, mutate: bool) -> tuple[dict[str, object], bool]:
    """Figures, and whether the claim holds."""
    tally = Tally()
    examples = QUICK if quick else EXAMPLES
    with patch.object(ini, "comment_start", only_semicolons if mutate else ini.comment_start):
        run(tally, examples)
    rarest, hits = tally.rarest()
    accepted = tally.accepted / max(1, tally.examples)
    figures: dict[str, object] = {
        "examples": tally.examples,
        "accepted by supervisord": f"{accepted:.1%}",
        "differences": tally.differences,
        "options, names and refusals met": len(wanted()),
        "least often": f"{rarest}: {hits} times",
        "first difference": tally.first or "none",
    }
    covered = hits >= LEAST_HITS * tally.examples if not quick else hits > 0
    return figures, not tally.differences and accepted >= LEAST_ACCEPTED and covered and tally.examples >= examples

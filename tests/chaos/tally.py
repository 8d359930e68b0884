"""What a campaign counts, and the table that it prints."""

import statistics
from dataclasses import dataclass, field

from tests.chaos.plan import Kind


@dataclass
class Tally:
    """Seconds from the beginning of each fault until the service worked again, by kind."""

    seed: int
    experiments: int = 0
    runs: int = 0
    recoveries: dict[Kind, list[float]] = field(default_factory=dict)
    skipped: dict[Kind, int] = field(default_factory=dict)
    lost_attempts: int = 0
    rewound_steps: int = 0
    unread_damage: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        return sum(len(times) for times in self.recoveries.values())

    def table(self, title: str) -> str:
        """The report."""
        times = [seconds for found in self.recoveries.values() for seconds in found]
        ended = f"{self.runs} runs of {self.experiments} sweeps"
        lines = [
            f"{title}, seed {self.seed}: {self.faults} faults in {self.seconds:.0f} s on {ended}, no difference",
            "",
            "fault                     times  median s  worst s",
        ]
        rows = sorted(self.recoveries.items())
        lines += [f"{kind:<25} {len(found):>5}  {statistics.median(found):>8.1f}  {max(found):>7.1f}" for kind, found in rows if found]
        if times:
            lines += [f"{'all':<25} {len(times):>5}  {statistics.median(times):>8.1f}  {max(times):>7.1f}"]
        lines += ["", f"attempts lost or in trouble: {self.lost_attempts}; steps trained again: {self.rewound_steps}"]
        lines += [f"damaged files that no resume read (put back at the end): {self.unread_damage}"]
        lines += [f"not done for want of a victim: {kind} {count}" for kind, count in sorted(self.skipped.items())]
        return "\n".join(lines)

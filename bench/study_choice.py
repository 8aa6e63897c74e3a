"""What a study's figures say: which kind of index is the best of its sort, and whether learning pays."""

import dataclasses
import statistics

from bench_rows import quartiles

# Bits a key that an index may take to be chosen: what the engine's index and filter take together by default.
MOST_BITS = 16
OPERATIONS = ("hit", "miss", "lower_bound")
STATES = ("warm", "cold")
VERDICTS = ("faster", "no difference", "slower", "too few rounds")
# Of the engine: the library as it comes, and the same with nothing that is learned.
DEFAULT, PLAIN = "default", "binary"


def rounds(line, operation, state):
    """Nanoseconds, one a round; None if it was not measured."""
    return line.get("ns", {}).get(operation, {}).get(state, {}).get("rounds")


def median(line, operation, state):
    values = rounds(line, operation, state)
    return statistics.median(values) if values else None


@dataclasses.dataclass
class Gain:
    """How many times as fast one is as the other, by rounds."""
    low: float
    middle: float
    high: float
    rounds: int

    def verdict(self):
        """One of VERDICTS."""
        if self.rounds < 3:
            return "too few rounds"
        if self.low > 1:
            return "faster"
        return "slower" if self.high < 1 else "no difference"


def gain(line, base, operation, state):
    """Of `line` over `base`; None unless both were measured. Rounds of the same number are paired."""
    mine, theirs = rounds(line, operation, state), rounds(base, operation, state)
    if not mine or not theirs:
        return None
    ratios = [b / a for a, b in zip(mine, theirs)]
    return Gain(*quartiles(ratios), len(ratios))


def worth(line, operation="lower_bound"):
    """The product of the medians, warm and cold: less is better. None if it was not measured."""
    values = [median(line, operation, state) for state in STATES]
    values = [value for value in values if value is not None]
    return statistics.geometric_mean(values) if values else None


def best(lines, learned, most_bits=MOST_BITS):
    """The kind with the quickest lower bound of those that are learned, or are not, within the bits; or None."""
    able = [line for line in lines if line.get("learned") == learned and line["bits_per_key"] <= most_bits
            and worth(line) is not None]
    return min(able, key=worth, default=None)


@dataclasses.dataclass
class Study:
    """The lines of one mode by key set and size."""
    facts: dict  # (set, size): its line "keys"
    lines: dict  # mode: {(set, size): [line]}

    def sizes(self, mode, key_set):
        return sorted(size for name, size in self.lines.get(mode, {}) if name == key_set)

    def largest(self, mode, key_set):
        """(size, lines); (None, []) without any."""
        sizes = self.sizes(mode, key_set)
        return (sizes[-1], self.lines[mode][key_set, sizes[-1]]) if sizes else (None, [])

    def sets(self):
        return list(dict.fromkeys(name for name, _ in self.facts))


def collect(lines):
    study = Study({}, {})
    for line in lines:
        at = line["set"], line["keys"]
        if line["line"] == "keys":
            study.facts[at] = line
        else:
            study.lines.setdefault(line["line"], {}).setdefault(at, []).append(line)
    return study


def of_kind(lines, kind):
    return next((line for line in lines if line["kind"] == kind), None)

"""The rows that seerdb is held to: what is measured, against whom, and how much it has to be.

A row is met when the worse quartile over the rounds reaches its bar: the lower one of a ratio that must be at
least so much, the upper one of a figure that must be at most so much. A ratio is taken within a round. Below its
bar a row is RED. A row without a bar is shown only.
"""

import dataclasses
import statistics

SUBJECT = "seerdb"
# Who is meant by a name; of several it is the fastest of that round.
AGAINST = {
    "RocksDB": ("rocksdb", "rocksdb-default"),
    "LMDB": ("lmdb",),
    "the best peer": ("rocksdb", "rocksdb-default", "leveldb", "lmdb", "wiredtiger"),
}
MET, RED, NOT_MEASURED, NO_BAR = "met", "RED", "not measured", "no bar"


@dataclasses.dataclass(frozen=True)
class Faster:
    """Time of an operation of the fastest of `against` by seerdb's; theirs is of `phase`, if it is another one."""
    against: str
    at_least: float | None
    phase: str | None = None

    limit = property(lambda self: self.at_least)
    unit = "x"

    def name(self):
        return self.against + (f", {self.phase}" if self.phase else "")

    def samples(self, phase, results):
        ours = _by_round(results, phase, "us_per_op", (SUBJECT,))
        theirs = _by_round(results, self.phase or phase, "us_per_op", AGAINST[self.against])
        return [theirs[r] / ours[r] for r in sorted(ours) if r in theirs]

    def reached(self, quartiles):
        return quartiles[0] >= self.at_least


@dataclasses.dataclass(frozen=True)
class OwnFaster:
    """seerdb's own time of an operation in another phase by that in this one."""
    phase: str
    at_least: float

    limit = property(lambda self: self.at_least)
    unit = "x"

    def name(self):
        return f"its own {self.phase}"

    def samples(self, phase, results):
        ours = _by_round(results, phase, "us_per_op", (SUBJECT,))
        other = _by_round(results, self.phase, "us_per_op", (SUBJECT,))
        return [other[r] / ours[r] for r in sorted(ours) if r in other]

    def reached(self, quartiles):
        return quartiles[0] >= self.at_least


@dataclasses.dataclass(frozen=True)
class OwnGrowth(OwnFaster):
    """seerdb's own time of an operation in this phase by that in another one, at most so much."""

    def samples(self, phase, results):
        return [1 / ratio for ratio in super().samples(phase, results)]

    def reached(self, quartiles):
        return quartiles[2] <= self.at_least


@dataclasses.dataclass(frozen=True)
class AtMost:
    """A figure that seerdb's result has."""
    field: str
    limit: float
    unit: str

    def name(self):
        return "-"

    def samples(self, phase, results):
        return list(_by_round(results, phase, self.field, (SUBJECT,)).values())

    def reached(self, quartiles):
        return quartiles[2] <= self.limit


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    phase: str
    bars: tuple


@dataclasses.dataclass(frozen=True)
class Verdict:
    row: Row
    bar: object
    state: str
    quartiles: tuple | None = None

    def distance(self):
        """How much of the bar is missing, or to spare: the worse quartile by the bar, above 1 = met."""
        if self.quartiles is None or self.bar.limit is None:
            return None
        low, _, high = self.quartiles
        return self.bar.limit / high if isinstance(self.bar, (AtMost, OwnGrowth)) else low / self.bar.limit


def best(at_least, phase=None):
    return (Faster("the best peer", at_least, phase),)


def rocksdb(at_least):
    return (Faster("RocksDB", at_least),)


def lmdb(at_least):
    return (Faster("LMDB", at_least),)


PATHS = (Faster("RocksDB", 2.0), Faster("LMDB", 1.0))
# Title of a group, its rows in order.
GROUPS = [
    ("Writes", [
        Row("random put, survives a process crash, 1 thread", "fillrandom", rocksdb(4.0) + lmdb(1.5)),
        Row("the same, 2 writer threads", "fillrandom:2t", (OwnFaster("fillrandom", 1.0), *rocksdb(4.0))),
        Row("sequential put", "fillseq", best(2.0)),
        Row("batch of 100, per key", "fillbatch", best(2.0)),
        Row("put, synced, 1 thread", "fillsync", best(1.15)),
        Row("put, synced, 4 threads", "fillsync:4t", best(1.5)),
        Row("put, synced, 16 threads", "fillsync:16t", best(2.2)),
    ]),
    ("Gets", [
        Row("get just written", "readrecent", rocksdb(5.0)),
        Row("get random, cached", "readrandom", lmdb(1.3)),
        Row("get zipfian", "readzipf", lmdb(1.3)),
        Row("get missing", "readmissing", best(1.5)),
        Row("MultiGet of 32, per key, by a loop of gets", "multiget", best(3.0, "readrandom")),
        Row("1 -> 2 reader threads", "readrandom:2t", (OwnFaster("readrandom", 1.8),)),
    ]),
    ("Scans", [
        Row("seek + 10", "seekrandom", best(1.2)),
        Row("seek + 100", "seek100", best(1.5)),
        Row("backward 100", "seekreverse100", best(1.5)),
        Row("full scan, compacted", "readseq", best(1.5)),
        Row("full scan, 5 overlapping runs", "readseq:runs", best(1.1)),
    ]),
    ("YCSB, 1 KB values, 2 threads",
     [Row(f"YCSB {letter.upper()}", f"ycsb{letter}:2t", best(1.2)) for letter in "abcdef"]),
    ("Debian file paths, 67 bytes", [
        Row("put", "fillrandom:paths", PATHS),
        Row("get", "readrandom:paths", PATHS),
        Row("get missing", "readmissing:paths", PATHS),
        Row("full scan", "readseq:paths", PATHS),
    ]),
    ("Memory and open", [
        Row("index + filter, fixed-size records", "tables:fixed", (AtMost("index_bits_per_key", 17, " bits a key"),)),
        Row("index + filter, variable records", "tables:variable", (AtMost("index_bits_per_key", 36, " bits a key"),)),
        Row("open, clean", "reopen", (AtMost("open_ms", 50, " ms"),)),
        Row("open after a kill", "recover", (AtMost("open_s_per_log_gib", 3, " s per GiB of log"),)),
    ]),
    ("Upstream's suite: 1 KiB values, 100,000 operations", [
        Row("sequential write", "fillseq:up", rocksdb(2.5)),
        Row("random read", "readrandom:up", rocksdb(2.0)),
        Row("half reads, half writes", "readwrite:up", rocksdb(None)),
        Row("100-key scans", "seek100:up", rocksdb(1.9)),
        Row("batch of 100, per key", "fillbatch:up", rocksdb(5.5)),
    ]),
    ("4 GiB of data in 1 GiB of memory", [
        Row("get", "readrandom:larger", best(0.9)),
        Row("MultiGet of 32, per key, by a loop of gets", "multiget:larger", best(3.0, "readrandom:larger")),
        Row("YCSB A", "ycsba:larger:2t", best(1.5)),
        Row("YCSB B", "ycsbb:larger:2t", best(1.5)),
    ]),
    ("20 -> 100 million records", [
        Row("cost of a put", "fillrandom:100m", (OwnGrowth("fillrandom:20m", 1.3),)),
        Row("cost of a get", "readrandom:100m", (OwnGrowth("readrandom:20m", 1.3),)),
    ]),
]


def quartiles(values):
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def _by_round(results, phase, field, engines):
    """{round: the least of these engines}"""
    least = {}
    for result in results:
        if result["phase"] == phase and result["engine"] in engines and result.get(field):
            of_round = result["round"]
            least[of_round] = min(result[field], least.get(of_round, result[field]))
    return least


def verdicts(results):
    """[(title of a group, [Verdict])], one for each bar of each row."""
    groups = []
    for title, rows in GROUPS:
        found = []
        for row in rows:
            for bar in row.bars:
                samples = bar.samples(row.phase, results)
                if not samples:
                    found.append(Verdict(row, bar, NOT_MEASURED))
                    continue
                spread = quartiles(samples)
                state = NO_BAR if bar.limit is None else MET if bar.reached(spread) else RED
                found.append(Verdict(row, bar, state, spread))
        groups.append((title, found))
    return groups


def _figure(value):
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _bar_text(verdict):
    if verdict.bar.limit is None:
        return "-"
    most = isinstance(verdict.bar, (AtMost, OwnGrowth))
    return ("at most " if most else "") + f"{verdict.bar.limit:g}{verdict.bar.unit}"


def _cells(verdict):
    """Row, against, bar, measured, verdict."""
    measured = "-"
    if verdict.quartiles is not None:
        low, middle, high = (_figure(value) for value in verdict.quartiles)
        measured = f"{middle} ({low}-{high})"
    return [verdict.row.title, verdict.bar.name(), _bar_text(verdict), measured, verdict.state]


def count(groups):
    """How many bars are in each state, as text."""
    states = [verdict.state for _, found in groups for verdict in found]
    return ", ".join(f"{states.count(state)} {state}" for state in (MET, RED, NOT_MEASURED))


def section(results, reasons):
    """Lines of the report. reasons: {phase: why it was not measured}."""
    groups = verdicts(results)
    lines = ["## Rows and bars", "",
             "What seerdb is held to, with its default options but for these: writes survive a crash of the process and",
             "not of the power (`wal_sync_policy` kNone), except in synced puts; the cache has the size that all engines'",
             "have; memtables hold 64 MiB. A ratio is taken within a round, with the fastest of those it is compared with",
             "in that round, RocksDB being the better of its configurations that were run; shown are its median and quartiles. A row",
             "is met when its worse quartile reaches the bar, else it is RED.", "",
             count(groups) + ".", "",
             "| row | phase | against | bar | measured | verdict |", "|---|---|---|---:|---:|---|"]
    for title, found in groups:
        lines.append(f"| **{title}** | | | | | |")
        for verdict in found:
            row, against, bar, measured, state = _cells(verdict)
            if state == NOT_MEASURED and verdict.row.phase in reasons:
                state += ": " + reasons[verdict.row.phase]
            state = f"**{state}**" if state == RED else state
            lines.append(f"| {row} | `{verdict.row.phase}` | {against} | {bar} | {measured} | {state} |")
    return lines + [""]


def summary(results):
    """The same as plain text."""
    groups = verdicts(results)
    lines = [count(groups)]
    for title, found in groups:
        lines.append(title)
        for verdict in found:
            row, against, bar, measured, state = _cells(verdict)
            far = verdict.distance()
            lines.append(f"  {row:46} {against:28} {bar:>26} {measured:>24}  {state}"
                         + (f" ({far:.2f} of the bar)" if state == RED else ""))
    return "\n".join(lines)

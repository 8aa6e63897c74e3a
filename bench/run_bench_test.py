#!/usr/bin/env python3
"""Tests of run_bench.py and its report on made-up results."""

import pathlib
import tempfile
import unittest
import unittest.mock
import xml.dom.minidom

import bench_chains
import bench_memory
import bench_report
import bench_rows
import run_bench


def result(engine, us, **other):
    made = {"engine": engine, "phase": "readrandom", "round": 0, "sync": "none", "ops": 10, "hits": 9,
            "misses": 1, "checksum": "ab", "comparable": True, "us_per_op": us,
            "seconds": us * 1e-5, "cpu_seconds": 1e-6, "p99_9_us": us, "db_bytes": 1000}
    made.update(other)
    return made


class DisagreementsTest(unittest.TestCase):
    def test_equal_answers_agree(self):
        self.assertEqual(run_bench.disagreements([result("a", 1.0), result("b", 2.0)]), [])

    def test_each_field_is_compared(self):
        for field, value in (("ops", 11), ("hits", 8), ("misses", 2), ("checksum", "ac")):
            with self.subTest(field):
                wrong = run_bench.disagreements([result("a", 1.0), result("b", 1.0, **{field: value})])
                self.assertEqual(len(wrong), 1)
                self.assertIn("readrandom", wrong[0])

    def test_rounds_and_phases_are_apart(self):
        others = [result("b", 1.0, round=1, hits=5), result("c", 1.0, phase="readseq", hits=6)]
        self.assertEqual(run_bench.disagreements([result("a", 1.0), *others]), [])

    def test_racing_phases_are_not_compared(self):
        racing = [result(e, 1.0, comparable=False, checksum=e) for e in ("a", "b")]
        self.assertEqual(run_bench.disagreements(racing), [])


def rounds(engine, phase, times, **other):
    return [result(engine, us, phase=phase, round=index, **other) for index, us in enumerate(times)]


class RowsTest(unittest.TestCase):
    def verdicts_of(self, phase, results):
        return [v for _, found in bench_rows.verdicts(results) for v in found if v.row.phase == phase]

    def test_lower_quartile_decides(self):
        ours = rounds("seerdb", "readrandom", [1.0] * 5)
        for times, state in (([1.3, 1.3, 1.2, 1.5, 1.5], "met"), ([1.2, 1.2, 1.3, 9, 9], "RED")):
            found, = self.verdicts_of("readrandom", ours + rounds("lmdb", "readrandom", times))
            self.assertEqual(found.state, state)

    def test_the_best_peer_is_that_of_the_round(self):
        results = rounds("seerdb", "readmissing", [1.0, 1.0]) + rounds("leveldb", "readmissing", [9.0, 2.0]) \
            + rounds("wiredtiger", "readmissing", [3.0, 8.0]) + rounds("seerdb-floor", "readmissing", [0.1, 0.1])
        found, = self.verdicts_of("readmissing", results)
        self.assertEqual(found.quartiles, (2.25, 2.5, 2.75))

    def test_rocksdb_is_the_better_of_its_configurations(self):
        results = rounds("seerdb", "fillrandom", [1.0]) + rounds("rocksdb", "fillrandom", [7.0]) \
            + rounds("rocksdb-default", "fillrandom", [3.0]) + rounds("lmdb", "fillrandom", [1.5])
        by_name = {v.bar.name(): v for v in self.verdicts_of("fillrandom", results)}
        self.assertEqual((by_name["RocksDB"].state, by_name["LMDB"].state), ("RED", "met"))
        self.assertAlmostEqual(by_name["RocksDB"].distance(), 0.75)

    def test_rounds_that_one_side_lacks_do_not_count(self):
        results = rounds("seerdb", "readzipf", [1.0, 1.0]) + rounds("lmdb", "readzipf", [2.0])
        found, = self.verdicts_of("readzipf", results)
        self.assertEqual(found.quartiles, (2.0, 2.0, 2.0))

    def test_multiget_is_compared_with_their_gets(self):
        results = rounds("seerdb", "multiget", [1.0]) + rounds("lmdb", "multiget", [1.0]) \
            + rounds("lmdb", "readrandom", [3.0])
        found, = self.verdicts_of("multiget", results)
        self.assertEqual((found.quartiles[1], found.state), (3.0, "met"))

    def test_own_phases_are_paired(self):
        results = rounds("seerdb", "readrandom", [2.0, 4.0]) + rounds("seerdb", "readrandom:2t", [1.0, 2.0])
        found, = self.verdicts_of("readrandom:2t", results)
        self.assertEqual((found.quartiles, found.state), ((2.0, 2.0, 2.0), "met"))

    def test_growth_and_figures_are_bounded_above(self):
        grown = rounds("seerdb", "readrandom:20m", [1.0, 1.0]) + rounds("seerdb", "readrandom:100m", [1.2, 2.0])
        found, = self.verdicts_of("readrandom:100m", grown)
        self.assertEqual(found.state, "RED")
        for bits, state in ((17, "met"), (17.1, "RED")):
            found, = self.verdicts_of("tables:fixed", rounds("seerdb", "tables:fixed", [1.0], index_bits_per_key=bits))
            self.assertEqual(found.state, state)

    def test_what_was_not_measured_says_why(self):
        text = "\n".join(bench_rows.section([], bench_chains.reasons(["main"], {"larger": "no cgroup"})))
        self.assertIn("0 met, 0 RED", text)
        self.assertIn("| `readrandom:larger` | the best peer | 0.9x | - | not measured: no cgroup |", text)
        self.assertIn("not measured: only with `--long`", text)
        self.assertIn("not measured: chain `paths` was not run", text)
        self.assertIn("| `readrandom` | LMDB | 1.3x | - | not measured |", text)

    def test_each_row_has_a_chain_and_each_phase_one(self):
        phases = [phase for chain in bench_chains.ALL_CHAINS.values() for phase in chain.phases]
        for _, rows in bench_rows.GROUPS:
            for row in rows:
                for phase in (row.phase, *(bar.phase for bar in row.bars if getattr(bar, "phase", None))):
                    self.assertIn(phase, phases)
        repeated = {phase for phase in phases if phases.count(phase) > 1}
        self.assertEqual(repeated, set())


class ChainsTest(unittest.TestCase):
    def test_a_kill_begins_another_start(self):
        self.assertEqual([list(part) for part in bench_chains.CHAINS["kill"].parts()],
                         [["fillrandom:kill", "kill"], ["recover"]])
        self.assertEqual(len(bench_chains.CHAINS["main"].parts()), 1)
        loaded, limited = bench_chains.LONG_CHAINS["larger"].parts()
        self.assertEqual((loaded[-1], limited[0]), ("settle:larger", "readrandom:larger"))

    def test_recovery_is_by_gib_of_the_log(self):
        results = [{"phase": "kill", "log_bytes": 1 << 29}, {"phase": "recover", "open_ms": 1000}]
        run_bench.add_recovery(results)
        self.assertEqual(results[1]["open_s_per_log_gib"], 2.0)

    def test_no_cgroup_is_said(self):
        with unittest.mock.patch.object(bench_memory, "_own_groups", return_value=(2, pathlib.Path("/dev/null"))):
            self.assertIn("no memory cgroup", bench_memory.MemoryLimit(1 << 30).error)


class ReportTest(unittest.TestCase):
    META = {"settings": {"num": 1, "ops": 1, "sync_ops": 1, "rounds": 2, "value_bytes": 100, "seed": 1,
                         "compression": "none", "keys": "even"},
            "engines": ["seerdb", "rocksdb"], "machine": {"processor": "x"}, "load_at_end": 0.0,
            "commands": {},
            "options": {"seerdb": {"sync none": {"version": "9.9"}}}}

    def test_ratios_pair_the_runs_of_one_round(self):
        times = {"rocksdb": {0: 4.0, 1: 8.0, 2: 100.0}, "seerdb": {0: 1.0, 1: 4.0}}
        self.assertEqual(bench_report._ratios(times, "seerdb", "rocksdb"), [4.0, 2.0])

    def test_report_and_charts(self):
        results = [result("seerdb", 1.0), result("seerdb", 3.0, round=1),
                   result("rocksdb", 4.0), result("rocksdb", 6.0, round=1)]
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            bench_report.write_report(out, self.META, results)
            text = (out / "benchmarks.md").read_text()
            self.assertIn("## Rows and bars", text)
            self.assertIn("| **2** (1.5-2.5) | 5 (4.5-5.5) |", text)
            self.assertIn("| readrandom | 3.00 (2.50-3.50) |", text)
            self.assertIn("| `version` | `9.9` | `-` |", text)
            chart = (out / "benchmarks" / "gets.svg").read_text()
            xml.dom.minidom.parseString(chart)
            self.assertIn("3.00x (2 us)", chart)
            self.assertFalse((out / "benchmarks" / "ycsb.svg").exists())

    def test_load_compares_time_and_bytes_to_the_settled_tree(self):
        def settle(engine, seconds, written, **other):
            fill = {"seconds": seconds, "cpu_seconds": 1.0, "written_bytes": written, "cancelled_bytes": 3e6,
                    "read_call_bytes": 0, "device_read_bytes": 0}
            return result(engine, 1.0, phase="settle", seconds=1.0, num=1000, key_bytes=16, value_bytes=84,
                          since_fill=fill, **other)
        results = [settle("seerdb", 2.0, 7e6), settle("seerdb", 4.0, 9e6, round=1), settle("rocksdb", 7.0, 10e6)]
        table = "\n".join(bench_report._load_table(results, ["seerdb", "rocksdb", "leveldb"]))
        for row in ("| | seerdb | rocksdb |", "| seconds of the load | 2 | 6 |", "| seconds to settled | 3 | 7 |",
                    "| MB written | 8 | 10 |", "| bytes written for a byte of records | 80 | 100 |",
                    "| its seconds to settled / seerdb's | 1.00 | 3.50 |", "| seerdb's MB written / its | 1.00 | 0.70 |"):
            self.assertIn(row, table)
        self.assertEqual(bench_report._load_table([result("seerdb", 1.0)], ["seerdb"]), [])

    def test_bytes_are_shown_for_what_was_counted(self):
        counted = [result("seerdb", 1.0, written_bytes=2_000_000, device_read_bytes=0)]
        text = "\n".join(bench_report._bytes_section(counted, ["seerdb"], ["readrandom"]))
        self.assertIn("### MB written", text)
        self.assertIn("| readrandom | 2 |", text)
        self.assertNotIn("device", text)
        self.assertEqual(bench_report._bytes_section([result("seerdb", 1.0)], ["seerdb"], ["readrandom"]), [])


if __name__ == "__main__":
    unittest.main()

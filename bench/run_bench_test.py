#!/usr/bin/env python3
"""Tests of run_bench.py and its report on made-up results."""

import pathlib
import tempfile
import unittest
import xml.dom.minidom

import bench_report
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

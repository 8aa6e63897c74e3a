#!/usr/bin/env python3
"""Tests of run_study.py and its report on made-up results."""

import pathlib
import tempfile
import unittest
import xml.dom.minidom

import run_study
import study_choice
import study_report
import study_svg


def keys(name, count, **other):
    made = {"line": "keys", "set": name, "keys": count, "what": "a thing", "source": "real: files; generated: drawn",
            "real_keys": count // 2, "mean_key_bytes": 8.0, "projection": "bytes", "prefix_bytes": 3,
            "distinct_window_share": 0.5}
    made.update(other)
    return made


def result(kind, name="words", count=1000, warm=(10.0, 10.0, 10.0), cold=(100.0, 100.0, 100.0), **other):
    made = {"line": "index", "set": name, "keys": count, "kind": kind, "learned": False, "bits_per_key": 2.0,
            "wrong": 0, "build_ns_per_key": {"rounds": [5.0, 6.0, 7.0]},
            "ns": {operation: {"warm": {"rounds": list(warm)}, "cold": {"rounds": list(cold)}}
                   for operation in study_choice.OPERATIONS}}
    if other.get("learned"):
        made["fallback_share"] = dict.fromkeys(study_choice.OPERATIONS, 0.0)
    made.update(other)
    return made


def engine(kind, warm, learned_tables=0, **other):
    return result(kind, line="engine", warm=warm, tables=2, learned_tables=learned_tables, bits_per_key=16.0, **other)


class ChoiceTest(unittest.TestCase):
    def test_gains_pair_the_rounds(self):
        found = study_choice.gain(result("a", warm=(1, 2, 4)), result("b", warm=(2, 4, 8)), "hit", "warm")
        self.assertEqual((found.low, found.middle, found.high, found.verdict()), (2, 2, 2, "faster"))

    def test_a_verdict_needs_quartiles_on_one_side(self):
        base = result("b", warm=(10, 10, 10))
        for warm, verdict in (((5, 9, 9.9), "faster"), ((9, 10, 11), "no difference"), ((11, 12, 20), "slower"),
                              ((5,), "too few rounds")):
            found = study_choice.gain(result("a", warm=warm), base, "hit", "warm")
            self.assertEqual(found.verdict(), verdict, warm)
            self.assertIn(verdict, study_choice.VERDICTS)

    def test_what_was_not_measured_has_no_gain(self):
        del (lacking := result("a"))["ns"]["lower_bound"]
        self.assertIsNone(study_choice.gain(lacking, result("b"), "lower_bound", "warm"))
        self.assertIsNone(study_choice.median(lacking, "lower_bound", "cold"))

    def test_the_best_is_quickest_within_the_bits(self):
        lines = [result("slow"), result("quick", warm=(5, 5, 5)), result("large", warm=(1, 1, 1), bits_per_key=64.0),
                 result("model", learned=True, warm=(2, 2, 2))]
        self.assertEqual(study_choice.best(lines, False)["kind"], "quick")
        self.assertEqual(study_choice.best(lines, True)["kind"], "model")
        self.assertIsNone(study_choice.best(lines[:1], True))

    def test_no_lower_bound_is_never_the_best(self):
        hashed = result("hash", warm=(1, 1, 1))
        del hashed["ns"]["lower_bound"]
        self.assertEqual(study_choice.best([hashed, result("tree")], False)["kind"], "tree")


class RunTest(unittest.TestCase):
    def test_commands_say_what_is_asked(self):
        plan = dict(run_study.QUICK, index_sizes=(10, 20))
        words = run_study.command_of(plan, "index", "words", 7, "DIR", 4096)
        for name, value in (("--sizes", "10,20"), ("--sets", "words"), ("--seed", "7"), ("--evict-bytes", "4096")):
            self.assertEqual(words[words.index(name) + 1], value)
        self.assertNotIn("--data-dir", words)
        self.assertIn("--data-dir", run_study.command_of(plan, "engine", "words", 7, "DIR", 4096))

    def test_wrong_answers_are_named(self):
        found = run_study.wrong_answers([keys("words", 10), result("a"), result("b", wrong=3)])
        self.assertEqual(found, ["index, words, 1000 keys, b: 3 wrong"])


class ReportTest(unittest.TestCase):
    META = {"plan": run_study.QUICK, "seed": 1, "sets": ["words"], "machine": {"processor": "x"}, "load_at_end": 0.0,
            "seconds": 60.0, "commands": ["study_bench"],
            "eviction": {"walked_bytes": 64 << 20, "last_level_cache_bytes": 32 << 20, "cold_group": 32,
                         "trials": [{"bytes": 64 << 20, "ns": 90.0}, {"bytes": 128 << 20, "ns": 99.0}]}}
    LINES = [
        keys("words", 1000), result("tree"),
        result("model", learned=True, warm=(5, 5, 5), cold=(120, 130, 140), max_error=17),
        keys("tiny", 10), result("tree", "tiny", 10),
        result("model", "tiny", 10, learned=True, warm=(30, 31, 32),
               fallback_share={"hit": 0.0, "miss": 0.25, "lower_bound": 0.0}),
        engine("default", (10, 10, 10), learned_tables=1), engine("binary", (8, 8, 8)),
    ]

    def write(self, lines):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        out = pathlib.Path(folder.name)
        study_report.write_report(out, self.META, lines)
        return out, (out / "learned.md").read_text()

    def test_report_and_plots(self):
        out, text = self.write(self.LINES)
        for part in ("| words | 50 % real | 1,000 | learned in 1 of 2 tables | 16.0 / 16.0 | 10 | 0.80 (0.80-0.80) |",
                     "| words | 1,000 | model | 2.0 | 5 / 130 | tree | 2.0 | 10 / 100 | 2.00 (2.00-2.00) **faster** | "
                     "0.77 (0.74-0.80) **slower** |",
                     "| model | 2.0 | 6 (5.5-6.5) | 5 (5-5) | 130 (125-135) |",
                     "| 0 % | 17 |", "a buffer of 64 MiB", "then took 90 ns, and 99 ns", "| processor | x |"):
            self.assertIn(part, text)
        for name in ("gain", "words", "tiny"):
            xml.dom.minidom.parseString((out / "learned" / f"{name}.svg").read_text())
            self.assertIn(f"(learned/{name}.svg)", text)

    def test_what_does_not_pay_is_said(self):
        _, text = self.write(self.LINES)
        self.assertIn("warm: against the best other kind within 16 bits a key, the best learned one is: faster for 1 "
                      "(words); slower for 1 (tiny).", text)
        self.assertIn("warm gets are slower than without it for: words.", text)
        self.assertIn("of an operation: tiny (model, 25 %).", text)
        self.assertIn("no learned index for 0 of 1 key sets (none).", text)
        self.assertIn("| default | +0.0 | 1.00 | 0.80 |", text)

    def test_either_mode_alone_has_a_report(self):
        _, text = self.write([line for line in self.LINES if line["line"] != "engine"])
        self.assertNotIn("What the engine takes by default", text)
        self.assertNotIn("The engine's own choice", text)
        out, text = self.write([line for line in self.LINES if line["line"] != "index" and line["set"] == "words"])
        self.assertIn("What the engine takes by default", text)
        self.assertFalse((out / "learned" / "words.svg").exists())

    def test_summary_names_both_sides(self):
        first = study_report.summary(self.LINES)[0]
        for word in ("words", "model", "over tree", "2.00 (2.00-2.00)"):
            self.assertIn(word, first)


class ScatterTest(unittest.TestCase):
    def test_each_point_is_drawn_and_named(self):
        points = [study_svg.Point("a & b", True, 0.0, 1, 2, 3), study_svg.Point("c", False, 91.0, 100, 200, 300)]
        text = study_svg.scatter("t", ("x", "y"), [("warm", points), ("cold", points[:1])])
        document = xml.dom.minidom.parseString(text)
        # Three points, and two names.
        self.assertEqual(len(document.getElementsByTagName("circle")), 5)
        self.assertIn("1 a &amp; b", text)


if __name__ == "__main__":
    unittest.main()

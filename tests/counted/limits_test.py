#!/usr/bin/env python3
"""Shows that compare() of limits.py complains of each figure that is off, and of no other."""
import unittest

import limits

LIMITS = {
    "margin_percent": 3, "slack_percent": 10, "absolute_margin": {"allocations": 0.5},
    "figures": {"instructions": {"get": 1000, "scan": 0}, "allocations": {"put": 1, "get": 0}},
}

# unit, counts, what each complaint contains
CASES = [
    ("instructions", {"get": 1000, "scan": 0}, []),
    ("instructions", {"get": 1030, "scan": 0}, []),
    ("instructions", {"get": 901, "scan": 0}, []),
    ("instructions", {"get": 1031, "scan": 0}, ["get: 1031 instructions, 3.1 % more, expected 1000, at most 1030"]),
    ("instructions", {"get": 899, "scan": 0}, ["get: 899 instructions, 10.1 % less, expected 1000: lower"]),
    ("instructions", {"get": 1000, "scan": 0.0001}, ["scan: 0.0001 instructions, expected 0, at most 0"]),
    ("instructions", {"get": 1000}, ["scan: limits.json has instructions for it"]),
    ("instructions", {"get": 1000, "scan": 0, "put": 1}, ["put: 1 instructions, and limits.json has no figure"]),
    ("allocations", {"put": 1.5, "get": 0}, []),
    ("allocations", {"put": 0.4, "get": 0}, []),
    ("allocations", {"put": 2, "get": 0.5}, ["get: 0.5 allocations, expected 0", "put: 2 allocations, 100.0 % more"]),
    ("bytes", {}, []),
]


class LimitsTest(unittest.TestCase):
    def test_cases(self):
        for unit, facts, complaints in CASES:
            with self.subTest(facts=facts):
                found = limits.compare(LIMITS, {unit: facts})
                self.assertEqual(len(found), len(complaints), found)
                for problem, complaint in zip(found, complaints):
                    self.assertIn(complaint, problem)

    def test_a_unit_that_was_not_counted_is_not_compared(self):
        self.assertEqual(limits.compare(LIMITS, {}), [])


unittest.main()

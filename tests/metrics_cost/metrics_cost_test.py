#!/usr/bin/env python3
"""Fails when metrics cost more than 3 % of the instructions of an operation.

Counts with callgrind what the program metrics_cost executes for each kind of operation, with metrics on and off;
the same input gives the same counts. Reading the clock is not among them: callgrind sees a system call where a
program makes none, so what it costs is added, as CLOCK_INSTRUCTIONS for each of the two readings of a timed operation.
The clock is read by one operation in 64.

    metrics_cost_test.py PROGRAM
"""
import os
import re
import subprocess
import sys
import tempfile

KINDS = ["get", "get-absent", "get-from-memtable", "put", "scan"]
OPERATIONS = 10000
LIMIT_PERCENT = 3.0
SAMPLING = 64
CLOCK_INSTRUCTIONS = 60


def instructions(program, kind, metrics, folder):
    """Of one operation, on average."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--toggle-collect=MeasuredWork",
               program, kind, metrics, str(OPERATIONS)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TMPDIR": folder}, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or found is None:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return int(found[1]) / OPERATIONS


def main():
    program = sys.argv[1]
    too_much = []
    print(f"{'instructions each':<20}{'off':>10}{'on':>10}{'more':>8}{'%':>8}")
    with tempfile.TemporaryDirectory(prefix="seerdb-cost-") as folder:
        for kind in KINDS:
            off = instructions(program, kind, "off", folder)
            on = instructions(program, kind, "on", folder) + 2 * CLOCK_INSTRUCTIONS / SAMPLING
            percent = 100 * (on - off) / off
            print(f"{kind:<20}{off:>10.1f}{on:>10.1f}{on - off:>8.1f}{percent:>8.2f}", flush=True)
            if off < 100:
                too_much.append(f"{kind}: {off} instructions cannot be the operation")
            if percent > LIMIT_PERCENT:
                too_much.append(f"{kind}: metrics cost {percent:.2f} %, expected at most {LIMIT_PERCENT} %")
    print("\n".join(too_much))
    return bool(too_much)


sys.exit(main())

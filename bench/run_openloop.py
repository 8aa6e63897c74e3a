#!/usr/bin/env python3
"""Runs the program openloop and writes docs/benchmarks-openloop.md with its plot (gnuplot).

Arguments after -- go to openloop. --quick is its short form; nothing is written to docs then unless --docs is
given."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

PLOT = """
set terminal svg size 900,520 font 'sans-serif,12' background 'white'
set output '{svg}'
set datafile separator ','
set key top right
set grid ytics lc rgb '#dddddd'
set logscale y
set yrange [0.5:]
set xlabel 'second of the open loop'
set ylabel 'microseconds'
set title 'puts at {rate:,.0f} a second, {part:.0f} %% of what can be sustained'
plot '{csv}' using 2:(strcol(1) eq 'open' ? $7 : 1/0) with lines lw 1 lc rgb '#c0392b' title 'longest put', \\
     '' using 2:(strcol(1) eq 'open' ? $8 : 1/0) with lines lw 1 lc rgb '#7f8c8d' \\
        title 'longest oversleep of an idle thread', \\
     '' using 2:(strcol(1) eq 'open' ? $6 : 1/0) with lines lw 1 lc rgb '#e67e22' title 'p99.9', \\
     '' using 2:(strcol(1) eq 'open' ? $4 : 1/0) with lines lw 2 lc rgb '#2980b9' title 'p50'
"""


def page(result, note):
    closed, opened = result.get("closed"), result["open"]
    lines = [
        "# Puts at a steady rate",
        "",
        "Written by `bench/run_openloop.py` (run by `scripts/bench --openloop`); do not edit.",
        "",
        f"{result['keys']:,} keys of 16 bytes drawn at random, values of {result['value_bytes']} bytes, "
        f"{'each put synced' if result['sync'] else 'log not synced'}, default options. A put is timed from when it "
        "should have arrived, so each pause counts for all puts that it delays. The control thread does nothing but "
        "sleep a millisecond at a time: how much too late it wakes is what the machine does to anybody.",
        "",
    ]
    if closed:
        again = result["again"]
        lines += [f"One writer in a closed loop did {closed['mean_puts_per_second']:,.0f} puts a second (mean of the "
                  f"second half of its run), and {result['sustainable_puts_per_second']:,.0f} in the slowest ten "
                  f"seconds of it, which is taken for what can be sustained; L0 had at most {closed['most_l0_runs']} "
                  f"runs. Behind the open loop it did {again['mean_puts_per_second']:,.0f} and "
                  f"{again['slowest_puts_per_second']:,.0f}: how much faster or slower the machine had become.", ""]
    lines += [
        f"Open loop: {result['puts_per_second']:,.0f} puts a second for {result['seconds']} s, after the tree had "
        f"settled.",
        "",
        "| | microseconds |",
        "|---|---:|",
        f"| put, median | {opened['p50_us']:,.1f} |",
        f"| put, 99 % | {opened['p99_us']:,.1f} |",
        f"| put, 99.9 % | {opened['p999_us']:,.1f} |",
        f"| put, 99.99 % | {opened['p9999_us']:,.1f} |",
        f"| longest put | {opened['max_us']:,.0f} |",
        f"| longest oversleep of the control thread | {opened['control_max_us']:,.0f} |",
        f"| writers held back by the engine, in all | {opened['stall_us']:,} |",
        "",
        "![Latency by second](benchmarks/openloop.svg)",
        "",
        *([note, ""] if note else []),
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(ROOT / "build/bench"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--docs", action="store_true", help="write docs also after --quick")
    parser.add_argument("--note", default="", help="a sentence about the machine, for the page")
    parser.add_argument("rest", nargs="*", help="to openloop, after --")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("SEERDB_BENCH_DIR")) as scratch:
        csv = pathlib.Path(scratch) / "openloop.csv"
        command = [str(pathlib.Path(args.build) / "bench/openloop"), "--directory", f"{scratch}/db", "--csv", str(csv)]
        command += ["--quick"] if args.quick else []
        ran = subprocess.run(command + args.rest, stdout=subprocess.PIPE, check=True, text=True)
        print(ran.stdout)
        if args.quick and not args.docs:
            return 0
        result = json.loads(ran.stdout)
        rate = result["puts_per_second"]
        part = 100 * rate / result.get("sustainable_puts_per_second", rate)
        script = PLOT.format(svg=ROOT / "docs/benchmarks/openloop.svg", csv=csv, rate=rate, part=part)
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
        (ROOT / "docs/benchmarks-openloop.md").write_text(page(result, args.note))
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs compaction_bench and bulk_bench and writes docs/benchmarks-background.md: how fast tables are built,
merged and loaded. Arguments after -- go to both; nothing is written to docs then."""
import argparse
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = [
    ("compaction_bench", """## Building and merging tables

`{command}`. Keys of 16 bytes, values of 100. MB/s are of the keys and values read, and of one processor ("core") or by the
clock ("wall"); the best of five. Checksums of all blocks are verified, and the outputs are synced."""),
    ("bulk_bench", """## Bulk loads

`{command}`. From the first record taken to the load installed and durable; *paths* are keys that share long prefixes.
After each load every checksum is verified and the entries are counted. Unsorted input is written twice: as sorted runs,
and as tables."""),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(ROOT / "build/bench"))
    parser.add_argument("rest", nargs="*", help="to both programs, after --")
    args = parser.parse_args()
    lines = ["# Compaction and bulk loads", "",
             "Written by `bench/run_background.py` (run by `scripts/bench --background`); do not edit.", ""]
    for name, text in PROGRAMS:
        words = args.rest or ["--repeat", "5"]
        command = [str(pathlib.Path(args.build) / "bench" / name), *words]
        output = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        print(output, end="", flush=True)
        shown = " ".join(["build/bench/bench/" + name, *words])
        lines += [text.format(command=shown), "", "```", output.rstrip(), "```", ""]
    if not args.rest:
        (ROOT / "docs/benchmarks-background.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()

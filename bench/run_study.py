#!/usr/bin/env python3
"""Runs study_bench over sets of keys and writes docs/learned.md: when a learned index pays.

Exit status: 0; 1 if a run failed or an answer was wrong; 2 for wrong use.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import time

import bench_report
import study_report
from run_bench import choose, fail

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODES = ("index", "engine")
# What study_bench is asked to do, in the long form and the short one.
FULL = {"index_sizes": (10_000, 100_000, 1_000_000), "engine_sizes": (500_000,), "rounds": 5, "probes": 40_000,
        "cold_rounds": 3, "cold_groups": 2}
QUICK = {"index_sizes": (20_000,), "engine_sizes": (20_000,), "rounds": 3, "probes": 4_000, "cold_rounds": 1,
         "cold_groups": 1}
# Of the long form, a few sets are measured as they grow: ranges even, clustered, and with a text before them.
LARGE = {"index_sizes": (10_000_000,), "rounds": 3}
LARGE_SETS = ("uniform64", "osm-like", "tenant-time")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "bench", help="build folder")
    parser.add_argument("--quick", action="store_true",
                        help="20,000 keys, few probes and rounds; the report goes to build/study-quick")
    parser.add_argument("--modes", help=f"comma-separated of {','.join(MODES)}; default all")
    parser.add_argument("--sets", help="comma-separated key sets; default all")
    parser.add_argument("--sizes", help="keys of a set, comma-separated, for both modes")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--cold-rounds", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data-dir", type=pathlib.Path, default=ROOT / "build" / "study-data",
                        help="where databases live while they are measured; removed after")
    parser.add_argument("--out", type=pathlib.Path, help="folder of the report; default docs")
    parser.add_argument("--render-only", action="store_true", help="make the report from results.jsonl again")
    args = parser.parse_args()
    args.plan = dict(QUICK if args.quick else FULL)
    args.large = not args.quick and not args.sizes
    if args.sizes:
        args.plan["index_sizes"] = args.plan["engine_sizes"] = tuple(int(size) for size in args.sizes.split(","))
    for name in ("rounds", "cold_rounds"):
        if getattr(args, name) is not None:
            args.plan[name] = getattr(args, name)
    args.out = args.out or (ROOT / "build" / "study-quick" if args.quick else ROOT / "docs")
    return args


def command_of(plan, mode, key_set, seed, data_dir, evict_bytes):
    """The command line of one run, but for the program."""
    sizes = ",".join(str(size) for size in plan[f"{mode}_sizes"])
    words = ["--mode", mode, "--sets", key_set, "--sizes", sizes, "--seed", seed, "--rounds", plan["rounds"],
             "--probes", plan["probes"], "--cold-rounds", plan["cold_rounds"], "--cold-groups", plan["cold_groups"],
             "--evict-bytes", evict_bytes, "--repository", ROOT]
    return [str(word) for word in words + (["--data-dir", data_dir] if mode == "engine" else [])]


def run(program, command):
    """The lines of one run."""
    done = subprocess.run([str(program), *command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        fail(f"{' '.join(command)}: exit status {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def wrong_answers(lines):
    return [f"{line['line']}, {line['set']}, {line['keys']} keys, {line['kind']}: {line['wrong']} wrong"
            for line in lines if line.get("wrong")]


def measure(args):
    program = args.build / "bench" / "study_bench"
    if not program.exists():
        fail(f"{program} is missing; scripts/study builds it")
    listed = subprocess.run([str(program), "--list-sets"], stdout=subprocess.PIPE, text=True, check=True)
    sets = choose(args.sets, listed.stdout.split(), "key set")
    modes = choose(args.modes, MODES, "mode")
    # Only a folder of our own is ever removed.
    parent_is_ours = not args.data_dir.exists()
    data_dir = args.data_dir / f"seerdb-study-{os.getpid()}"
    machine = bench_report.describe_machine(args.data_dir, args.build)
    # (what is said of it, plan, mode, key sets)
    runs = [(mode, args.plan, mode, sets) for mode in modes]
    if args.large and "index" in modes:
        runs.append(("index, large", args.plan | LARGE, "index", LARGE_SETS))
    lines, eviction = [], None
    begin = time.monotonic()
    try:
        for key_set in sets:
            for name, plan, mode, of_sets in runs:
                if key_set not in of_sets:
                    continue
                print(f"== {time.monotonic() - begin:6.0f} s  {key_set}  {name}", flush=True)
                # How much is to be read so that the caches forget is measured once.
                walk = eviction["walked_bytes"] if eviction else 0
                found = run(program, command_of(plan, mode, key_set, args.seed, data_dir, walk))
                eviction = eviction or next(line for line in found if line["line"] == "eviction")
                lines += [line for line in found if line["line"] != "eviction"]
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)
        if parent_is_ours and args.data_dir.is_dir() and not any(args.data_dir.iterdir()):
            args.data_dir.rmdir()
    wrong = wrong_answers(lines)
    if wrong:
        fail("wrong answers\n  " + "\n  ".join(wrong))
    meta = {
        "plan": args.plan, "seed": args.seed, "sets": sets, "machine": machine, "eviction": eviction,
        "load_at_end": os.getloadavg()[0], "seconds": time.monotonic() - begin,
        # The program finds the repository by a path of this machine.
        "commands": [" ".join(["study_bench", *command_of(plan, mode, "SET", args.seed, "DIR",
                                                          eviction["walked_bytes"])]).replace(str(ROOT), ".")
                     for _, plan, mode, _ in runs],
    }
    return meta, lines


def main():
    args = parse_arguments()
    store = args.out / "learned" / "results.jsonl"
    if args.render_only:
        if not store.exists():
            fail(f"{store} is missing")
        meta, *lines = [json.loads(line) for line in store.read_text().splitlines()]
    else:
        meta, lines = measure(args)
        store.parent.mkdir(parents=True, exist_ok=True)
        store.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in [meta, *lines]))
    study_report.write_report(args.out, meta, lines)
    print("\n".join(study_report.summary(lines)))
    print(f"== all answers right; report in {args.out / 'learned.md'}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs seerdb_bench with every engine, interleaved, checks that all gave the same answers, and reports.

Exit status: 0; 1 if a run failed or engines disagree; 2 for wrong use.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import bench_report

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENGINES = ["seerdb", "seerdb-floor", "rocksdb", "rocksdb-default", "leveldb", "lmdb", "wiredtiger"]

# Each chain starts with an empty database. A phase with a label runs in another state than the plain one:
# :unsettled follows overwrites, :settled a load whose background work is done and nothing else, :2t has two threads.
CHAINS = {
    "main": ["fillrandom", "compact", "warm", "readrandom", "readzipf", "readmissing", "multiget",
             "seekrandom", "seek100", "readseq", "readreverse", "readrecent", "overwrite",
             "readrandom:unsettled", "deleterandom", "readseq:unsettled"],
    "fillseq": ["fillseq", "readseq:afterfillseq"],
    "fillbatch": ["fillbatch"],
    "fillsync": ["fillsync"],
    "sync16": ["fillsync:16t"],
    "sync32": ["fillsync:32t"],
    "ycsb": ["ycsbload", "ycsba", "ycsbb", "ycsbc", "ycsbf", "ycsbd"],
    "ycsbe": ["ycsbload:e", "ycsbe"],
    "load": ["fillrandom:load", "settle", "readrandom:settled", "readmissing:settled", "seekrandom:settled",
             "readseq:settled"],
    "two": ["fillrandom:2t", "compact:2t", "warm:2t", "readrandom:2t", "seekrandom:2t", "overwrite:2t"],
}
CHAIN_THREADS = {"two": 2, "sync16": 16, "sync32": 32}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "bench", help="build folder")
    parser.add_argument("--quick", action="store_true",
                        help="200,000 records, 3 rounds; the report goes to build/bench-quick")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--num", type=int, help="records; default 2,000,000")
    parser.add_argument("--ops", type=int, help="operations of phases that do not fill; default 500,000")
    parser.add_argument("--sync-ops", type=int, help="writes of fillsync; default 20,000")
    parser.add_argument("--value-bytes", type=int, default=100)
    parser.add_argument("--keys", choices=["even", "jitter"], default="even")
    parser.add_argument("--compression", choices=["none", "lz4"], default="none")
    parser.add_argument("--cache-bytes", type=int, default=2 << 30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", help="comma-separated; default all that are linked")
    parser.add_argument("--chains", help=f"comma-separated of {','.join(CHAINS)}; default all")
    parser.add_argument("--data-dir", type=pathlib.Path, default=ROOT / "build" / "bench-data",
                        help="where databases live while they are measured; removed after")
    parser.add_argument("--out", type=pathlib.Path, help="folder of the report; default docs")
    parser.add_argument("--report", default="benchmarks", help="its name; default benchmarks")
    parser.add_argument("--render-only", action="store_true", help="make the report from results.jsonl again")
    args = parser.parse_args()
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.num = args.num or (200_000 if args.quick else 2_000_000)
    args.ops = args.ops or (50_000 if args.quick else 500_000)
    args.sync_ops = args.sync_ops or (100 if args.quick else 20_000)
    args.out = args.out or (ROOT / "build" / "bench-quick" if args.quick else ROOT / "docs")
    return args


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def choose(wanted, known, what):
    if not wanted:
        return list(known)
    names = wanted.split(",")
    for name in names:
        if name not in known:
            print(f"error: unknown {what} {name}; known: {', '.join(known)}", file=sys.stderr)
            sys.exit(2)
    return names


def command_of(args, engine, chain, seed, data_dir):
    command = [str(args.build / "bench" / "seerdb_bench"), "--engine", engine, "--db", str(data_dir),
               "--num", args.num, "--ops", args.ops, "--sync-ops", args.sync_ops, "--key-bytes", 16,
               "--value-bytes", args.value_bytes, "--threads", CHAIN_THREADS.get(chain, 1), "--sync", "none",
               "--seed", seed, "--cache-bytes", args.cache_bytes, "--keys", args.keys,
               "--compression", args.compression, "--phases", ",".join(CHAINS[chain])]
    return [str(word) for word in command]


def run_chain(args, engine, chain, round_index):
    """The results of one chain of one engine in an empty folder."""
    data_dir = args.data_dir / "run"
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True)
    # What one engine left dirty must not be written back on the time of the next.
    os.sync()
    command = command_of(args, engine, chain, args.seed + round_index, data_dir)
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    shutil.rmtree(data_dir, ignore_errors=True)
    if run.returncode != 0:
        fail(f"{engine}, chain {chain}, round {round_index}: exit status {run.returncode}")
    results = [json.loads(line) for line in run.stdout.splitlines()]
    if [result["phase"] for result in results] != CHAINS[chain]:
        fail(f"{engine}, chain {chain}, round {round_index}: not every phase reported")
    for result in results:
        result.update(round=round_index, chain=chain)
    return results


def disagreements(results):
    """One line for each phase and round whose engines gave different answers."""
    answers = {}
    for result in results:
        if not result.get("comparable"):
            continue
        answer = tuple(result[field] for field in ("ops", "hits", "misses", "checksum"))
        answers.setdefault((result["round"], result["phase"]), {})[result["engine"]] = answer
    return [f"round {key[0]}, {key[1]}: (ops, hits, misses, checksum) differ: {found}"
            for key, found in answers.items() if len(set(found.values())) > 1]


def lift_options(results):
    """Takes the options, the same in most lines, out of the results: {engine: {"sync none": {...}}}."""
    options = {}
    for result in results:
        of_engine = options.setdefault(result["engine"], {})
        of_engine[f"sync {result['sync']}"] = result.pop("options")
    return options


def measure(args):
    program = args.build / "bench" / "seerdb_bench"
    if not program.exists():
        fail(f"{program} is missing; scripts/bench builds it")
    linked = subprocess.run([str(program), "--list-engines"], stdout=subprocess.PIPE, text=True, check=True)
    linked = [engine for engine in ENGINES if engine in linked.stdout.split()]
    engines = choose(args.engines, linked, "engine")
    chains = choose(args.chains, CHAINS, "chain")
    for engine in ENGINES:
        if engine not in engines:
            print(f"== left out: {engine}", flush=True)
    # Only a folder of our own is ever removed.
    parent_is_ours = not args.data_dir.exists()
    args.data_dir = args.data_dir / f"seerdb-bench-{os.getpid()}"
    machine = bench_report.describe_machine(args.data_dir.parent, args.build)
    results = []
    begin = time.monotonic()
    try:
        for round_index in range(args.rounds):
            for chain in chains:
                # Each round starts with another engine, so that none always runs in another's wake.
                turn = round_index % len(engines)
                for engine in engines[turn:] + engines[:turn]:
                    print(f"== {time.monotonic() - begin:6.0f} s  round {round_index + 1}/{args.rounds}  "
                          f"{chain}  {engine}", flush=True)
                    results += run_chain(args, engine, chain, round_index)
    finally:
        shutil.rmtree(args.data_dir, ignore_errors=True)
        if parent_is_ours and args.data_dir.parent.is_dir() and not any(args.data_dir.parent.iterdir()):
            args.data_dir.parent.rmdir()
    wrong = disagreements(results)
    if wrong:
        fail("engines disagree\n  " + "\n  ".join(wrong))
    settings = {name: getattr(args, name) for name in (
        "num", "ops", "sync_ops", "value_bytes", "keys", "compression", "cache_bytes", "rounds", "seed")}
    meta = {
        "settings": settings, "engines": engines, "machine": machine, "options": lift_options(results),
        "load_at_end": os.getloadavg()[0],
        "commands": {chain: " ".join(["seerdb_bench", *command_of(args, "ENGINE", chain, "SEED", "DIR")[1:]])
                     for chain in chains},
    }
    return meta, results


def main():
    args = parse_arguments()
    store = args.out / args.report / "results.jsonl"
    if args.render_only:
        if not store.exists():
            fail(f"{store} is missing")
        lines = [json.loads(line) for line in store.read_text().splitlines()]
        meta, results = lines[0], lines[1:]
    else:
        meta, results = measure(args)
        store.parent.mkdir(parents=True, exist_ok=True)
        store.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in [meta, *results]))
    bench_report.write_report(args.out, meta, results, args.report)
    print(bench_report.summary(meta, results))
    print(f"== engines agree; report in {args.out / args.report}.md")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs seerdb_bench with every engine, interleaved, checks that all gave the same answers, and reports.

Exit status: 0; 1 if a run failed or engines disagree; 2 for wrong use; 130 if it was interrupted.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import bench_chains
import bench_memory
import bench_report
from bench_chains import ALL_CHAINS, CHAINS, ENGINES, LONG_CHAINS

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTIAL = ROOT / "build" / "bench-partial.jsonl"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "bench", help="build folder")
    parser.add_argument("--quick", action="store_true",
                        help="150,000 records, 3 rounds; the report goes to build/bench-quick")
    parser.add_argument("--long", action="store_true",
                        help="also more data than memory, and 100 million records, in 3 rounds")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--num", type=int, help="records; default 800,000")
    parser.add_argument("--ops", type=int, help="operations of phases that do not fill; default 150,000")
    parser.add_argument("--sync-ops", type=int, help="writes of fillsync; default 16,000")
    parser.add_argument("--value-bytes", type=int, default=100)
    parser.add_argument("--keys", choices=["even", "jitter", "paths"], default="even")
    parser.add_argument("--compression", choices=["none", "lz4"], default="none")
    parser.add_argument("--cache-bytes", type=int, default=2 << 30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", help="comma-separated; default all that a chain is for")
    parser.add_argument("--chains", help=f"comma-separated of {','.join(ALL_CHAINS)}; default {','.join(CHAINS)}")
    parser.add_argument("--data-dir", type=pathlib.Path, default=ROOT / "build" / "bench-data",
                        help="where databases live while they are measured; removed after")
    parser.add_argument("--out", type=pathlib.Path, help="folder of the report; default docs")
    parser.add_argument("--report", default="benchmarks", help="its name; default benchmarks")
    parser.add_argument("--render-only", action="store_true", help="make the report from results.jsonl again")
    args = parser.parse_args()
    args.rounds = args.rounds or (3 if args.quick or args.long else 5)
    args.num = args.num or (150_000 if args.quick else 800_000)
    args.ops = args.ops or (30_000 if args.quick else 150_000)
    args.sync_ops = args.sync_ops or (200 if args.quick else 16_000)
    args.out = args.out or (ROOT / "build" / "bench-quick" if args.quick else ROOT / "docs")
    return args


def fail(message, status=1):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(status)


def choose(wanted, known, what):
    if not wanted:
        return list(known)
    names = wanted.split(",")
    for name in names:
        if name not in known:
            fail(f"unknown {what} {name}; known: {', '.join(known)}", 2)
    return names


def start(args, command, limit):
    """Exit status and results of one start of the program, within the cgroup `limit` if there is one."""
    program = str(args.build / "bench" / "seerdb_bench")
    run = subprocess.run([program, *command], stdout=subprocess.PIPE, text=True, check=False,
                         preexec_fn=limit.enter if limit else None)
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()]


def add_recovery(results):
    """Gives the opening after a kill its time by GiB of the log that the killed process left."""
    log_bytes = None
    for result in results:
        if result["phase"] == bench_chains.KILL:
            log_bytes = result.get("log_bytes")
        elif result["phase"] == "recover" and log_bytes:
            result["open_s_per_log_gib"] = result["open_ms"] / 1e3 / (log_bytes / bench_chains.GIB)


def run_chain(args, engine, name, round_index, limit):
    """The results of one chain of one engine in an empty folder."""
    chain = ALL_CHAINS[name]
    data_dir = args.data_dir / "run"
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True)
    # What one engine left dirty must not be written back on the time of the next.
    os.sync()
    common = bench_chains.arguments(args, engine, name, args.seed + round_index, data_dir)
    results = []
    for part, phases in enumerate(chain.parts()):
        if limit:
            bench_memory.forget_pages(data_dir)
        command = [*common, "--phases", ",".join(phases)] + (["--use-existing"] if part else [])
        status, found = start(args, command, limit if part else None)
        if status != (-signal.SIGKILL if phases[-1] == bench_chains.KILL else 0):
            fail(f"{engine}, chain {name}, round {round_index}: exit status {status}")
        if [result["phase"] for result in found] != list(phases):
            fail(f"{engine}, chain {name}, round {round_index}: not every phase reported")
        results += found
    shutil.rmtree(data_dir, ignore_errors=True)
    add_recovery(results)
    for result in results:
        result.update(round=round_index, chain=name)
    return results


def run_rounds(args, chains, engines, store):
    """Results of the rounds, {chain: why it was not run}, and whether an interrupt ended them before the last.
    Those of each chain go to `store` as they come, an open file."""
    limits = {name: bench_memory.MemoryLimit(ALL_CHAINS[name].limit_bytes)
              for name in chains if ALL_CHAINS[name].limit_bytes}
    broken = {name: limit.error for name, limit in limits.items() if limit.error}
    results = []
    interrupted = False
    begin = time.monotonic()
    try:
        for round_index in range(args.rounds):
            for name in chains:
                if name in broken:
                    continue
                # Each round starts with another engine, so that none always runs in another's wake.
                takes_part = [engine for engine in engines if engine in ALL_CHAINS[name].engines
                              or args.engines and engine == bench_chains.FLOOR]
                turn = round_index % max(len(takes_part), 1)
                for engine in takes_part[turn:] + takes_part[:turn]:
                    print(f"== {time.monotonic() - begin:6.0f} s  round {round_index + 1}/{args.rounds}  "
                          f"{name}  {engine}", flush=True)
                    found = run_chain(args, engine, name, round_index, limits.get(name))
                    store.write("".join(json.dumps(result, sort_keys=True) + "\n" for result in found))
                    store.flush()
                    results += found
    except KeyboardInterrupt:
        interrupted = True
    finally:
        for limit in limits.values():
            limit.close()
    return results, broken, interrupted


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
    """Takes the options, the same in most lines, out of the results: {engine: {"sync none": {...}}}. Those of the
    first chain stand for all; where a chain differs, its command says so."""
    options = {}
    for result in results:
        of_engine = options.setdefault(result["engine"], {})
        of_engine.setdefault(f"sync {result['sync']}", result.pop("options"))
    return options


def measure(args):
    """What is known of the run, and its results. While it lasts they are in build/bench-partial.jsonl. After an
    interrupt the report of what was complete goes to build/bench-interrupted, whatever `args` say."""
    program = args.build / "bench" / "seerdb_bench"
    if not program.exists():
        fail(f"{program} is missing; scripts/bench builds it")
    linked = subprocess.run([str(program), "--list-engines"], stdout=subprocess.PIPE, text=True, check=True)
    linked = [engine for engine in ENGINES if engine in linked.stdout.split()]
    engines = choose(args.engines, linked, "engine")
    chains = choose(args.chains, ALL_CHAINS, "chain") if args.chains else [*CHAINS, *(LONG_CHAINS if args.long else ())]
    for engine in ENGINES:
        if engine not in engines:
            print(f"== left out: {engine}", flush=True)
    # Only a folder of our own is ever removed.
    parent_is_ours = not args.data_dir.exists()
    args.data_dir = args.data_dir / f"seerdb-bench-{os.getpid()}"
    machine = bench_report.describe_machine(args.data_dir.parent, args.build)
    try:
        with PARTIAL.open("w", encoding="utf-8") as store:
            results, broken, interrupted = run_rounds(args, chains, engines, store)
    finally:
        shutil.rmtree(args.data_dir, ignore_errors=True)
        if parent_is_ours and args.data_dir.parent.is_dir() and not any(args.data_dir.parent.iterdir()):
            args.data_dir.parent.rmdir()
    if interrupted:
        args.out = ROOT / "build" / "bench-interrupted"
        args.rounds = max((result["round"] + 1 for result in results), default=0)
    wrong = disagreements(results)
    if wrong:
        fail("engines disagree\n  " + "\n  ".join(wrong))
    settings = {name: getattr(args, name) for name in (
        "num", "ops", "sync_ops", "value_bytes", "keys", "compression", "cache_bytes", "rounds", "seed")}
    meta = {
        "settings": settings, "engines": engines, "machine": machine, "options": lift_options(results),
        "load_at_end": os.getloadavg()[0], "interrupted": interrupted,
        "not_measured": bench_chains.reasons(chains, broken),
        "commands": {chain: " ".join(["seerdb_bench", *bench_chains.arguments(args, "ENGINE", chain, "SEED", "DIR"),
                                      "--phases", ",".join(ALL_CHAINS[chain].phases)]) for chain in chains},
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
        store = args.out / args.report / "results.jsonl"
        store.parent.mkdir(parents=True, exist_ok=True)
        store.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in [meta, *results]))
        PARTIAL.unlink()
    bench_report.write_report(args.out, meta, results, args.report)
    print(bench_report.summary(meta, results))
    print(f"== engines agree; report in {args.out / args.report}.md")
    if meta.get("interrupted") and not args.render_only:
        fail("interrupted: the report is of what was complete", 130)


if __name__ == "__main__":
    main()

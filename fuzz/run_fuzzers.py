#!/usr/bin/env python3
"""Runs every fuzzer of a build from its seeds for a while, and measures which lines of its decoders it reached.

    fuzz/run_fuzzers.py --build build/fuzz --seconds 8 [--jobs 2] [--only log,table]

Prints a table of decoder files, then one line a target: `fuzz: <name>: <runs> runs, <seconds> s, <covered> %`.
Exit status 1 on a finding (its input stays in <build>/findings) or a decoder with too few lines reached.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LEAST_COVERED = 90.0
MEMORY = ["-malloc_limit_mb=16", "-rss_limit_mb=1024"]
INPUT_SECONDS = 10
# Flags of one target. Where no longest input stands, libFuzzer takes it from the seeds. Its entropic schedule
# costs more than a run of a script, which touches much of the code.
FLAGS = {
    "alex": ["-max_len=1024"],
    "batch": ["-max_len=2048"],
    "model": ["-max_len=2048"],
    "pgm": ["-max_len=2048"],
    "spline": ["-max_len=2048"],
    "tags": ["-max_len=4096"],
    "script": ["-max_len=600", "-entropic=0"],
}


def decoders():
    """A dictionary from each target to the decoder files that it must reach."""
    files = {}
    for line in (ROOT / "fuzz/decoders.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            target, path = line.split()
            files.setdefault(target, []).append(path)
            if not (ROOT / path).is_file():
                sys.exit(f"error: fuzz/decoders.txt names {path}, which does not exist")
    return files


def run_fuzzer(build, name, seconds):
    """The process of one fuzzer, ended. Its new inputs and its profile lie in the build folder."""
    corpus = build / "corpus" / name
    shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir(parents=True)
    profile = build / f"{name}.profraw"
    profile.unlink(missing_ok=True)
    command = [build / "fuzz" / f"{name}_fuzzer", f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS}",
               f"-artifact_prefix={build}/findings/{name}-", *MEMORY, *FLAGS.get(name, [])]
    environment = dict(os.environ, LLVM_PROFILE_FILE=str(profile))
    return subprocess.run(
        [*command, corpus, ROOT / "fuzz/seeds" / name], env=environment, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def measure(build, name, files):
    """(file, lines, lines reached) for each file, after one run of the fuzzer."""
    merged = build / f"{name}.profdata"
    subprocess.run(["llvm-profdata", "merge", "-sparse", build / f"{name}.profraw", "-o", merged], check=True)
    exported = subprocess.run(
        ["llvm-cov", "export", "-summary-only", f"-instr-profile={merged}", build / "fuzz" / f"{name}_fuzzer"],
        stdout=subprocess.PIPE, check=True)
    entries = json.loads(exported.stdout)["data"][0]["files"]
    return [(path, *lines_of(path, entries)) for path in files]


def lines_of(path, entries):
    """(lines, lines reached) of a source. One compiled through a cache may stand there by another name of its
    folder, and a header by two: the entry that reached most counts."""
    same = [entry["summary"]["lines"] for entry in entries
            if os.path.normpath(entry["filename"]).endswith("/" + path)]
    best = max(same, key=lambda lines: lines["covered"], default={"count": 0, "covered": 0})
    return best["count"], best["covered"]


def percent(covered, lines):
    return 100.0 * covered / lines if lines else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fuzz")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    files = decoders()
    names = sorted(path.name.removesuffix("_fuzzer") for path in (build / "fuzz").glob("*_fuzzer"))
    if arguments.only:
        names = [name for name in names if name in arguments.only.split(",")]
    missing = set() if arguments.only else set(files) - set(names)
    if missing or not names:
        sys.exit(f"error: no fuzzer for {', '.join(sorted(missing)) or 'any target'} in {build}/fuzz")
    (build / "findings").mkdir(exist_ok=True)

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = list(pool.map(lambda name: run_fuzzer(build, name, arguments.seconds), names))
    failures = []
    table = []
    summary = []
    for name, run in zip(names, runs):
        done = re.search(r"^Done (\d+) runs in (\d+) second", run.stdout, re.MULTILINE)
        if run.returncode != 0 or done is None:
            failures.append(f"{name}: exit status {run.returncode}, see {build}/findings")
            print(f"---- the end of {name}_fuzzer's output")
            print("\n".join(line[:300] for line in run.stdout.splitlines()[-50:]))
            summary.append(f"fuzz: {name}: FAILED")
            continue
        rows = measure(build, name, files[name]) if name in files else []
        for path, lines, covered in rows:
            table.append(f"{name:<9} {path:<40} {lines:>5} {covered:>7} {percent(covered, lines):>6.1f} %")
            if percent(covered, lines) < LEAST_COVERED:
                failures.append(f"{name}: {path}: {percent(covered, lines):.1f} % of lines reached, "
                                f"expected {LEAST_COVERED:.0f} %")
        covered = percent(sum(row[2] for row in rows), sum(row[1] for row in rows))
        reached = f"{covered:.1f} % of decoder lines" if rows else "no decoder of its own"
        summary.append(f"fuzz: {name}: {done[1]} runs, {done[2]} s, {reached}")
    print(f"{'target':<9} {'decoder':<40} lines reached")
    print("\n".join(table))
    for failure in failures:
        print(f"error: {failure}")
    print("\n".join(summary))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

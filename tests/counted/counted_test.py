#!/usr/bin/env python3
"""Fails when an operation takes more instructions or memory, or a load writes more, than limits.json says.

Instructions are counted by callgrind, allocations and bytes by the program itself, always of the same work; so the
counts do not depend on how fast the machine is, or how busy. Callgrind has no AVX-512: it takes the path of processors
with AVX2, which must be there. The instructions of limits.json are those of the compiler it names; of others they are
shown only. A count that has fallen much fails too, until --write has put it in limits.json.

    counted_test.py [--write] PROGRAM
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import limits as table

KINDS = ["get-table", "get-memtable", "get-5-runs", "get-absent", "multiget-key", "seek-10", "scan-step",
         "scan-step-5-runs", "step-back", "step-back-5-runs", "put", "put-flushed", "compacted-entry"]
BYTES = "bytes written for each put"
PROGRAM = "./counted"
PATH = "avx2 sse4.2"
OWN_AND_SYSTEM_PERCENT = 1.0


def run(command, folder):
    """(what it printed as {name: rest of the line}, stderr).

    Always with the same environment and the same paths: what they are long decides where things lie in memory, and
    with it how some are copied.
    """
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={"PATH": os.defpath, "TMPDIR": "."},
                          check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return dict(line.split(" ", 1) for line in done.stdout.splitlines()), done.stderr


def count(kind, folder):
    """What the program says of the kind, with "instructions" beside it."""
    said, log = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={kind}.out",
                     "--toggle-collect=MeasuredWork", PROGRAM, kind], folder)
    found = re.search(r"Collected : (\d+)", log)
    if found is None:
        sys.exit(f"{kind}: callgrind does not say how many instructions it collected\n{log}")
    return said | {"instructions": found[1]}


def show(limits, unit, facts, compared):
    print(f"\n{unit:<34}{'counted':>12}{'limit':>12}")
    for fact, number in facts.items():
        accepted = table.bounds(limits, unit, fact) if compared else None
        print(f"{fact:<34}{number:>12.4f}{'-' if accepted is None else f'{accepted[1]:.4f}':>12}")


def reason_to_skip_instructions(limits, said):
    for kind, lines in said.items():
        if lines["path"] != PATH:
            return f"{kind} took the path \"{lines['path']}\", and the limits are those of \"{PATH}\""
        if lines["compiler"] != limits["compiler"]:
            return f"compiled by {lines['compiler']}, and the limits are those of {limits['compiler']}"
    return None


def main():
    program = pathlib.Path(sys.argv[-1]).resolve(strict=True)
    limits = table.load()
    with tempfile.TemporaryDirectory(prefix="seerdb-counted-") as folder:
        (pathlib.Path(folder) / PROGRAM).symlink_to(program)
        with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "1"))) as pool:
            said = dict(zip(KINDS, pool.map(lambda kind: count(kind, folder), KINDS)))
        written, _ = run([PROGRAM, "bytes"], folder)
    counted = {unit: {kind: round(int(lines[unit]) / int(lines["operations"]), 4) for kind, lines in said.items()}
               for unit in ("instructions", "allocations")}
    counted[BYTES] = {fact: float(number) for fact, number in written.items()}

    skipped = reason_to_skip_instructions(limits, said)
    for unit, facts in counted.items():
        show(limits, unit, facts, compared=unit != "instructions" or skipped is None)
    if skipped is not None:
        print(f"\ninstructions are SKIPPED: {skipped}")
        del counted["instructions"]
    system = counted[BYTES].pop("system", None)
    if "--write" in sys.argv:
        table.save(limits, counted)
        return False
    problems = table.compare(limits, counted)
    own = counted[BYTES]["all"]
    if system is not None and abs(own / system - 1) > OWN_AND_SYSTEM_PERCENT / 100:
        problems.append(f"the engine says that it wrote {own} bytes for a byte put, the system {system}")
    print()
    print("\n".join(problems) or "counted: all within their limits")
    return bool(problems)


sys.exit(main())

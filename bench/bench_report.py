"""Turns the results of run_bench.py into docs/benchmarks.md and its charts."""

import os
import pathlib
import platform
import re
import statistics
import subprocess

import bench_rows
import bench_svg
from bench_rows import quartiles as _quartiles
from bench_words import CHARTS, MEANING, METHOD

BASELINE = "rocksdb"
# What the others are compared with where the question is how much more they take.
SUBJECT = "seerdb"


def _first_line(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return "unknown"


def _file_system(path):
    """The type of the file system that holds `path`."""
    path = pathlib.Path(path).resolve()
    best = ("", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        point, kind = line.split()[1:3]
        if (path == pathlib.Path(point) or pathlib.Path(point) in path.parents) and len(point) > len(best[0]):
            best = (point, kind)
    return best[1]


def _compiler(build):
    cache = (build / "CMakeCache.txt").read_text()
    names = "CMAKE_CXX_COMPILER|CMAKE_BUILD_TYPE|CMAKE_CXX_FLAGS_RELEASE"
    values = dict(re.findall(rf"^({names}):\w+=(.*)$", cache, re.MULTILINE))
    version = subprocess.run([values["CMAKE_CXX_COMPILER"], "--version"], stdout=subprocess.PIPE, text=True,
                             check=False).stdout.splitlines()
    return f"{version[0] if version else 'unknown'}; {values.get('CMAKE_BUILD_TYPE', '')} " \
           f"({values.get('CMAKE_CXX_FLAGS_RELEASE', '')})"


def describe_machine(data_dir, build):
    memory_kib = int(_first_line("/proc/meminfo", "MemTotal").split()[0])
    flags = set(_first_line("/proc/cpuinfo", "flags").split())
    return {
        "processor": _first_line("/proc/cpuinfo", "model name"),
        "processors": str(os.cpu_count()),
        "virtual": "yes" if "hypervisor" in flags else "no",
        "processor cache": _first_line("/proc/cpuinfo", "cache size"),
        "instruction sets": " ".join(f for f in ("sse4_2", "avx2", "avx512f", "avx512vbmi") if f in flags),
        "memory": f"{memory_kib / 1048576:.1f} GiB",
        "kernel": f"{platform.system()} {re.match('[0-9.]*', platform.release())[0]}",
        "file system": _file_system(data_dir.parent if not data_dir.exists() else data_dir),
        "compiler": _compiler(build),
        "load average before": f"{os.getloadavg()[0]:.2f}",
    }


def _collect(results, field):
    """{phase: {engine: {round: value}}}"""
    table = {}
    for result in results:
        if result.get(field) is not None:
            of_phase = table.setdefault(result["phase"], {})
            of_phase.setdefault(result["engine"], {})[result["round"]] = result[field]
    return table


def _number(value):
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _median(times):
    return statistics.median(times.values())


def _ratios(of_phase, engine, baseline):
    """Throughput of the engine over the baseline's, one for each round that both ran."""
    base = of_phase.get(baseline, {})
    mine = of_phase.get(engine, {})
    return [base[r] / mine[r] for r in sorted(mine) if r in base and mine[r] > 0]


def _time_table(times, engines, phases):
    lines = ["| phase | what | " + " | ".join(engines) + " |", "|---|---|" + "---:|" * len(engines)]
    for phase in phases:
        of_phase = times.get(phase, {})
        if not of_phase:
            continue
        best = min(_median(of_phase[e]) for e in engines if e in of_phase)
        cells = []
        for engine in engines:
            if engine not in of_phase:
                cells.append("-")
                continue
            low, middle, high = _quartiles(list(of_phase[engine].values()))
            text = f"**{_number(middle)}**" if middle == best else _number(middle)
            cells.append(f"{text} ({_number(low)}-{_number(high)})")
        lines.append(f"| {phase} | {MEANING.get(phase, '')} | " + " | ".join(cells) + " |")
    return lines


def _ratio_table(times, engines, phases, baseline):
    others = [engine for engine in engines if engine != baseline]
    lines = ["| phase | " + " | ".join(others) + " |", "|---|" + "---:|" * len(others)]
    for phase in phases:
        cells = []
        for engine in others:
            ratios = _ratios(times.get(phase, {}), engine, baseline)
            if not ratios:
                cells.append("-")
                continue
            low, middle, high = _quartiles(ratios)
            cells.append(f"{middle:.2f} ({low:.2f}-{high:.2f})")
        if any(cell != "-" for cell in cells):
            lines.append(f"| {phase} | " + " | ".join(cells) + " |")
    return lines


def _plain_table(table, engines, phases, show):
    lines = ["| phase | " + " | ".join(engines) + " |", "|---|" + "---:|" * len(engines)]
    for phase in phases:
        of_phase = table.get(phase, {})
        if of_phase:
            cells = [show(_median(of_phase[e])) if e in of_phase else "-" for e in engines]
            lines.append(f"| {phase} | " + " | ".join(cells) + " |")
    return lines


def _chart(title, times, engines, phases, baseline):
    groups = []
    for phase in phases:
        bars = []
        for engine in engines:
            ratios = _ratios(times.get(phase, {}), engine, baseline)
            if ratios:
                low, middle, high = _quartiles(ratios)
                label = f"{middle:.2f}x ({_number(_median(times[phase][engine]))} us)"
                bars.append(bench_svg.Bar(engine, middle, low, high, label))
        if bars:
            groups.append((phase, bars))
    axis = f"throughput relative to {baseline} of the same round: median, line = quartiles"
    return bench_svg.bar_chart(title, axis, groups) if groups else None


def _options(meta):
    lines = ["## Options of each engine", "",
             "All that is set. Everything else is the library's default."]
    for engine in meta["engines"]:
        lines += ["", f"### {engine}", "", "| option | without sync | with sync |", "|---|---|---|"]
        without = meta["options"].get(engine, {}).get("sync none", {})
        synced = meta["options"].get(engine, {}).get("sync data", {})
        for name in sorted({*without, *synced}):
            lines.append(f"| `{name}` | `{without.get(name, '-')}` | `{synced.get(name, '-')}` |")
    return lines


def _space_table(results, engines):
    wanted = {"fillrandom": "after fillrandom", "compact": "after compact", "overwrite": "after overwrite",
              "fillrandom:load": "after fillrandom:load", "settle": "after settle"}
    table = _collect(results, "db_bytes")
    renamed = {text: table[phase] for phase, text in wanted.items() if phase in table}
    return _plain_table(renamed, engines, wanted.values(), lambda value: f"{value / 1e6:,.0f}")


# Label, value of one settle result.
LOAD_ROWS = [
    ("seconds of the load", lambda r: r["since_fill"]["seconds"] - r["seconds"]),
    ("seconds to settled", lambda r: r["since_fill"]["seconds"]),
    ("processor seconds", lambda r: r["since_fill"]["cpu_seconds"]),
    ("MB written", lambda r: r["since_fill"]["written_bytes"] / 1e6),
    ("of them deleted before the device had them", lambda r: r["since_fill"]["cancelled_bytes"] / 1e6),
    ("bytes written for a byte of records",
     lambda r: r["since_fill"]["written_bytes"] / (r["num"] * (r["key_bytes"] + r["value_bytes"]))),
    ("MB read by calls", lambda r: r["since_fill"]["read_call_bytes"] / 1e6),
    ("MB read from the device", lambda r: r["since_fill"]["device_read_bytes"] / 1e6),
    ("MB on disk, settled", lambda r: r["db_bytes"] / 1e6),
]


def _load_table(results, engines):
    """How each engine came to a settled tree, and how the subject compares. Empty without such a chain."""
    settled = {}
    for result in results:
        if result.get("since_fill"):
            settled.setdefault(result["engine"], {})[result["round"]] = result
    engines = [engine for engine in engines if engine in settled]
    if not engines:
        return []
    lines = ["| | " + " | ".join(engines) + " |", "|---|" + "---:|" * len(engines)]
    for label, value in LOAD_ROWS:
        cells = [_number(statistics.median(value(r) for r in settled[e].values())) for e in engines]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    def compare(label, share):
        cells = []
        for engine in engines:
            both = [r for r in settled[engine] if r in settled[SUBJECT]]
            shares = [share(settled[engine][r]["since_fill"], settled[SUBJECT][r]["since_fill"]) for r in both]
            cells.append(f"{statistics.median(shares):.2f}" if shares else "-")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    if SUBJECT in settled:
        compare(f"its seconds to settled / {SUBJECT}'s", lambda it, ours: it["seconds"] / ours["seconds"])
        compare(f"{SUBJECT}'s MB written / its",
                lambda it, ours: ours["written_bytes"] / it["written_bytes"] if it["written_bytes"] else 0)
    return lines


def _bytes_section(results, engines, phases):
    """Bytes of each phase by the kernel's account; empty for results of before it was kept."""
    lines = []
    titles = [("written_bytes", "written"), ("cancelled_bytes", "deleted before the device had them"),
              ("read_call_bytes", "read by calls"), ("device_read_bytes", "read from the device")]
    for field, title in titles:
        table = _collect(results, field)
        if any(value for of_phase in table.values() for rounds in of_phase.values() for value in rounds.values()):
            lines += ["", f"### MB {title}", ""]
            lines += _plain_table(table, engines, phases, lambda value: _number(value / 1e6))
    if not lines:
        return []
    return ["", "## Bytes of each phase", "",
            "Median over the rounds, of the whole process; what runs on in the background counts in the phase that it",
            "runs in."] + lines


def write_report(out, meta, results, report="benchmarks"):
    engines = meta["engines"]
    baseline = BASELINE if BASELINE in engines else engines[0]
    settings = meta["settings"]
    times = _collect(results, "us_per_op")
    phases = list(dict.fromkeys(phase for _, _, group in CHARTS for phase in group))
    folder = out / report
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# Benchmarks", "",
             f"Written by `bench/run_bench.py` (run by `scripts/bench`) from `{report}/results.jsonl`; "
             "do not edit.",
             "", f"{settings['num']:,} records of 16-byte keys and {settings['value_bytes']}-byte values, "
             f"{settings['ops']:,} operations a phase ({settings['sync_ops']:,} in `fillsync`), "
             f"{settings['rounds']} rounds, compression {settings['compression']}, key spacing "
             f"{settings['keys']}; where a chain differs, its command below says so.", "",
             *bench_rows.section(results, meta.get("not_measured", {})), "## Time of one operation, microseconds", "",
             "Median over the rounds (quartiles). Lower is better; the best of a row is bold.", ""]
    lines += _time_table(times, engines, phases)
    lines += ["", f"## Throughput relative to {baseline}", "",
              "Median (quartiles) of the ratios of each round. Above 1 is faster.", ""]
    lines += _ratio_table(times, engines, phases, baseline)
    for title, name, group in CHARTS:
        chart = _chart(title, times, engines, group, baseline)
        if chart:
            (folder / f"{name}.svg").write_text(chart)
            lines += ["", f"![{title}]({report}/{name}.svg)"]
    lines += ["", "## Slowest operations: 99.9th percentile, microseconds", "",
              "Median over the rounds, of every 16th call. A call is 100 keys in `fillbatch`,",
              "32 in `multiget`.", ""]
    lines += _plain_table(_collect(results, "p99_9_us"), engines, phases, _number)
    compacted = [r for r in results if r["phase"] == "compact" and r.get("supported") is not False]
    if compacted:
        lines += ["", "## Full compaction after fillrandom, seconds", ""]
        lines += _plain_table(_collect(compacted, "seconds"), engines, ["compact"], _number)
    load = _load_table(results, engines)
    if load:
        lines += ["", "## Load to a settled tree", "",
                  "From the first put to the end of the work that it left behind. Medians over the rounds.", ""] + load
    lines += ["", "## Processor time of one operation, microseconds", "",
              "All threads of the process together: foreground, flush and compaction.", ""]
    per_op = [dict(r, cpu_us=r["cpu_seconds"] * 1e6 / r["ops"]) for r in results if r["ops"] > 0]
    lines += _plain_table(_collect(per_op, "cpu_us"), engines, phases, _number)
    lines += ["", "## Space on disk, MB", "", "Blocks allocated, with logs.", ""]
    lines += _space_table(results, engines)
    with_settle = [p for phase in phases for p in ([phase, "settle"] if phase == "fillrandom:load" else [phase])]
    lines += _bytes_section(results, engines, with_settle)
    lines += ["", METHOD, "## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in meta["machine"].items()]
    lines += [f"| load average after | {meta['load_at_end']:.2f} |"]
    lines += ["", "## Commands", "",
              "ENGINE is each engine in turn, SEED the number of the round plus "
              f"{settings['seed']}, DIR an empty folder.", "", "```"]
    lines += list(meta["commands"].values()) + ["```", ""]
    lines += _options(meta)
    (out / f"{report}.md").write_text("\n".join(lines) + "\n")


def summary(meta, results):
    """The medians as plain text."""
    times = _collect(results, "us_per_op")
    lines = [f"{'us/op':22}" + "".join(f"{engine:>17}" for engine in meta["engines"])]
    for phase, of_phase in times.items():
        cells = [_number(_median(of_phase[e])) if e in of_phase else "-" for e in meta["engines"]]
        lines.append(f"{phase:22}" + "".join(f"{cell:>17}" for cell in cells))
    return "\n".join([*lines, "", bench_rows.summary(results)])

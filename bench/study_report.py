"""Turns the results of run_study.py into docs/learned.md and its plots."""

import statistics

import bench_svg
import study_svg
from bench_rows import quartiles
from study_choice import (DEFAULT, MOST_BITS, OPERATIONS, PLAIN, STATES, VERDICTS, best, collect, gain, median, of_kind,
                          rounds)
from study_words import METHOD

# Of the columns with an engine's gains.
ENGINE_HEADS = [f"{name}, {state}" for name in ("get", "get of an absent key", "seek") for state in STATES]
COLORS = {"warm": "#d1495b", "cold": "#1f4e79"}


def _number(value):
    if value is None:
        return "-"
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _spread(values):
    if not values:
        return "-"
    low, middle, high = quartiles(values)
    return f"{_number(middle)} ({_number(low)}-{_number(high)})"


def _gain_text(found):
    return f"{found.middle:.2f} ({found.low:.2f}-{found.high:.2f})" if found else "-"


def _verdict(found):
    if found is None:
        return "not measured"
    text = found.verdict()
    return f"**{text}**" if text in ("faster", "slower") else text


def _real(facts):
    share = facts["real_keys"] / facts["keys"]
    return "generated" if share == 0 else "real" if share == 1 else f"{100 * share:.0f} % real"


def _chosen(line):
    """What the engine took for an index, in words."""
    learned, tables = line["learned_tables"], line["tables"]
    if tables == 0:
        return "no table"
    if learned == 0:
        return "block index and filter"
    return "learned" if learned == tables else f"learned in {learned} of {tables} tables"


def _engine_table(study):
    """Which index the engine gives, what it costs and gains, a row a key set; empty without such runs."""
    rows = []
    for key_set in study.sets():
        size, lines = study.largest("engine", key_set)
        line, base = of_kind(lines, DEFAULT), of_kind(lines, PLAIN)
        if line is None:
            continue
        bits = f"{line['bits_per_key']:.1f}" + (f" / {base['bits_per_key']:.1f}" if base else "")
        gains = [_gain_text(gain(line, base, operation, state)) if base else "-"
                 for operation in OPERATIONS for state in STATES]
        rows.append(f"| {key_set} | {_real(study.facts[key_set, size])} | {size:,} | {_chosen(line)} | {bits} | "
                    f"{_number(median(line, 'hit', 'warm'))} | " + " | ".join(gains) + " |")
    if not rows:
        return []
    return ["| keys | origin | number | index | bits a key / without | get, ns | " + " | ".join(ENGINE_HEADS) + " |",
            "|---|---|---:|---|---:|---:|" + "---:|" * len(ENGINE_HEADS), *rows]


def _engine_kinds_table(study):
    """Every setting of the engine beside PLAIN, each figure the median over the key sets."""
    shown = {}
    for key_set in study.sets():
        lines = study.largest("engine", key_set)[1]
        base = of_kind(lines, PLAIN)
        for line in lines if base else ():
            gains = [gain(line, base, operation, state) for operation in OPERATIONS for state in STATES]
            build = [statistics.median(each["build_ns_per_key"]["rounds"]) for each in (line, base)]
            figures = [line["bits_per_key"] - base["bits_per_key"], build[1] / build[0],
                       *(found.middle if found else None for found in gains)]
            shown.setdefault(line["kind"], []).append(figures)
    if not shown:
        return []
    rows = []
    for kind, figures in shown.items():
        middles = [statistics.median([value for value in column if value is not None] or [0])
                   for column in zip(*figures)]
        rows.append(f"| {kind} | {middles[0]:+.1f} | " + " | ".join(f"{value:.2f}" for value in middles[1:]) + " |")
    return ["| `index_kind` | bits a key | load | " + " | ".join(ENGINE_HEADS) + " |",
            "|---|---:|---:|" + "---:|" * len(ENGINE_HEADS), *rows]


def _pairs(study):
    """[(key set, size, best learned kind, best other kind)] of the largest sizes."""
    found = []
    for key_set in study.sets():
        size, lines = study.largest("index", key_set)
        learned, other = best(lines, True), best(lines, False)
        if learned and other:
            found.append((key_set, size, learned, other))
    return found


def _index_table(study):
    rows = []
    for key_set, size, learned, other in _pairs(study):
        gains = [gain(learned, other, "lower_bound", state) for state in STATES]
        kinds = [f"{line['kind']} | {line['bits_per_key']:.1f} | {_number(median(line, 'lower_bound', 'warm'))} / "
                 f"{_number(median(line, 'lower_bound', 'cold'))}" for line in (learned, other)]
        shown = [f"{_gain_text(found)} {_verdict(found)}" for found in gains]
        rows.append(f"| {key_set} | {size:,} | " + " | ".join([*kinds, *shown]) + " |")
    if not rows:
        return []
    return ["| keys | number | best learned | bits | ns, warm / cold | best other | bits | ns, warm / cold | times as "
            "fast, warm | times as fast, cold |", "|---|---:|---|---:|---:|---|---:|---:|---:|---:|", *rows]


def _named(names):
    return ", ".join(names) if names else "none"


def _findings(study):
    """Sentences that count verdicts; what did not pay is among them."""
    lines = []
    pairs = _pairs(study)
    for state in STATES:
        by_verdict = {}
        for key_set, _, learned, other in pairs:
            found = gain(learned, other, "lower_bound", state)
            if found:
                by_verdict.setdefault(found.verdict(), []).append(key_set)
        if by_verdict:
            parts = [f"{verdict} for {len(by_verdict[verdict])} ({_named(by_verdict[verdict])})"
                     for verdict in VERDICTS if verdict in by_verdict]
            lines.append(f"- Lower bounds, {state}: against the best other kind within {MOST_BITS} bits a key, the "
                         f"best learned one is: {'; '.join(parts)}.")
    engine = [(key_set, *(of_kind(study.largest("engine", key_set)[1], kind) for kind in (DEFAULT, PLAIN)))
              for key_set in study.sets()]
    engine = [(key_set, line, base) for key_set, line, base in engine if line and base]
    if engine:
        without = [key_set for key_set, line, _ in engine if line["learned_tables"] == 0]
        lines.append(f"- The engine's own choice: no learned index for {len(without)} of {len(engine)} key sets "
                     f"({_named(without)}).")
        learned = [(key_set, line, base) for key_set, line, base in engine if line["learned_tables"] > 0]
        for operation, name in zip(OPERATIONS, ("gets", "gets of absent keys", "seeks") if learned else ()):
            slower = [key_set for key_set, line, base in learned
                      if (found := gain(line, base, operation, "warm")) and found.verdict() == "slower"]
            lines.append(f"- Where it has one, warm {name} are slower than without it for: {_named(slower)}.")
    failing = [f"{line['set']} ({line['kind']}, {100 * max(line['fallback_share'].values()):.0f} %)"
               for key_set in study.sets() for line in study.largest("index", key_set)[1]
               if line.get("learned") and max(line["fallback_share"].values()) >= 0.005]
    if pairs:
        lines.append("- Brackets that fail for at least half a percent of the probes of an operation: "
                     f"{_named(failing)}.")
    return lines


def _kinds_table(lines):
    heads = [f"{operation.replace('_', ' ')}, {state}" for operation in OPERATIONS for state in STATES]
    table = ["| kind | bits a key | build, ns a key | " + " | ".join(heads) + " | failed brackets | greatest error |",
             "|---|---:|---:|" + "---:|" * (len(heads) + 2)]
    for line in lines:
        cells = [_spread(rounds(line, operation, state)) for operation in OPERATIONS for state in STATES]
        failed = line.get("fallback_share")
        failed = f"{100 * max(failed.values()):.2g} %" if failed else "-"
        table.append(f"| {line['kind']} | {line['bits_per_key']:.1f} | {_spread(line['build_ns_per_key']['rounds'])} | "
                     + " | ".join(cells) + f" | {failed} | {line.get('max_error', '-')} |")
    return table


def _plot(key_set, size, lines):
    panels = []
    for state in STATES:
        points = [study_svg.Point(line["kind"], line["learned"], line["bits_per_key"],
                                  *quartiles(rounds(line, "hit", state)))
                  for line in lines if rounds(line, "hit", state)]
        if points:
            panels.append((state, points))
    axes = ("bits a key (red: learned; line = quartiles over the rounds)", "nanoseconds of a hit")
    return study_svg.scatter(f"{key_set}, {size:,} keys", axes, panels) if panels else None


def _gain_chart(study):
    groups = []
    for key_set, _, learned, other in _pairs(study):
        found = {state: gain(learned, other, "lower_bound", state) for state in STATES}
        bars = [bench_svg.Bar(state, g.middle, g.low, g.high, f"{g.middle:.2f}x") for state, g in found.items() if g]
        groups.append((key_set, bars))
    axis = f"lower bounds: times as fast as the best other kind within {MOST_BITS} bits a key; line = quartiles"
    return bench_svg.bar_chart("The best learned kind", axis, groups, COLORS) if groups else None


def _set_section(study, key_set, folder):
    size = max(count for name, count in study.facts if name == key_set)
    facts = study.facts[key_set, size]
    source = facts["source"][0].upper() + facts["source"][1:]
    lines = ["", f"### {key_set}", "",
             f"A key is {facts['what']}, of {facts['mean_key_bytes']:.1f} bytes in the mean. {source}; of {size:,} "
             f"keys {facts['real_keys']:,} are real. All begin with the same {facts['prefix_bytes']} bytes; the "
             f"windows behind are {facts['projection']}, {100 * facts['distinct_window_share']:.1f} % as many as keys."]
    for count in study.sizes("index", key_set):
        lines += ["", f"{count:,} keys, nanoseconds:", "", *_kinds_table(study.lines["index"][key_set, count])]
    largest, of_largest = study.largest("index", key_set)
    plot = _plot(key_set, largest, of_largest) if of_largest else None
    if plot:
        (folder / f"{key_set}.svg").write_text(plot)
        lines += ["", f"![{key_set}]({folder.name}/{key_set}.svg)"]
    for count in study.sizes("engine", key_set):
        lines += ["", f"Databases of {count:,} keys, nanoseconds:", "",
                  *_kinds_table(study.lines["engine"][key_set, count])]
    return lines


def _eviction(facts):
    walked = facts["walked_bytes"] >> 20
    text = f"Cold: a buffer of {walked:,} MiB was read before each group of {facts['cold_group']} probes"
    trials = facts["trials"]
    if trials:
        at = next(trial["ns"] for trial in trials if trial["bytes"] == facts["walked_bytes"])
        most = max(trials, key=lambda trial: trial["ns"])
        text += (f"; a line of memory then took {at:.0f} ns, and {most['ns']:.0f} ns after the walk that made it take "
                 f"longest, {most['bytes'] >> 20:,} MiB")
    return text + f". The processor says that its last level cache has {facts['last_level_cache_bytes'] >> 20:,} MiB."


def write_report(out, meta, results):
    study, plan = collect(results), meta["plan"]
    folder = out / "learned"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# When learning pays", "",
             "Written by `bench/run_study.py` (run by `scripts/study`) from `learned/results.jsonl`; do not edit.", "",
             f"{len(study.sets())} key sets, {plan['rounds']} rounds ({plan['cold_rounds']} of them cold too), "
             f"{plan['probes']:,} probes of each operation. Every answer was compared with that of `std::lower_bound`, "
             "and all were right.", "", "## Which index, at what cost, for what gain", ""]
    table = _engine_table(study)
    if table:
        lines += ["What the engine takes by default, beside the same with `index_kind = kBinary` (\"without\"). "
                  "Gains are times as fast as without, median (quartiles) over the rounds; above 1 is faster. Bits are "
                  "of index, filter and columns in blocks together.", "", *table, ""]
    table = _engine_kinds_table(study)
    if table:
        lines += ["Each `index_kind` beside `kBinary`: more or fewer bits a key, and how many times as fast, the median "
                  "over the key sets.", "", *table, ""]
    table = _index_table(study)
    if table:
        lines += [f"Kinds of index by themselves, over all keys in memory: of those that take at most {MOST_BITS} bits "
                  "a key the learned one and the other one with the quickest lower bounds, warm and cold together.", "",
                  *table, ""]
    chart = _gain_chart(study)
    if chart:
        (folder / "gain.svg").write_text(chart)
        lines += ["![Gains](learned/gain.svg)", ""]
    lines += ["## What the figures say", "",
              "\"Faster\" and \"slower\" are said where the quartiles of the ratios of the rounds, three or more, are "
              "on one side of 1.", "",
              *_findings(study), "", "## Each key set", "", "Median (quartiles) over the rounds."]
    for key_set in study.sets():
        lines += _set_section(study, key_set, folder)
    lines += ["", METHOD, _eviction(meta["eviction"]), "", "## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in meta["machine"].items()]
    lines += [f"| load average after | {meta['load_at_end']:.2f} |", f"| minutes | {meta['seconds'] / 60:.1f} |",
              "", "## Commands", "", "SET is each key set in turn, DIR an empty folder.", "", "```",
              *meta["commands"], "```"]
    (out / "learned.md").write_text("\n".join(lines) + "\n")


def summary(results):
    """The top of the report as plain text."""
    study = collect(results)
    lines = []
    for key_set, size, learned, other in _pairs(study):
        gains = [gain(learned, other, "lower_bound", state) for state in STATES]
        lines.append(f"{key_set:14} {size:>9,}  {learned['kind']:30} {learned['bits_per_key']:6.1f} bits  " + "  ".join(
            f"{state} {_gain_text(found)}" for state, found in zip(STATES, gains)) + f"  over {other['kind']}")
    return lines + [line.removeprefix("- ") for line in _findings(study)]

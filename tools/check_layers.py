#!/usr/bin/env python3
"""Fails when an #include breaks tools/layers.txt, or when that table and CMakeLists.txt disagree.

Checked: rooms include only rooms listed for them; every room in the table lists only rooms above it, so
there is no cycle; the table names exactly the folders of src; public headers include only public headers;
tools and bench include only what OUTSIDE lists; seerdb_room() in CMakeLists.txt says the same.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]')
ROOM_CALL = re.compile(r"^\s*seerdb_room\(([^)]*)\)", re.MULTILINE)
# What folders beside src may see of the rooms. tests and fuzz may see everything, and so may a micro benchmark
# of one room, bench/<room>_bench.cc.
OUTSIDE = {
    "bench": {"base", "learned"},
    "tools": {"base", "format", "iter", "wal", "sstable", "vlog", "manifest"},
}


def read_table(path, complain):
    allowed = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        room, colon, rooms = line.split("#")[0].partition(":")
        room, rooms = room.strip(), set(rooms.split())
        if not room and not colon:
            continue
        if not colon or room in allowed:
            complain(path, number, "expected one 'room: rooms' line for each room")
        for unknown in sorted(rooms - allowed.keys()):
            complain(path, number, f"{room} lists {unknown}, which is not above it")
        allowed[room] = rooms
    return allowed


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1]


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in {".h", ".cc", ".inc"})


def main():
    problems = []

    def complain(path, number, text):
        problems.append(f"{path.relative_to(ROOT)}:{number}: {text}")

    table = ROOT / "tools" / "layers.txt"
    allowed = read_table(table, complain)
    folders = {p.name for p in (ROOT / "src").iterdir() if p.is_dir()}
    for room in sorted(folders ^ allowed.keys()):
        complain(table, 1, f"{room} is " + ("a folder of src without a line here" if room in folders
                                            else "no folder of src"))

    cmake = ROOT / "CMakeLists.txt"
    text = cmake.read_text()
    declared = {}
    for match in ROOM_CALL.finditer(text):
        room, *rooms = match[1].split()
        declared[room] = set(rooms)
        if declared[room] != allowed.get(room):
            complain(cmake, text.count("\n", 0, match.start()) + 1,
                     f"seerdb_room({match[1]}) disagrees with tools/layers.txt")
    for room in sorted(allowed.keys() - declared.keys()):
        complain(cmake, 1, f"no seerdb_room({room} ...)")

    count = 0
    for path in sources(ROOT / "src"):
        room = path.relative_to(ROOT / "src").parts[0]
        for number, name in includes(path):
            count += 1
            other = name.split("/")[0]
            if other in allowed and other != room and other not in allowed.get(room, ()):
                complain(path, number, f"{room} may not include {other}")
    for path in sources(ROOT / "include"):
        for number, name in includes(path):
            count += 1
            if "/" in name and not name.startswith(("seerdb/", "sys/")) or name.split("/")[0] in allowed:
                complain(path, number, f"a public header may not include {name}")
    for folder, rooms in OUTSIDE.items():
        for path in sources(ROOT / folder):
            micro = folder == "bench" and path.name.endswith("_bench.cc") and path.name != "seerdb_bench.cc"
            for number, name in includes(path):
                count += 1
                other = name.split("/")[0]
                if other in allowed and other not in rooms and not micro:
                    complain(path, number, f"{folder} may not include {other}")

    print("\n".join(problems) if problems else f"layers: {len(allowed)} rooms, {count} includes, all allowed")
    return bool(problems)


sys.exit(main())

#!/usr/bin/env python3
"""Fails when a file, a function or a parameter list is too long, unless tools/ratchet.txt excuses it.

Limits: 400 lines a file, 70 lines a function, 6 parameters. A line of ratchet.txt names one excess and its
present size: `file src/a/b.cc 431`, `function src/a/b.cc:Name 82`, `parameters src/a/b.cc:Name 7`. It may
only shrink: a smaller size must be written there, and a line that is no longer needed must go.
"""
import re
import sys

from cpp_text import ROOT, code_only, cpp_files

LIMITS = {"file": 400, "function": 70, "parameters": 6}
FOLDERS = ("include", "src", "tools", "bench")
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s+\"")
# Up to a member's name in a constructor's initializer list.
IN_HEAD = re.compile(r"\)\s*(?:noexcept\s*)?:[^:](?:.*[^:])?[\w>]\s*$", re.DOTALL)
NAME = re.compile(r"((?:[\w:~]|<[^<>()]*>)*(?:operator\s*[^\s\w(]{1,3}|operator\(\)|[\w~]+))\s*$")


def split_top_level(text, separator):
    depth, parts, start = 0, 1, None
    for c in text:
        start = start or not c.isspace()
        if c in "(<[{":
            depth += 1
        elif c in ")>]}":
            depth -= 1
        elif c == separator and depth == 0:
            parts += 1
    return parts if start else 0


def head_of(text):
    """(name, number of parameters) if `text`, what stands before a '{', begins a function; else None."""
    text = re.sub(r"\b(?:__attribute__|SEERDB_\w+|GUARDED_BY|REQUIRES|ACQUIRE|RELEASE|EXCLUDES|NO_THREAD_SAFETY_ANALYSIS)"
                  r"\s*\((?:[^()]|\([^()]*\))*\)", " ", text)
    open_at = text.find("(")
    if open_at < 0 or re.search(r"=\s*$", text):
        return None
    template = re.match(r"\s*template\s*<", text)
    if template:
        depth = 0
        for i in range(template.end() - 1, len(text)):
            depth += (text[i] == "<") - (text[i] == ">" and text[i - 1] != "-")
            if depth == 0:
                return head_of(text[i + 1:])
        return None
    if CONTAINER.search(text[:open_at]) and not re.search(r"\)\s*(const|noexcept|override|final|->.*)*\s*$", text):
        return None
    name = NAME.search(text[:open_at])
    if not name:
        return None
    depth = 0
    for i in range(open_at, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return name[1], split_top_level(text[open_at + 1:i], ",")
    return None


def functions(text):
    """Yields (name, parameters, lines) of each function body that lies directly in a namespace or class."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m[0]), code_only(text), flags=re.MULTILINE)
    # One entry an open brace: None for a container, a function with its first line, 'block', or 'value' for
    # the braces of a default argument or of a member's initializer, which belong to the head around them.
    stack, start = [], 0
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match[0] == "{":
            before = code[start:at]
            if stack and stack[-1] == "value" or IN_HEAD.search(before) or before.count("(") > before.count(")"):
                stack.append("value")
                continue
            if all(entry is None for entry in stack):
                head = head_of(before)
                if head:
                    first = start + len(before) - len(before.lstrip())
                    stack.append((head, code.count("\n", 0, first)))
                elif CONTAINER.search(before):
                    stack.append(None)
                else:
                    stack.append("block")
            else:
                stack.append("block")
        elif match[0] == "}" and stack:
            top = stack.pop()
            if top == "value":
                continue
            if isinstance(top, tuple):
                (name, parameters), first = top
                yield name, parameters, code.count("\n", 0, at) - first + 1
        elif stack and stack[-1] == "value":
            continue
        start = at + 1


def measure():
    found = {}
    for path in cpp_files(*FOLDERS):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(errors="replace")
        found["file", name] = text.count("\n")
        for function, parameters, lines in functions(text):
            key = f"{name}:{function}"
            found["function", key] = max(lines, found.get(("function", key), 0))
            found["parameters", key] = max(parameters, found.get(("parameters", key), 0))
    return found


def main():
    table = ROOT / "tools" / "ratchet.txt"
    excused, problems = {}, []
    for number, line in enumerate(table.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 3 or words[0] not in LIMITS or not words[2].isdigit():
            problems.append(f"tools/ratchet.txt:{number}: expected '{'|'.join(LIMITS)} name size'")
            continue
        excused[words[0], words[1]] = int(words[2])
    found = measure()
    for (kind, name), size in sorted(found.items()):
        limit = LIMITS[kind]
        if size > max(limit, excused.get((kind, name), 0)):
            problems.append(f"{kind} {name}: {size}, limit {excused.get((kind, name), limit)}")
    for (kind, name), size in sorted(excused.items()):
        now = found.get((kind, name), 0)
        if now <= LIMITS[kind]:
            problems.append(f"tools/ratchet.txt: {kind} {name} is within the limit now; remove its line")
        elif now < size:
            problems.append(f"tools/ratchet.txt: {kind} {name} shrank to {now}; write that there")
    counts = {kind: sum(k == kind for k, _ in found) for kind in LIMITS}
    print("\n".join(problems) if problems else
          f"ratchet: {counts['file']} files, {counts['function']} functions, {len(excused)} excused")
    return bool(problems)


sys.exit(main())

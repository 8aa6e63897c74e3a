"""What the checks in this folder share: finding C++ files, and blanking comments and literals."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
_TOKEN = re.compile(
    r'R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'  # raw string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"  # not the separator of 100'000
    r"|//(?:\\\n|[^\n])*"
    r"|/\*.*?\*/",
    re.DOTALL)


def cpp_files(*folders):
    """The .h and .cc files below these folders of the project, sorted."""
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*")) if p.suffix in {".h", ".cc"}]


def code_only(text):
    """`text` with comments and literals blanked; lines and columns stay where they are."""

    def blank(match):
        found = match[0]
        body = re.sub(r"[^\n]", " ", found)
        return body if found.startswith("/") else found[0] + body[1:-1] + found[-1]

    return _TOKEN.sub(blank, text)

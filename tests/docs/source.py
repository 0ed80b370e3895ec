# SPDX-License-Identifier: MIT
"""What the program knows, as its source says it: commands, options, keys, reasons. The manuals, the completions and the
example configuration are compared with this."""
from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def read(path: str) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")


def strings(text: str) -> list[str]:
    """The string literals of C++, those that stand side by side joined."""
    joined = re.sub(r'(?<!\\)"\s*\n\s*"', "", text)
    return [literal.replace('\\"', '"') for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', joined)]


MAIN = read("src/main.cpp")
USAGE = "\n".join(re.findall(r'"(.*?)\\n"', MAIN.split("kUsage =")[1].split(";\n")[0]))
FORMATS = re.search(r'in_list\("([\w|]+)", value\)', MAIN).group(1).split("|")

_BITS = {name: (bit, value == "true")
         for name, bit, value in re.findall(r'\{"(--[\w-]+)", (k\w+), (true|false)\}', MAIN)}
_COMMANDS = {name: set(bits.split(" | ")) for name, bits in re.findall(r'\{"(\w+)", \w+, (k[\w |]+)\}', MAIN)}

COMMANDS = {name: {option for option, (bit, _) in _BITS.items() if bit in bits} for name, bits in _COMMANDS.items()}
WITH_VALUE = {option for option, (_, value) in _BITS.items() if value}
WITH_FILE = {name for name, bits in _COMMANDS.items() if "kFile" in bits}
# Instead of a command.
WORDS = set(re.findall(r'name == "([\w-]+)"', MAIN.split("int run_command")[1]))

CONFIG = read("src/config.cpp")
_HEADER = read("src/config.hpp")
KEYS = re.findall(r'^    \{"([\w-]+)", ', CONFIG.split("kKeys[] = {")[1].split("\n};")[0], re.M)


def _default(key: str) -> str:
    if key == "store":
        return re.search(r'kDefaultStore = "(.+)"', _HEADER).group(1)
    value = re.search(rf"\b{key.replace('-', '_')} = ([\w:]+);", _HEADER).group(1)
    return {"automatic": "auto"}.get(value.rpartition(":")[2], value)


DEFAULTS = {key: _default(key) for key in KEYS if key != "source"}  # of which there are none

# What stands before '=', or the whole word.
_PARSER = CONFIG.split("void parse_command_line")[1]
KERNEL_WORDS = {word.split("=")[0] for text in strings(_PARSER) for word in text.split("|")
                if re.match(r"(rd\.)?earlyseed\S*[=.]", word)}

_POLICY = read("src/policy.cpp").split("kExplanations[] = {")[1].split("\n};")[0]
REASONS = [strings(entry)[0] for entry in re.findall(r"/\* \w+ \*/ (\{.*?\})", _POLICY, re.S) if strings(entry)[0]]

# Keys of the report, and what `status --json` adds.
_REPORT = read("src/report.cpp")
SOURCE_KEYS = set(re.findall(r'\{"([\w.]+)",', _REPORT.split("kSourceFields[] = {")[1].split("\n};")[0]))
REPORT_KEYS = set(re.findall(r'\{"([\w.]+)",', _REPORT.split("kReportFields[] = {")[1].split("\n};")[0]))
JSON_KEYS = set(re.findall(r'\\"([\w.]+)\\": ', read("src/status.cpp")))

# All that the program can say, in one piece.
SAYINGS = "\n".join(text for path in sorted((REPOSITORY / "src").glob("*.cpp"))
                    for text in strings(path.read_text(encoding="utf-8")))

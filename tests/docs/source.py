# SPDX-License-Identifier: MIT
"""What the program knows: commands, options, keys, reasons. The program itself is asked, and the tests'
binary `interface` for what it does not print. The manuals, the completions and the example configuration are
compared with this."""
from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["EARLYSEED_BUILD"])
PROGRAM = BUILD / "earlyseed"


def read(path: str) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")


def complaint(*words: str) -> str:
    """The word that the program does not understand, out of these."""
    done = subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"unknown option or argument '(.+)'; see", done.stderr)
    return found.group(1) if found else ""


USAGE = subprocess.run([PROGRAM, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
# Instead of a command.
WORDS = {word for word in ("help", "--help", "-h", "--version", "version")
         if subprocess.run([PROGRAM, word], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           check=False).returncode == 0}
_OPTIONS = sorted(set(re.findall(r"--[\w-]+", USAGE)) - WORDS)
_UNKNOWN = "--no-such-option"
# The program complains of the first word that it does not know: of the unknown one if it knows what is before it.
WITH_VALUE = {option for option in _OPTIONS for command in re.findall(r"^  (\w+)", USAGE, re.M)
              if complaint(command, f"{option}=1", _UNKNOWN) == _UNKNOWN}
COMMANDS = {command: {option for option in _OPTIONS
                      if complaint(command, f"{option}=1" if option in WITH_VALUE else option, _UNKNOWN) == _UNKNOWN}
            for command in re.findall(r"^  (\w+)", USAGE, re.M)}
WITH_FILE = {command for command in COMMANDS if complaint(command, "a-file", _UNKNOWN) == _UNKNOWN}
FORMATS = re.findall(r"--format ([\w|]+)", USAGE)[0].split("|")

_INTERFACE = json.loads(subprocess.run([BUILD / "tests/unit/interface"], stdout=subprocess.PIPE, text=True,
                                       check=True).stdout)
KEYS = list(_INTERFACE["keys"])
EXPECTED = {key: value["expected"] for key, value in _INTERFACE["keys"].items()}
DEFAULTS = {key: value["default"] for key, value in _INTERFACE["keys"].items() if value["default"]}
KERNEL_WORDS = {word.removesuffix("=") for word in _INTERFACE["kernel_words"]}
REASONS = _INTERFACE["reasons"]
# Of each source, of the report as a whole, and what `status --json` adds.
SOURCE_KEYS = {key.split(".")[1] for key in _INTERFACE["report_keys"] if key.startswith("source1.")}
REPORT_KEYS = {key for key in _INTERFACE["report_keys"] if key.split(".")[-1] not in SOURCE_KEYS}
JSON_KEYS = (set(_INTERFACE["status"]) | set(_INTERFACE["status"]["unused"][0])) - set(_INTERFACE["report_keys"])

# All that the program can say, in one piece.
SAYINGS = PROGRAM.read_bytes().decode("utf-8", "replace")

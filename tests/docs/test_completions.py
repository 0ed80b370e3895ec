# SPDX-License-Identifier: MIT
"""What bash, zsh and fish offer when Tab is pressed after `earlyseed …`, beside what the program knows.

bash and zsh sit at a terminal and get a key that writes every match into the line; the line is then a call of a
function, which notes its arguments. fish has a command for it.
"""
from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import source

COMPLETIONS = source.REPOSITORY / "hooks/completions"

# In the function's arguments every match is a word, whatever characters are in it.
NOTE = 'earlyseed() { printf "%s\\n" "$@" > "$ANSWER.part"; mv "$ANSWER.part" "$ANSWER"; }'
ALL_MATCHES = "\x18\x01"  # C-x C-a
SET_UP = {
    "bash": [". /usr/share/bash-completion/bash_completion", r"""bind '"\C-x\C-a": insert-completions'"""],
    "zsh": ["fpath=($FOLDER $fpath)", "autoload -Uz compinit && compinit -D -u",
            "zle -C all-matches complete-word _generic", "bindkey '^X^A' all-matches",
            "zstyle ':completion:all-matches:*' insert yes",
            "zstyle ':completion:all-matches::::' completer _all_matches _complete"],
}
ARGUMENTS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}


class Terminal:
    """An interactive shell. `offered` gives the words that a line becomes when all matches are written into it."""

    def __init__(self, shell: str, folder: Path):
        self.answer = folder / "answer"
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TERM": "dumb", "HOME": str(folder),
                       "INPUTRC": "/dev/null", "BASH_COMPLETION_USER_DIR": str(folder), "FOLDER": str(folder),
                       "ANSWER": str(self.answer)}
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.execvpe(ARGUMENTS[shell][0], ARGUMENTS[shell], environment)
        for line in [*SET_UP[shell], NOTE]:
            os.write(self.terminal, line.encode() + b"\n")

    def offered(self, line: str) -> list[str]:
        self.answer.unlink(missing_ok=True)
        os.write(self.terminal, line.encode() + ALL_MATCHES.encode() + b"\n")
        end = time.monotonic() + 60
        while not self.answer.exists():
            assert time.monotonic() < end, f"the shell does not answer: {line}"
            if select.select([self.terminal], [], [], 0.02)[0]:
                os.read(self.terminal, 65536)
        return self.answer.read_text(encoding="utf-8").splitlines()

    def close(self) -> None:
        os.close(self.terminal)
        os.waitpid(self.child, 0)


class Fish:
    def __init__(self, folder: Path):
        self.folder = folder

    def offered(self, line: str) -> list[str]:
        done = subprocess.run(["fish", "--no-config", "-c", "source earlyseed.fish; complete -C $argv[1]", line],
                              cwd=self.folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.folder)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        before = line.split()[1:] if line.endswith(" ") else line.split()[1:-1]
        return before + [match.split("\t")[0] for match in done.stdout.splitlines()]

    def close(self) -> None:
        pass


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    for name in ("a-file", "another"):
        (folder / name).write_text("")
    (folder / "folder").mkdir()
    # As installed: bash-completion and zsh find the file by the command's name.
    (folder / "completions").mkdir()
    shutil.copy(COMPLETIONS / "earlyseed.bash", folder / "completions/earlyseed")
    for name in ("_earlyseed", "earlyseed.fish"):
        shutil.copy(COMPLETIONS / name, folder)
    made: Fish | Terminal = Fish(folder) if request.param == "fish" else Terminal(request.param, folder)
    yield made
    made.close()


def offered(shell, line):
    """What is offered for the last word of a line."""
    before = line.split()[1:] if line.endswith(" ") else line.split()[1:-1]
    words = shell.offered(line)
    assert words[:len(before)] == before
    return set(words[len(before):]) - {line.split()[-1]}


def test_commands(shell):
    assert offered(shell, "earlyseed ") | offered(shell, "earlyseed -") == set(source.COMMANDS) | source.WORDS


@pytest.mark.parametrize("command", source.COMMANDS)
def test_options(shell, command):
    """Each option that the command takes, and no other."""
    assert offered(shell, f"earlyseed {command} --") == source.COMMANDS[command]


@pytest.mark.parametrize("command", source.COMMANDS)
def test_operands(shell, command):
    """Files, where the command takes one."""
    assert offered(shell, f"earlyseed {command} a") == ({"a-file", "another"} if command in source.WITH_FILE else set())


def test_values(shell):
    assert offered(shell, "earlyseed record --format ") == set(source.FORMATS)
    assert offered(shell, "earlyseed load --config a") == {"a-file", "another"}
    assert offered(shell, "earlyseed setup --store a") == {"a-file", "another"}
    assert offered(shell, "earlyseed setup --store P") == {source.DEFAULTS["store"]}
    assert {name.rstrip("/") for name in offered(shell, "earlyseed load --root ")} == {"completions", "folder"}


def test_a_value_after_an_equals_sign(shell):
    assert offered(shell, "earlyseed record --format=t") == {"--format=text"}
    assert offered(shell, "earlyseed save --config=an") == {"--config=another"}


@pytest.mark.parametrize("option", sorted(source.WITH_VALUE))
def test_nothing_but_a_value_after_an_option_that_takes_one(shell, option):
    command = next(name for name, options in source.COMMANDS.items() if option in options)
    assert not [word for word in offered(shell, f"earlyseed {command} {option} ") if word.startswith("-")]


def test_bash_file_has_no_mistakes():
    subprocess.run(["shellcheck", "--shell", "bash", COMPLETIONS / "earlyseed.bash"], check=True)

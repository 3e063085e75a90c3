#!/usr/bin/env python3
"""Keeps docs/cli.md in step with what `rhohat --help` prints.

The page holds, after each line `<!-- help: COMMAND -->`, a fenced block that is exactly the output
of `rhohat COMMAND --help` (of `rhohat --help` where COMMAND is left out). Without options the
blocks are written anew; with --check nothing is written, and a difference is an error.
"""

import argparse
import difflib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^<!-- help: ?(\S*) -->\n```text\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def help_text(program, command):
    """What the program prints for --help."""
    words = [program] + ([command] if command else []) + ["--help"]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def commands_of(program):
    """The subcommands, as the overview lists them."""
    listed = help_text(program, "").partition("\nCommands:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines()]


def with_current_help(page, program):
    """The page with every block replaced by what the program prints now."""

    def replace(match):
        command = match.group(1)
        marker = f"<!-- help: {command} -->" if command else "<!-- help: -->"
        return f"{marker}\n```text\n{help_text(program, command)}```\n"

    return BLOCK.sub(replace, page)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/rhohat"))
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs/cli.md")
    parser.add_argument("--check", action="store_true", help="fail where the page is out of date")
    options = parser.parse_args()

    page = options.page.read_text(encoding="utf-8")
    documented = [match.group(1) for match in BLOCK.finditer(page)]
    missing = [name for name in ["", *commands_of(options.program)] if name not in documented]
    if missing:
        sys.exit(f"{options.page}: no block for {', '.join(f'<!-- help: {n} -->' for n in missing)}")

    current = with_current_help(page, options.program)
    if options.check and current != page:
        lines = difflib.unified_diff(page.splitlines(True), current.splitlines(True),
                                     "documented", "printed")
        sys.stdout.writelines(lines)
        sys.exit(f"{options.page} is out of date: run scripts/update_cli_docs.py")
    if not options.check and current != page:
        options.page.write_text(current, encoding="utf-8")


if __name__ == "__main__":
    main()

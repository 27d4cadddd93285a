#!/usr/bin/env python3
"""Print the table behind `src/format/release.rs`: where each GlusterFS release's gsyncd logs from.

    tests/tools/release-table.py CLONE > src/format/releases.tsv

CLONE is a clone (bare or not, with tags) of https://github.com/gluster/glusterfs. Every final
release from 3.2.0 on is read; pre-releases and respins are not. The output depends on the tags
alone: the same clone gives the same bytes under any python from 3.8 on.

For each function of the sync daemon the table holds its first and last line, and for each
logging call in it the line that the log shows. That line depends on the interpreter which ran
gsyncd: python 3.8 and later report the line where the call starts, older ones (2.7 too) the line
where its last operand starts. Where the two differ both are recorded, as FIRST/LAST.

Most edits move a function without changing it, so a row is a function with its number of lines
and its calls counted from its first line (0 is the `def`), then each place where it ever stood.

Sources written for python 2 are made readable for python 3 without moving any line; a source
which still does not parse stops the script.
"""

import ast
import re
import subprocess
import sys

OLDEST = (3, 2, 0)
FOLDERS = ("geo-replication/syncdaemon", "xlators/features/marker/utils/syncdaemon")
LOGGING = {"debug", "info", "warn", "warning", "error", "exception", "critical", "fatal", "log"}
SCOPES = {
    ast.Module: "<module>",
    ast.Lambda: "<lambda>",
    ast.GeneratorExp: "<genexpr>",
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
}
PYTHON2 = (
    (re.compile(r"\bexcept ([^:#\n]+?), *(\w+):"), r"except (\1) as \2:"),
    (re.compile(r"^( *)print (?!\()(.+)$", re.M), r"\1print(\2)"),
    (re.compile(r"(?<![\w.])0([0-7]+)\b(?!\.)"), r"0o\1"),
)


def releases(git):
    """The final releases in release order: (numbers, tag, name)."""
    found = []
    for tag in git("tag").split():
        match = re.fullmatch(r"v(\d+)\.(\d+)(?:\.(\d+))?", tag)
        if match:
            numbers = tuple(int(part or 0) for part in match.groups())
            if numbers >= OLDEST:
                found.append((numbers, tag, tag[1:]))
    return sorted(found)


def sources(git, tag):
    """The daemon's modules in one release: (module, blob)."""
    for line in git("ls-tree", "-r", f"refs/tags/{tag}", *FOLDERS).splitlines():
        head, path = line.split("\t")
        match = re.fullmatch(r".*/(\w+)\.py(?:\.in)?", path)
        if match:
            yield match[1], head.split()[2]


def parse(text):
    """The syntax tree, on the lines of the text."""
    try:
        return ast.parse(text)
    except SyntaxError:
        text = text.expandtabs(8)
        for pattern, replacement in PYTHON2:
            text = pattern.sub(replacement, text)
        return ast.parse(text)


def last_operand(node):
    """The line where the last operand of an expression starts, as older compilers count it."""
    line = getattr(node, "lineno", 0)
    for child in ast.iter_child_nodes(node):
        if type(child) not in SCOPES:
            line = max(line, last_operand(child))
    return line


def is_logging(node):
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "logging"
        and node.func.attr in LOGGING
    )


def functions(text):
    """The functions of a module: ((name, number of lines, its logging calls), first line)."""
    found = []

    def visit(node, first, calls):
        if is_logging(node):
            calls.append((node.lineno - first, last_operand(node) - first))
        name = SCOPES.get(type(node))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name = node.name
        if name:
            first = getattr(node, "lineno", 1)
            last = getattr(node, "end_lineno", text.count("\n"))
            calls = []
            found.append((name, last - first + 1, calls, first))
        for child in ast.iter_child_nodes(node):
            visit(child, first, calls)

    visit(parse(text), 1, [])
    return [((name, size, tuple(sorted(calls))), first) for name, size, calls, first in found]


def ranges(indices, names):
    """Release indices as text: runs of consecutive releases."""
    runs = []
    for index in sorted(indices):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    texts = (names[a] if a == b else f"{names[a]}..{names[b]}" for a, b in runs)
    return ",".join(texts)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)

    def git(*args):
        command = ["git", "-C", sys.argv[1], *args]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()

    order = releases(git)
    read, table = {}, {}
    for index, (_, tag, _) in enumerate(order):
        for module, blob in sources(git, tag):
            if blob not in read:
                read[blob] = functions(git("cat-file", "blob", blob))
            for function, first in read[blob]:
                places = table.setdefault(module, {}).setdefault(function, {})
                places.setdefault(first, set()).add(index)

    names = [name for _, _, name in order]
    print("# Where gsyncd's functions and logging calls stand in each GlusterFS release.")
    print("# Source: the release tags of https://github.com/gluster/glusterfs")
    print("# Regenerate: tests/tools/release-table.py CLONE > src/format/releases.tsv")
    print("# Rows, below their module: function, number of lines, logging calls counted from the")
    print("# first line (A/B: A under python 3.8 and later, B before), first line:releases ...")
    print("releases", *names)
    for module, rows in sorted(table.items()):
        print(module)
        for (name, size, calls), places in sorted(rows.items()):
            lines = " ".join(str(a) if a == b else f"{a}/{b}" for a, b in calls)
            stands = (f"{first}:{ranges(places[first], names)}" for first in sorted(places))
            print("", name, size, lines, " ".join(stands), sep="\t")


if __name__ == "__main__":
    main()

"""The quick start and the tutorial, typed literally into an empty environment: `python -m tests.release.newcomer`."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

from tests.pages.page import run_here
from tests.pages.test_pages import TUTORIAL
from tests.pages.typist import Shell
from tests.project.tree import ROOT
from tests.release.environment import build, fresh

PAGES = (ROOT / "README.md", TUTORIAL)


def main() -> int:
    """Build, install as the tutorial says, type both pages, and return 1 when something else comes out."""
    (install,) = re.findall(r"^```bash\npip install (.*)\n```$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE)
    wrong = 0
    with tempfile.TemporaryDirectory() as base:
        built = build(Path(base, "dist"))
        programs = fresh(Path(base, "venv"), built["wheel"].parent, *shlex.split(install))
        os.environ["NEBULA_CACHE"] = ":memory:"
        for page in PAGES:
            folder = Path(base, page.stem)
            folder.mkdir()
            os.chdir(folder)
            shown = page.read_text(encoding="utf-8")
            typed = run_here(shown, Shell(programs))
            sys.stdout.writelines(
                difflib.unified_diff(shown.splitlines(True), typed.splitlines(True), page.name, "typed")
            )
            same = shown == typed
            print(f"{page.name}: {'as shown' if same else 'something else came out'}")
            wrong += not same
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

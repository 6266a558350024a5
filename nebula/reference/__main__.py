"""`python -m nebula.reference docs` writes every generated page below `docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from nebula.reference.pages import write_pages

if __name__ == "__main__":
    for page in write_pages(Path(sys.argv[1])):
        sys.stderr.write(f"wrote {page}\n")

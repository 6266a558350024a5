"""Pictures for the pages: terminal views as SVG, the exported page in Chromium as PNG, at a phone's width and a desk's.

Run by `make screenshots`. Every view is also measured in the browser: one that is wider than the window fails.
"""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from statsmodels.datasets import randhie

IMAGES = Path(__file__).resolve().parents[1] / "images"
WIDTHS = {"phone": 360, "wide": 1280}
MOST_BYTES = 300_000
COLUMNS = 100
_TRIES = 3
PAGES = ("tutorial", "which-loss", "cli", "python-api", "losses", "reference/facts")
VIEWS = {
    "select": ("select visits.csv --target mdvis --prediction-shape N,1", 40, 0),
    "profile": ("profile visits.csv --target mdvis", 24, 0),
    "tree": ("explain visits.csv --target mdvis --prediction-shape N,1 --tree", 8, 16),
}
_FRAME = """<!doctype html><body style="margin:0"><iframe id="f" src="{page}"
style="border:0;width:{width}px;height:{height}px"></iframe><pre id="told"></pre><script>
const f = document.getElementById("f");
f.onload = () => {{ const d = f.contentDocument.documentElement;
  document.getElementById("told").textContent = `${{f.contentWindow.innerWidth}} ${{d.scrollWidth}}`; }};
</script></body>"""


def typed(command: str) -> str:
    """What a command shows on a terminal of 100 columns, with its colours."""
    shown = io.BytesIO()

    def read(terminal: int) -> bytes:
        part = os.read(terminal, 65536)
        shown.write(part)
        return b"\n" if part else b""

    os.environ |= {"COLUMNS": str(COLUMNS), "LINES": "200", "TERM": "xterm-256color", "NEBULA_CACHE": ":memory:"}
    kept = os.dup(1)
    with tempfile.TemporaryFile() as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            pty.spawn(["bash", "-c", f"{sys.executable} -m nebula.cli.main {command} 2>/dev/null"], read)
        finally:
            os.dup2(kept, 1)
            os.close(kept)
    return shown.getvalue().decode().replace("\r\n", "\n")


def picture(name: str, command: str, first: int, last: int) -> Path:
    """The first and last lines of a terminal view as an SVG that asks no server for its font."""
    lines = typed(command).rstrip().split("\n")
    lines = [*lines[:first], "⋮", *lines[-last:]] if last else lines[:first]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line.rstrip()), soft_wrap=False)
    svg = console.export_svg(title=f"nebula {command}", theme=MONOKAI, unique_id=name)
    path = IMAGES / f"{name}.svg"
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8")
    return path


def browse(page: Path, width: int, height: int, png: Path | None = None) -> tuple[int, int]:
    """Show a page in Chromium in a frame of this width; return the window's width and the content's.

    Raises:
        RuntimeError: Chromium did not say what it measured.
    """
    frame = page.parent / f"frame-{width}.html"
    frame.write_text(_FRAME.format(page=page.as_uri(), width=width, height=height), encoding="utf-8")
    size = ["--allow-file-access-from-files", f"--window-size={max(width, 500)},{height}"]
    told = _chromium("--virtual-time-budget=3000", "--dump-dom", *size, frame.as_uri())
    measured = re.search(r'id="told">(\d+) (\d+)<', told)
    if measured is None:
        raise RuntimeError(f"expected Chromium to measure {page.name}, found nothing")
    if png is not None:
        _chromium(f"--screenshot={png}", *size, frame.as_uri())
        Image.open(png).crop((0, 0, width, height)).convert("P", palette=Image.Palette.ADAPTIVE, colors=32).save(
            png, optimize=True
        )
    return int(measured[1]), int(measured[2])


def _chromium(*arguments: str) -> str:
    """What Chromium prints; a run that hangs, as happens on a busy machine, is ended and tried again."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return _run_once(arguments)
    return _run_once(arguments)


def _run_once(arguments: tuple[str, ...]) -> str:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={profile}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def main() -> int:
    """Write every picture, and return 1 when a page is wider than its window or the pictures are too large."""
    IMAGES.mkdir(exist_ok=True)
    site = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        randhie.load_pandas().data.to_csv("visits.csv", index=False)
        for name, (command, first, last) in VIEWS.items():
            picture(name, command, first, last)
        typed("select visits.csv --target mdvis --prediction-shape N,1 --audit log.jsonl")
        typed("audit export log.jsonl last --out decision.html")
        shown = {f"trace-{name}": (Path(folder, "decision.html"), name) for name in WIDTHS}
        for page in PAGES if site else ():
            shown |= {f"{page} {name}": (site / page / "index.html", name) for name in WIDTHS}
        for title, (page, name) in shown.items():
            png = IMAGES / f"{title}.png" if title.startswith("trace-") else None
            window, content = browse(page, WIDTHS[name], 900, png)
            print(f"{title}: window {window}, content {content}")
            wrong += [title] if content > window or window != WIDTHS[name] else []
    size = sum(path.stat().st_size for path in IMAGES.iterdir())
    print(f"{size:,} bytes of pictures; wider than the window: {wrong or 'none'}")
    return int(bool(wrong) or size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())

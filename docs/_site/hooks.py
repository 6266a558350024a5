"""What the site needs beyond the pages: links that leave `docs/` lead to the repository."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"(\]\()(\.\./[^)\s]+)(\))")


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Return the page with each relative link to a file outside `docs/` as an address of the repository.

    Args:
        markdown: The page's text.
        page: The page; its place decides what a relative link means.
        config: The site's settings; `repo_url` is the repository's address.
        files: All files of the site.
    """

    def outward(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page.file.src_uri), link[2]))
        if target.startswith("docs/"):
            return link[0]
        return f"{link[1]}{config.repo_url}/blob/main/{target}{link[3]}"

    return _LINK.sub(outward, markdown)

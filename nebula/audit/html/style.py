"""How the page looks: one column on a phone, black on white on paper."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{--ink:#1c1f24;--soft:#5c6470;--line:#d8dce2;--yes:#14724a;--no:#a3302a;--open:#8a6100;--mark:#2f5fa8}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1rem;color:var(--ink);background:#fff;
 font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
p,dl{margin:.5rem 0}
code{font:.875em ui-monospace,monospace}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.15rem 1rem}
dt{color:var(--soft)}
dd{margin:0}
table{width:100%;border-collapse:collapse;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}
.true,.fired{color:var(--yes)}.false{color:var(--no)}.unknown{color:var(--open)}
.fired{font-weight:700}
.plots{display:flex;flex-wrap:wrap;gap:1rem}
figure{margin:0;flex:1 1 16rem;max-width:28rem}
figcaption,.soft{color:var(--soft);font-size:.85rem}
svg{width:100%;height:auto;display:block}
ul{margin:.25rem 0;padding-left:1.1rem}
@media(max-width:40rem){
 thead{display:none}
 tr{display:block;border-bottom:2px solid var(--line);padding:.4rem 0}
 td{display:block;border:0;padding:.1rem 0}
 td[data-name]:before{content:attr(data-name) ": ";color:var(--soft)}
}
@media print{
 @page{margin:15mm}
 body{max-width:none;padding:0;font-size:10pt}
 h2{break-after:avoid}
 tr,figure{break-inside:avoid}
 thead{display:table-header-group}
}
"""

"""How the page looks: one column on a phone, black on white on paper."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{--ink:#1c1f24;--soft:#5c6470;--line:#d8dce2;--tint:#eef6f1;--yes:#14724a;--no:#a3302a;--open:#8a6100}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1rem;color:var(--ink);background:#fff;
 font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
p,dl{margin:.5rem 0}
code{font:.875em ui-monospace,monospace}
.badge{font-size:.8rem;font-weight:600;vertical-align:middle;white-space:nowrap;padding:.1rem .6rem;
 border:1px solid;border-radius:1rem}
.decided{color:var(--yes)}.provisional,.ambiguous{color:var(--open)}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.15rem 1rem}
dt{color:var(--soft)}
dd{margin:0}
table{width:100%;border-collapse:collapse;font-size:.875rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}
.verdict,.loss,.fact,.unit,.is,.threshold,.away{overflow-wrap:normal}
th.rule{width:32%}th.comparisons{width:48%}
.soft code{color:var(--soft)}
.true,.fired{color:var(--yes)}.false{color:var(--no)}.unknown{color:var(--open)}
.fired{font-weight:700}
tr:has(.fired){background:var(--tint)}
.comparison{display:grid;grid-template-columns:1fr 7rem;gap:0 .75rem;align-items:center;padding:.1rem 0}
.comparison>:first-child:last-child{grid-column:1/-1}
.plots{display:flex;flex-wrap:wrap;gap:1rem 1.5rem}
figure{margin:0;flex:1 1 16rem;max-width:22rem;font-size:.9rem}
figcaption,.soft{color:var(--soft);font-size:.9em}
svg{width:100%;height:auto;display:block}
ul{margin:.25rem 0;padding-left:1.1rem}
.other{margin:.75rem 0;font-size:.875rem}
@media(max-width:40rem){
 thead{display:none}
 tr{display:block;border-bottom:2px solid var(--line);padding:.4rem .25rem}
 td{display:block;border:0;padding:.1rem 0}
 td:empty{display:none}
 td:not(.rule):not(.comparisons):before{content:attr(data-name) ": ";color:var(--soft)}
 .comparison{grid-template-columns:1fr 5rem}
}
@media print{
 @page{margin:14mm}
 html{font-size:9pt}
 body{max-width:none;padding:0;font-size:1rem;line-height:1.35}
 h2{break-after:avoid;margin-top:1.2rem}
 figure{flex-basis:12rem;max-width:17rem}
 th,td{padding:.15rem .35rem}
 tr,figure,.other{break-inside:avoid}
 thead{display:table-header-group}
 *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""

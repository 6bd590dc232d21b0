"""The report's style sheet. Colours are named once; a test computes the contrast of every pair that is used."""

from __future__ import annotations

PALETTE: dict[str, str] = {
    "ink": "#17202a",
    "soft": "#47525e",
    "paper": "#ffffff",
    "tint": "#f1f4f7",
    "rule": "#c3ccd5",
    "deep": "#14304a",
    "on-deep": "#ffffff",
    "soft-on-deep": "#d7e2ec",
    "link": "#0b4a7d",
    "warn": "#7a1714",
    "warn-tint": "#fbf0ef",
    "good": "#12456b",
}

TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("ink", "paper"),
    ("ink", "tint"),
    ("ink", "warn-tint"),
    ("soft", "paper"),
    ("soft", "tint"),
    ("soft", "warn-tint"),
    ("on-deep", "deep"),
    ("soft-on-deep", "deep"),
    ("link", "paper"),
    ("link", "tint"),
    ("warn", "paper"),
    ("warn", "warn-tint"),
    ("good", "paper"),
    ("good", "tint"),
)
"""Text colour on background colour, as the rules below combine them."""

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:auto}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Liberation Sans",Arial,sans-serif}
.defs{position:absolute}
.skip{position:absolute;left:-99rem;top:0;padding:.75rem 1rem;background:var(--paper);color:var(--link);z-index:2}
.skip:focus{left:.5rem;top:.5rem;outline:3px solid var(--link)}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.sheet{max-width:68rem;margin:0 auto;padding:0 1.5rem}
.masthead{background:var(--deep);color:var(--on-deep);padding:2rem 0 1.75rem;print-color-adjust:exact;
-webkit-print-color-adjust:exact}
.masthead p{margin:0;color:var(--soft-on-deep)}
.masthead .owner{font-weight:600;letter-spacing:.01em}
h1{font-size:clamp(1.6rem,1.1rem + 2.2vw,2.5rem);line-height:1.18;margin:.6rem 0 .7rem;font-weight:700;
max-width:26em;text-wrap:balance}
h2{font-size:1.5rem;line-height:1.25;margin:0 0 .6rem;font-weight:700;text-wrap:balance}
h3{font-size:1.1rem;margin:1.6rem 0 .4rem}
section{padding:2.1rem 0 1.6rem;border-top:1px solid var(--rule)}
section:first-of-type{border-top:0}
p,ul,ol,dl{margin:0 0 1rem}
section>p,section>ul,section>ol{max-width:46rem}
.lead{font-size:1.1rem}
.note{color:var(--soft);font-size:.94rem}
.answer{display:grid;grid-template-columns:1.5fr 1fr 1fr;gap:1rem;margin:1.25rem 0 1.6rem;padding:0;list-style:none;
max-width:none!important}
.answer li{background:var(--tint);padding:1rem 1.15rem 1.05rem;border-top:4px solid var(--good);
print-color-adjust:exact;-webkit-print-color-adjust:exact}
.answer li.open{background:var(--warn-tint);border-color:var(--warn)}
.answer li.all{border-color:var(--soft)}
.answer b{display:block;font-size:2.1rem;line-height:1.15;font-weight:700;font-variant-numeric:tabular-nums}
.answer .open b{color:var(--warn)}
.answer .good b{color:var(--good)}
.answer span{display:block;color:var(--soft)}
.answer strong{display:block}
dl.facts{display:grid;grid-template-columns:minmax(9rem,15rem) 1fr;gap:.45rem 1.25rem}
dl.facts dt{color:var(--soft)}
dl.facts dd{margin:0;min-width:0}
dl.facts ul{margin:0;padding-left:1.1rem}
nav{background:var(--tint);font-size:.92rem}
nav ul{display:flex;flex-wrap:wrap;gap:.15rem 1.35rem;list-style:none;margin:0;padding:.65rem 0}
nav a{display:inline-block;padding:.2rem 0}
.bar{display:block;width:100%;height:2.75rem;margin:.4rem 0 1.1rem}
.bar.small{height:1.15rem;margin:.15rem 0 0;min-width:8rem}
.bar.slim{display:none}
.swatch{width:1.6rem;height:1.05rem;vertical-align:-.15rem;margin-right:.5rem;flex:none}
thead .swatch{display:block;margin:0 0 .3rem auto}
.lines{display:block;width:100%;height:auto;margin:.5rem 0 1rem}
.lines.slim{display:none}
.lines text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
.lines .tick{fill:var(--soft)}
.lines .series{font-weight:600}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.25rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:0 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .7rem;border-bottom:1px solid var(--rule);
overflow-wrap:break-word}
tbody tr:last-child>*{border-bottom:0}
.totals tbody tr:last-child>*{border-top:2px solid var(--soft);font-weight:600}
figure{margin:0}
figcaption{color:var(--soft);font-size:.94rem}
th:first-child,td:first-child{padding-left:0}
thead th{border-bottom:2px solid var(--soft);color:var(--soft);font-weight:600;font-size:.92rem;vertical-align:bottom;
overflow-wrap:normal}
tbody th{font-weight:600;min-width:8.5rem}
td.number,th.number{text-align:right}
td.number,td.date,th.number:has(.swatch){white-space:nowrap}
td.picture,th.picture{width:26%}
td ul{margin:0;padding-left:1.1rem}
code,.hash{font-family:ui-monospace,"Cascadia Mono","Liberation Mono",Menlo,Consolas,monospace;font-size:.86rem}
.hash{overflow-wrap:anywhere}
pre{background:var(--tint);padding:.8rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0 1rem}
footer{border-top:1px solid var(--rule);padding:1.25rem 0 2.5rem;color:var(--soft);font-size:.94rem}
@media screen and (max-width:60rem){
table.wide caption{display:block}
table.wide,table.wide tbody,table.wide tr,table.wide td,table.wide tbody th{display:block;width:auto}
table.wide thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.wide tr{border-bottom:1px solid var(--rule);padding:.65rem 0}
table.wide td,table.wide tbody th{border:0;padding:.15rem 0;text-align:left;white-space:normal}
table.wide td::before{content:attr(data-label) " ";color:var(--soft);display:block;font-size:.88rem;
font-family:system-ui,sans-serif}
table.wide td.number,table.wide td.date,table.wide td.word{display:flex;justify-content:space-between;gap:1rem;
max-width:24rem}
}
@media screen and (max-width:38rem){
.sheet{padding:0 1rem}
.masthead{padding:1.4rem 0 1.25rem}
.answer{grid-template-columns:1fr 1fr;gap:.6rem}
.answer .good{grid-column:1/-1}
.answer li{padding:.75rem .9rem}
.answer b{font-size:1.75rem}
nav ul{gap:.1rem 1rem}
dl.facts{grid-template-columns:1fr;gap:.1rem}
dl.facts dd{margin-bottom:.7rem}
.lines,.bar.wide{display:none}
.lines.slim,.bar.slim{display:block}
table.narrow caption{display:block}
table.narrow,table.narrow tbody,table.narrow tr,table.narrow td,table.narrow tbody th{display:block;width:auto}
table.narrow thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.narrow tr{border-bottom:1px solid var(--rule);padding:.65rem 0}
table.narrow td,table.narrow tbody th{border:0;padding:.15rem 0;text-align:left;white-space:normal}
table.narrow td.number,table.narrow td.word{display:flex;justify-content:space-between;gap:1rem}
table.narrow td::before{content:attr(data-label) " ";color:var(--soft);font-size:.92rem}
table.narrow td.text::before,table.narrow td.picture::before{display:block}
.totals tbody tr:last-child>*{border-top:0}
.totals tbody tr:last-child{border-top:2px solid var(--soft)}
.bar.small{height:1.5rem;margin:.2rem 0}
}
@media print{
@page{size:letter;margin:1.6cm 1.5cm}
html{font-size:9.6pt}
body{line-height:1.42}
.sheet{max-width:none;padding:0}
.masthead{padding:.7cm .7cm .6cm}
.skip,nav{display:none}
h1{font-size:20pt}
h2{font-size:13.5pt}
h2,h3,caption,thead,figcaption{break-after:avoid}
table.short{break-inside:avoid}
tbody tr:first-child{break-before:avoid}
td.picture{width:4.5cm}
tr:has(li){break-inside:auto}
section>p{break-after:avoid}
section{padding:.55cm 0 .2cm}
.answer{grid-template-columns:1.5fr 1fr 1fr}
.answer b{font-size:19pt}
.answer .good{grid-column:auto}
.bar{height:.8cm}
.bar.small{height:.36cm;min-width:3cm}
p,tr,li,pre,.answer,.lines,.bar,.keep,dl.facts dd,dl.facts dt{break-inside:avoid}
thead{display:table-header-group}
th,td{padding:.14cm .2cm}
footer{padding:.3cm 0 0}
.lines,.bar.wide{display:block;max-height:8cm}
.lines.slim,.bar.slim{display:none}
body{orphans:3;widows:3}
a{color:inherit;text-decoration:none}
}
"""


def style_sheet() -> str:
    """The whole sheet, with the palette as custom properties."""
    colours = "".join(f"--{name}:{value};" for name, value in PALETTE.items())
    return f":root{{color-scheme:light;{colours}}}{_RULES}"

"""The assessment page's own rules, after the house's style sheet (``page.style``); colours come from its palette."""

from __future__ import annotations

from proscribe.page.style import style_sheet as house_sheet

_RULES = """
body{overflow-wrap:anywhere}
.masthead{padding:1.3rem 0 1.2rem}
.masthead h1{margin:.35rem 0 .4rem;max-width:34em}
.masthead code{color:inherit}
main section:first-child{padding-top:1.4rem}
.front{display:grid;grid-template-columns:minmax(0,1fr) 24rem;grid-template-rows:auto 1fr;gap:0 2.5rem;
align-items:start}
.front .map{grid-column:2;grid-row:1/3}
.front h3{margin:0 0 .35rem}
.reading dl.facts{grid-template-columns:minmax(7rem,10rem) 1fr}
.front .words>ul{margin-bottom:1.2rem}
.telling span{color:var(--soft)}
.telling .more{list-style:none}
.words .lead{margin-bottom:.5rem;font-weight:600}
.over{margin:0 0 .3rem;color:var(--soft);font-size:.94rem}
.scale{display:grid;grid-template-columns:repeat(4,1fr);list-style:none;margin:0 0 1.3rem;padding:0;gap:3px}
.scale li{background:var(--tint);border-top:6px solid var(--rule);padding:.4rem .6rem .45rem;color:var(--soft);
print-color-adjust:exact;-webkit-print-color-adjust:exact;overflow-wrap:normal}
.scale .here{border-color:var(--deep);background:var(--deep);color:var(--on-deep);font-size:1.15rem;line-height:1.3}
.scale .here span{display:block;font-size:.88rem;color:var(--soft-on-deep)}
.unseen{background:var(--warn-tint);border-left:5px solid var(--warn);padding:.9rem 1.1rem .1rem;margin:0 0 1.3rem;
print-color-adjust:exact;-webkit-print-color-adjust:exact}
.unseen h3{color:var(--warn)}
.unseen ul,.words>ul{padding-left:1.15rem}
.unseen ul{margin-bottom:.8rem}
.alarm{border:3px solid var(--warn);padding:.8rem 1rem 0;margin:0 0 1.3rem;color:var(--warn);font-weight:600}
.open{color:var(--warn);font-weight:600}
.map{max-width:24rem;justify-self:center;width:100%}
nav.contents{margin:0 0 .5rem}
nav.contents ul{padding:.65rem 1rem}
svg.phone{display:block;width:100%;height:auto;margin:0 0 1rem;print-color-adjust:exact;
-webkit-print-color-adjust:exact}
.phone text,.countries text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,
sans-serif}
.phone text.label{font-weight:700;font-size:11.5px}
.countries text.label{font-weight:700}
.phone text.head{font-weight:700;font-size:13px;fill:var(--soft)}
.phone text.count{font-weight:700;font-size:31px;fill:var(--ink)}
.phone text.what{font-size:14px;fill:var(--ink)}
.phone .body{fill:var(--tint);stroke:var(--ink);stroke-width:4}
.phone .ear{fill:var(--ink)}
.phone .icon{stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.tile{stroke:var(--ink);stroke-width:1}
.tile.empty,.tile.withheld{stroke:var(--soft);stroke-dasharray:4 3}
.legend{list-style:none;padding:0;margin:0;font-size:.88rem;line-height:1.4}
.legend li{display:flex;gap:.7rem;align-items:center;padding:.15rem 0}
.legend b{color:var(--ink)}
.sample{width:2.9rem;height:1.7rem;flex:none;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.legend .mark{width:2.9rem;height:1.7rem;flex:none;margin:0}
.mark{width:1.35rem;height:1rem;vertical-align:-.12rem;margin-right:.3rem}
td .mark:first-child{margin-left:-.1rem}
.actor{display:inline-block;margin-right:.6rem}
.countries{display:block;width:100%;max-width:32rem;height:auto;margin:.3rem 0 1.4rem;border:2px dashed var(--soft);
padding:.8rem 1rem}
.box{border:2px solid var(--deep);padding:1.1rem 1.25rem .2rem;margin:0 0 1rem}
.finding{border-top:1px solid var(--rule);padding-top:.3rem;margin-top:1.4rem}
.finding:first-of-type{border-top:0}
.brief{display:flex;flex-wrap:wrap;gap:.1rem 1.4rem;margin:0 0 .5rem;font-size:.94rem}
.brief dt{display:inline;color:var(--soft)}
.brief dt::after{content:": "}
.brief dd{display:inline;margin:0}
:lang(fr) .brief dt::after{content:"\\a0: "}
.finding p{margin:0 0 .5rem}
.finding table{font-size:.94rem;table-layout:fixed}
.finding thead th:nth-child(1){width:13%}
.finding thead th:nth-child(4){width:10%}
.finding thead th:nth-child(5){width:17%}
.finding caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
main .finding tbody th,main .finding td{min-width:0}
section h2:target,h3:target{outline:3px solid var(--link);outline-offset:4px}
.part{font-size:.92rem;color:var(--soft);margin:0 0 .2rem;font-weight:600}
tbody th .hash{font-weight:400}
.to{white-space:nowrap}
section[aria-labelledby=access] thead th:nth-child(2){width:21%}
section[aria-labelledby=access] thead th:nth-child(3){width:19%}
main td,main tbody th{overflow-wrap:anywhere}
main td{min-width:4.6rem}
main td.number{min-width:0}
caption{overflow-wrap:normal}
@media screen and (max-width:60rem){
.front{display:block}
.front .map{margin:0 auto 1rem}
table.wide td.word{max-width:none;justify-content:flex-start}
}
@media screen and (max-width:38rem){
.scale li{padding:.35rem .4rem;font-size:.82rem}
.scale .here{font-size:.9rem}
.reading dl.facts{grid-template-columns:1fr}
.box{padding:.8rem .9rem .1rem}
}
@media print{
@page{size:auto}
.masthead{padding:.5cm .6cm .45cm}
.front{grid-template-columns:minmax(0,1fr) 6.9cm;gap:0 .7cm}
.map{break-inside:avoid}
.front .reading{display:contents}
.front .map{grid-row:1/3}
.reading dl.facts{grid-column:1;grid-row:2;grid-template-columns:2.6cm 1fr}
.reading h3,.legend{grid-column:1/-1}
.telling .more{display:none}
.legend{font-size:7.5pt;line-height:1.2;columns:2;column-gap:.8cm}
.legend li{break-inside:avoid}
.legend li{padding:.03cm 0}
.finding table,.appendix table,.brief,.finding .note{font-size:8pt}
.finding{margin-top:.3cm}
.finding table{margin:.05cm 0 .1cm}
.finding .hash{font-size:6.4pt;line-height:1.2}
.finding h3{margin:.2cm 0 .05cm}
.finding p,.brief{margin:0 0 .05cm}
.appendix th,.appendix td{padding:.07cm .15cm}
.finding h3{break-after:avoid}
.countries{max-width:11cm}
.scale,.unseen{break-inside:avoid}
table.wide,dl.facts dd:has(li){break-inside:auto}
.box dl.facts{display:block}
.box dl.facts dd{margin:0 0 .25cm}
}
"""


def style_sheet() -> str:
    """The house's sheet, then the page's own."""
    return house_sheet() + _RULES

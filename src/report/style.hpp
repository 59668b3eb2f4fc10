// The look of the page: one column to read, tables that scroll, two colour schemes, and paper.
#pragma once

#include <string_view>

namespace espalier::report {

inline constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--paper:#fcfcfa;--card:#ffffff;--ink:#1f2328;--soft:#59636e;
--line:#e2e4df;--accent:#1f7a4d;--tint:#eaf4ee;--bar:#2a9161;--warn:#9a4a0b}
@media(prefers-color-scheme:dark){:root{--paper:#121518;--card:#181c21;--ink:#e6e9ec;--soft:#9aa4ae;
--line:#2c323a;--accent:#5cc391;--tint:#17291f;--bar:#3fa274;--warn:#e6a06a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:3.5rem}
.kicker{margin:0;color:var(--accent);font-size:.8125rem;font-weight:600;letter-spacing:.06em;
text-transform:uppercase}
h1{margin:.15rem 0 .5rem;font-size:2.125rem;line-height:1.2;letter-spacing:-.015em;
overflow-wrap:anywhere}
.lead{margin:0;color:var(--soft);max-width:46rem}
nav{margin:1.75rem 0 0;padding:.6rem 0;border:solid var(--line);border-width:1px 0}
nav ul{display:flex;flex-wrap:wrap;gap:.1rem 1.4rem;margin:0;padding:0;list-style:none;
font-size:.9375rem}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:.18em}
nav a{text-decoration:none}
nav a:hover,nav a:focus-visible{text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:2px}
section{margin:3.25rem 0}
h2{margin:0 0 .75rem;font-size:1.375rem;line-height:1.3;letter-spacing:-.01em}
h3{margin:2rem 0 .5rem;font-size:1.0625rem;line-height:1.4}
p{margin:.6rem 0;max-width:46rem}
.note,figcaption{color:var(--soft);font-size:.875rem;max-width:46rem}
.num{font-variant-numeric:tabular-nums}
.range,.sub{display:block;font-weight:400;color:var(--soft);font-size:.8125rem;white-space:nowrap}
.mark{color:var(--soft);font-size:.75rem}
.bad{color:var(--warn)}
.picks{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1rem;margin:1rem 0;
padding:0;list-style:none}
.picks li{padding:1rem 1.25rem 1.1rem;background:var(--card);border:1px solid var(--line);
border-radius:.6rem}
.picks b{display:block;font-size:1.25rem;line-height:1.3}
.picks .what{color:var(--soft);font-size:.875rem}
.picks .num{font-weight:600}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;min-width:100%;font-size:.9375rem;line-height:1.4}
th,td{padding:.55rem .65rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--line);
white-space:nowrap}
th:first-child,td:first-child,.left{text-align:left}
th:first-child,td:first-child{padding-left:.25rem}
thead th{color:var(--soft);font-size:.8125rem;font-weight:500;vertical-align:bottom;
border-bottom-color:var(--soft)}
tbody th{font-weight:600;min-width:8.5rem;max-width:16rem;white-space:normal;overflow-wrap:break-word}
th.label{max-width:9rem;white-space:normal;overflow-wrap:break-word}
td.wide{white-space:normal;text-align:left;min-width:20rem}
tr.reference{background:var(--tint)}
.widths{display:block;height:4px;margin:.15rem 0 .35rem;background:var(--line);border-radius:2px;
overflow:hidden;min-width:5.5rem}
.widths i{display:block;height:100%;background:var(--bar)}
.chart{margin:1.5rem 0 2rem}
.chart .scroll{margin:0}
.chart svg{display:block;width:100%;min-width:34rem;max-width:56rem;height:auto}
.chart svg .back{fill:transparent}
.chart svg .hollow{fill:var(--paper)}
.chart svg .name{stroke:var(--paper)}
.chart svg text{fill:var(--ink)}
.small{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1rem 2rem}
.small h3{margin:.75rem 0 0}
.small .scroll{margin:.5rem 0}
.tiles{display:flex;flex-wrap:wrap;gap:.75rem .5rem}
.tiles .chart{margin:0}
.tiles .chart svg{width:auto;min-width:0}
.confusion td{text-align:right;border:1px solid var(--line)}
.confusion td.right{background:var(--tint);font-weight:600}
.reason{margin:1.25rem 0 .25rem;color:var(--soft);font-size:.875rem}
.words{display:flex;flex-wrap:wrap;gap:.5rem .35rem;max-width:none;margin:.25rem 0 1rem}
.word{display:inline-flex;flex-direction:column;text-align:center;font-size:.9375rem;line-height:1.35}
.word i{padding:0 .3rem;font-style:normal;font-size:.75rem}
.word i .num{white-space:nowrap}
.for1{background:rgba(42,145,97,.15)}.for2{background:rgba(42,145,97,.3)}
.for3{background:rgba(42,145,97,.45)}.for4{background:rgba(42,145,97,.6)}
.against1{background:rgba(214,110,30,.15)}.against2{background:rgba(214,110,30,.3)}
.against3{background:rgba(214,110,30,.45)}.against4{background:rgba(214,110,30,.6)}
details{margin:.75rem 0;border-top:1px solid var(--line);padding-top:.6rem}
summary{cursor:pointer;font-weight:600;overflow-wrap:anywhere}
summary .sub{display:inline;font-weight:400;white-space:normal}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.5rem;margin:1rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
@media(max-width:40rem){dl{display:block}dt{margin-top:.6rem}h1{font-size:1.7rem}
header{padding-top:2rem}}
pre{margin:.75rem 0;padding:.9rem 1.1rem;overflow-x:auto;background:var(--card);
border:1px solid var(--line);border-radius:.5rem;font:.8125rem/1.6 ui-monospace,SFMono-Regular,
Menlo,Consolas,monospace}
footer{padding-top:1.5rem;padding-bottom:3.5rem;color:var(--soft);font-size:.875rem}
@media print{body{font-size:10.5pt;background:none}nav{display:none}section{margin:1.5rem 0}
.scroll{overflow:visible}.chart,tr,.picks li{break-inside:avoid}details>*{display:block}}
)";

}  // namespace espalier::report

/* SPDX-License-Identifier: MIT */
/* report/page_style.c - how the page looks: the pictures' palette as CSS variables, light and dark. */
#include <math.h>

#include "report/page.h"

static const char rules[] =
    "*{box-sizing:border-box}"
    "html{-webkit-text-size-adjust:100%;text-size-adjust:100%}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,"
    "\"Helvetica Neue\",\"Noto Sans\",Arial,sans-serif}"
    "main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem;overflow-wrap:break-word}"
    "header{margin:0 0 1.5rem}"
    "a{color:var(--series0)}"
    "h1{font-size:1.8rem;line-height:1.2;font-weight:650;letter-spacing:-.01em;margin:0 0 .3rem}"
    "h2{font-size:1.2rem;line-height:1.3;font-weight:620;margin:2.75rem 0 .75rem;padding-top:1.25rem;"
    "border-top:1px solid var(--grid)}"
    "h3{font-size:.95rem;font-weight:620;margin:1.5rem 0 .4rem}"
    "p{margin:.5rem 0;max-width:44rem}"
    ".faint,figcaption,.kicker{color:var(--faint)}"
    "time{white-space:nowrap}.kicker{font-size:.85rem;margin:0 0 .2rem}"
    ".faint,figcaption{font-size:.9rem}"
    ".note{border-left:3px solid var(--series0);background:var(--low);padding:.6rem .9rem;margin:1rem 0;"
    "border-radius:0 .3rem .3rem 0;max-width:44rem}"
    ".note.warn{border-color:var(--series1)}.note ul{margin:.3rem 0 0;padding-left:1.2rem}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,13rem),1fr));gap:.75rem;"
    "margin:1rem 0}"
    ".card{border:1px solid var(--grid);border-radius:.5rem;padding:.8rem 1rem}"
    ".card b{display:block;font-size:1.7rem;line-height:1.25;font-weight:620;font-variant-numeric:tabular-nums}"
    ".card b small{font-size:1.15rem;font-weight:500}"
    ".card span{display:block;color:var(--faint);font-size:.85rem}"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1.5rem 2rem}"
    "figure{margin:0;max-width:30rem;min-width:0}"
    ".large{grid-template-columns:1fr}.large figure{max-width:36rem}"
    "figure h3{margin:.5rem 0 .25rem}"
    "figure svg{display:block;width:100%;height:auto}"
    "figure svg text{font-family:inherit;font-variant-numeric:tabular-nums}"
    "figure svg image{image-rendering:pixelated}"
    ".scroll{overflow-x:auto;margin:.75rem 0;max-width:100%}"
    ".long{max-width:46rem}.long .scroll{max-height:28rem;overflow-y:auto}"
    ".long thead th,.long thead td{position:sticky;top:0;background:var(--paper)}"
    ".scroll:focus-visible,summary:focus-visible{outline:2px solid var(--series0);outline-offset:2px}"
    "table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.32rem .7rem .32rem 0;text-align:left;vertical-align:baseline;"
    "border-bottom:1px solid var(--grid)}"
    "th:last-child,td:last-child{padding-right:.2rem}"
    "thead th{color:var(--faint);font-weight:500;font-size:.82rem;vertical-align:bottom}"
    "tbody th{font-weight:500}"
    "tr.sum td,tr.sum th{border-bottom:0;color:var(--faint)}"
    ".n{text-align:right;white-space:nowrap}.state{white-space:nowrap}"
    "table.wide{width:100%;max-width:44rem}"
    "td.bar{width:28%;vertical-align:middle}"
    "td.bar i{display:block;height:.55rem;border-radius:.15rem;background:linear-gradient(to right,"
    "var(--series0) "
    "calc(var(--v)*100%),var(--low) 0)}thead td.bar{padding:0}"
    "table.grid td,table.grid thead th{text-align:center;padding:.2rem .1rem}"
    "table.grid tbody th{padding-right:.5rem}table.grid thead th:first-child{text-align:left}"
    "table.grid thead th.up span{writing-mode:vertical-rl;transform:rotate(180deg);padding-top:.35rem;"
    "display:inline-block;max-height:9rem}"
    "table.confusion td{border:2px solid var(--paper);border-radius:.3rem;min-width:2.15rem;height:2.5rem;"
    "line-height:1.15;background:rgb(var(--high)/calc(var(--s)*.45));vertical-align:middle}"
    "table.confusion td small{color:inherit;font-size:.7rem;opacity:.85}"
    "table.confusion tbody th,table.confusion thead th{border:0;vertical-align:middle}"
    "table.confusion thead th{vertical-align:bottom}"
    "table.confusion td.hit{font-weight:650}"
    "table.counts td{min-width:2rem}"
    ".path{overflow-wrap:anywhere;min-width:8rem}"
    "td small,th small{display:block;color:var(--faint);font-weight:400}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:.75rem 0;font-size:.95rem}"
    "dt{color:var(--faint)}dd{margin:0;min-width:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}"
    "details{margin:1rem 0}summary{cursor:pointer;font-weight:550}"
    "pre{overflow-x:auto;background:var(--low);border:1px solid var(--grid);border-radius:.4rem;"
    "padding:.8rem 1rem;"
    "font:.82rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}"
    "footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--grid)}"
    "@media(max-width:30rem){table.spread td.bar{display:none}table{font-size:.85rem}th,td{padding-right:.5rem}"
    "dl:not(.short){grid-template-columns:1fr;gap:0}"
    "dl:not(.short) dd{margin-bottom:.45rem}table.counts td{min-width:1.75rem}"
    "table.confusion td{min-width:2.05rem;height:2.3rem}h1{font-size:1.5rem}}"
    "@media(min-width:48rem){table.confusion td{min-width:3.1rem;height:2.9rem}}"
    "@media print{.scroll,.long .scroll{overflow:visible;max-height:none}section{break-inside:avoid-page}}";

static int byte_of(double level) { return (int)lround(255 * level); }

static void variable(am_html h, am_color c) {
  am_html_printf(h, "--%s:#%02x%02x%02x;", c.name, (unsigned)byte_of(c.r), (unsigned)byte_of(c.g),
                 (unsigned)byte_of(c.b));
}

static void variables(am_html h, bool dark) {
  const am_palette *p = am_palette_of(dark);
  am_html_put(h, ":root{");
  variable(h, p->paper);
  variable(h, p->ink);
  variable(h, p->faint);
  variable(h, p->grid);
  variable(h, p->ramp_low);
  for (int i = 0; i < 6; i++) variable(h, p->series[i]);
  /* As three numbers, so that cells can take a share of it. */
  am_html_printf(h, "--%s:%d %d %d}", p->ramp_high.name, byte_of(p->ramp_high.r), byte_of(p->ramp_high.g),
                 byte_of(p->ramp_high.b));
}

void am_page_style(am_html h) {
  am_html_put(h, "<style>:root{color-scheme:light dark}");
  variables(h, false);
  am_html_put(h, "@media(prefers-color-scheme:dark){");
  variables(h, true);
  am_html_put(h, "}");
  am_html_put(h, rules); /* without < and &, so the page stays XML */
  am_html_put(h, "</style>");
}

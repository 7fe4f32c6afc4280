/* SPDX-License-Identifier: MIT */
/* report/recording.c - see recording.h. */
#include "report/recording.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"
#include "report/recording_parts.h"

static const char style[] =
    "<style>.strip{border:1px solid var(--grid);border-radius:.4rem}.strip svg{display:block}"
    ".strip text{font-family:inherit;pointer-events:none}.play,button{cursor:pointer}"
    ".player{position:sticky;top:0;z-index:1;background:var(--paper);padding:.5rem 0}audio{width:100%;display:block}"
    "button{font:inherit;font-variant-numeric:tabular-nums;color:var(--ink);background:var(--low);border:1px solid "
    "var(--grid);"
    "border-radius:.3rem;padding:.1rem .5rem;white-space:nowrap}"
    "button:focus-visible,audio:focus-visible{outline:2px solid var(--series0);outline-offset:2px}"
    ".dot{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.45rem}"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:0;margin:.5rem 0;list-style:none;font-size:.9rem}"
    ".text{white-space:pre-line;min-width:11rem}tr.now td{background:var(--low)}td "
    "small{display:inline;color:var(--faint)}"
    ".mood{white-space:nowrap}td.text small{display:block}.long{max-width:none}"
    ".lanes{display:flex}.lanes .strip{flex:1;min-width:0}.scale{flex:none;margin:.75rem 0}"
    ".scale text{font-family:inherit;font-variant-numeric:tabular-nums}</style>\n";

/* Without < and &, so that the page stays XML. */
static const char script[] =
    "<script>(function(){var a=document.querySelector('audio'),s=document.getElementById('strip'),"
    "h=document.getElementById('head'),rows=document.querySelectorAll('[data-f]'),stop=Infinity,last=-1;"
    "if(!a)return;var d=parseFloat(s.dataset.seconds);"
    "function go(t,e){stop=e;a.currentTime=t;var p=a.play();if(p)p.catch(function(){})}"
    "document.addEventListener('click',function(e){var b=e.target.closest('[data-t]');"
    "if(b){go(parseFloat(b.dataset.t),parseFloat(b.dataset.e));return}"
    "if(e.target.closest('#strip')){var r=s.getBoundingClientRect();stop=Infinity;"
    "a.currentTime=(e.clientX-r.left)/r.width*d}});"
    "a.addEventListener('seeking',function(){if(a.currentTime>stop)stop=Infinity});"
    "function show(){var t=a.currentTime,x=t/d*s.viewBox.baseVal.width,w=s.parentNode;h.setAttribute('x',x);"
    "if(t>stop){a.pause();stop=Infinity}"
    "if(Math.abs(t-last)>.05){last=t;rows.forEach(function(r){"
    "var on=t>=parseFloat(r.dataset.f)?parseFloat(r.dataset.u)>t:false;r.classList.toggle('now',on)});"
    "if(!a.paused){if(x>w.scrollLeft+w.clientWidth*.8)w.scrollLeft=x-w.clientWidth*.2;"
    "if(w.scrollLeft>x)w.scrollLeft=Math.max(0,x-w.clientWidth*.2)}}"
    "requestAnimationFrame(show)}show()})()</script>\n";

/* A name as an address relative to the page. */
static void put_address(am_html h, const char *name) {
  for (; *name; name++) {
    const unsigned char c = (unsigned char)*name;
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~/", (char)c);
    if (plain) am_buffer_append(h.ctx, h.out, name, 1);
    else am_html_printf(h, "%%%02X", c);
  }
}

static void player(am_html h, const am_recording *r) {
  am_html_put(h, "<div class=\"player\"><audio controls=\"controls\" preload=\"metadata\" src=\"");
  if (r->sound) {
    am_html_put(h, "data:audio/flac;base64,");
    am_html_base64(h, r->sound->data, r->sound->used);
  } else {
    put_address(h, r->media);
  }
  am_html_put(h, "\"></audio></div>\n");
  if (!r->sound) {
    am_html_put(h, "<p class=\"faint\">The sound is too long to be in this page; it is played from ");
    am_html_element(h, "b", r->media);
    am_html_put(h, ", which has to be in the same folder.</p>\n");
  }
}

static void legend(am_html h, const am_recording *r) {
  if (r->scale) {
    am_html_put(h,
                "<p class=\"faint\">From the top: waveform (the root of the level), speech, and each dimension on its "
                "scale; a value beyond it is drawn at its edge. A click in the picture goes to that moment; the times "
                "in the table play.</p>\n");
    return;
  }
  am_html_put(h, "<ul class=\"legend\" aria-label=\"Colours of the emotions\">");
  for (int k = 0; k < r->classes; k++) {
    am_html_printf(h, "<li><i class=\"dot\" style=\"background:var(--%s)\"></i>", am_recording_colour(k));
    am_html_text(h, r->labels[k]);
    am_html_put(h, "</li>");
  }
  am_html_put(h,
              "</ul>\n<p class=\"faint\">From the top: waveform (the root of the level), speech, probabilities from 0 "
              "to 1, segments, cues. A box plays when it is "
              "clicked, and so do the times in the tables; elsewhere a click goes to that moment.</p>\n");
}

static void head(am_html h, const am_recording *r) {
  char length[32];
  am_seconds_text(r->seconds, length);
  am_html_put(h, "<header><p class=\"kicker\">AudioMood, emotion over time</p>");
  am_html_element(h, "h1", r->file);
  am_html_put(h, "<p class=\"faint\">");
  am_html_text(h, length);
  am_html_put(h, ", by ");
  am_html_text(h, r->model);
  if (r->subtitles) {
    am_html_put(h, ", subtitles: ");
    am_html_text(h, r->subtitles);
  }
  am_html_put(h, "</p></header>\n");
}

am_status am_recording_page(am_context *ctx, const am_recording *r, am_buffer *out, am_error *err) {
  const am_html h = {ctx, out};
  am_status st = AM_OK;
  am_html_put(
      h,
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/>"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
      "<meta name=\"color-scheme\" content=\"light dark\"/><meta name=\"generator\" content=\"AudioMood\"/><title>");
  am_html_text(h, r->file);
  am_html_put(h, " - AudioMood recording</title>\n");
  am_page_style(h);
  am_html_put(h, style);
  am_html_put(h, "</head>\n<body><main>\n");
  head(h, r);
  if (r->scale) am_recording_values(h, r);
  player(h, r);
  am_recording_strip(h, r, &st, err);
  legend(h, r);
  am_recording_whys(h, r);
  am_recording_cues(h, r);
  am_recording_segments(h, r);
  am_html_put(
      h,
      "<footer class=\"faint\"><p>Recognised emotions are guesses about how speech sounds, not about what a person "
      "feels. The models were trained on acted speech.</p></footer>\n</main>");
  am_html_put(h, script);
  am_html_put(h, "</body>\n</html>\n");
  return st ? st : out->failed ? am_no_memory(err) : AM_OK;
}

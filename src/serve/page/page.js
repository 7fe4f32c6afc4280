'use strict';
// The page of `audiomood serve`: a recording by POST /v1/predict, a voice by the WebSocket /v1/stream, both shown alike.

const $ = id => document.getElementById(id);
const svg = (name, attributes, text) => {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  return e;
};
const cell = (name, text, kind) => {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (kind) e.className = kind;
  return e;
};
const percent = p => (100 * p).toFixed(0) + ' %';
const clock = s => Math.floor(s / 60) + ':' + (s % 60).toFixed(1).padStart(4, '0');

let labels = [];
let model = {};
// Of each dimension its lowest and highest value; undefined: the model tells emotions.
let scales;
// Whether all have the same.
let alike;
// What is shown: of one recording, or of one time of speaking.
let now;

function empty(name) {
  return {name, duration: 0, segments: [], measured: [], spoken: [], open: null, live: false};
}

const say = text => { $('status').textContent = text; };
const fail = text => { $('wrong').textContent = text; };

// ---- what is shown ----

const numbers = s => s.dimensions || s.probabilities;
const isHeard = s => (scales ? numbers(s)[labels[0]] !== null : s.top !== null);
const part = (v, l) => (scales ? Math.max(0, Math.min(1, (v - scales[l][0]) / (scales[l][1] - scales[l][0]))) : v);
const number = v => (scales ? v.toFixed(2) : percent(v));
const values = s => labels.map(l => l + ' ' + number(numbers(s)[l])).join(', ');

const color = label => 'c' + Math.max(0, labels.indexOf(label)) % 8;

function means(list, weight) {
  const sums = Object.fromEntries(labels.map(l => [l, 0]));
  let all = 0;
  for (const s of list) {
    if (!isHeard(s)) continue;
    const w = weight(s);
    all += w;
    for (const l of labels) sums[l] += w * (numbers(s)[l] || 0);
  }
  for (const l of labels) sums[l] = all ? sums[l] / all : 0;
  return sums;
}

function showEmotions() {
  const last = now.measured[now.measured.length - 1];
  const mean = means(now.segments, s => s.end - s.start);
  const time = Object.fromEntries(labels.map(l => [l, 0]));
  for (const s of now.segments) if (s.label in time) time[s.label] += s.end - s.start;
  const current = now.live && last && isHeard(last) ? numbers(last) : null;
  const told = now.segments.some(isHeard), shown = current || (told || !scales ? mean : null);
  $('emotions').parentElement.classList.toggle('file', !now.live);
  const top = scales ? null : labels.reduce((a, b) => (shown[b] > shown[a] ? b : a), labels[0]);
  $('emotions').replaceChildren(...labels.map(l => {
    const row = cell('tr', undefined, l === top && shown[l] > 0 ? 'top' : '');
    const name = cell('th', scales && !alike ? `${l}, ${scales[l].join(' to ')}` : l);
    name.scope = 'row';
    const bar = cell('td', undefined, 'bar ' + color(l));
    const i = document.createElement('i');
    i.style.width = (shown ? 100 * part(shown[l], l) : 0).toFixed(1) + '%';
    bar.append(i);
    row.append(name, bar, cell('td', current ? number(current[l]) : '–', 'number now'),
      cell('td', (scales ? told : now.segments.length) ? number(mean[l]) : '–', 'number'));
    if (!scales) row.append(cell('td', time[l].toFixed(1) + ' s', 'number'));
    return row;
  }));
}

function seek(s) {
  const player = $('player');
  if (player.hidden) return;
  player.currentTime = s;
  player.play().catch(() => {});
}

function showSegments() {
  const body = $('segments'), from = body.children.length;
  for (const s of now.segments.slice(from)) {
    const row = document.createElement('tr'), start = cell('td');
    if (now.live) {
      start.textContent = clock(s.start);
    } else {
      const b = cell('button', clock(s.start));
      b.type = 'button';
      b.setAttribute('aria-label', 'play from ' + clock(s.start));
      b.addEventListener('click', () => seek(s.start));
      start.append(b);
    }
    row.append(start, cell('td', clock(s.end)));
    if (scales) row.append(cell('td', isHeard(s) ? values(s) : s.reason));
    else row.append(cell('td', s.label === 'uncertain' ? 'uncertain (' + s.top + ')' : s.label),
      cell('td', s.top === null ? '–' : percent(s.probability), 'number'));
    body.append(row);
  }
  for (const id of ['srt', 'vtt', 'csv']) $(id).disabled = now.segments.length === 0;
}

// Steps of a scale that leave room for their numbers.
function step(seconds, width) {
  const most = Math.max(2, Math.floor(width / 70));
  for (const s of [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600]) if (seconds / s <= most) return s;
  return 7200;
}

function drawLine() {
  const box = $('line'), width = box.clientWidth || 600, height = 120, left = 4, right = width - 4;
  // Of a voice the last two minutes.
  const end = Math.max(now.duration, 1), begin = now.live && end > 120 ? end - 120 : 0;
  const x = s => left + (right - left) * (s - begin) / (end - begin);
  const parts = [];
  const s = step(end - begin, width);
  for (let t = Math.ceil(begin / s) * s; t <= end; t += s) {
    parts.push(svg('line', {class: 'grid', x1: x(t), x2: x(t), y1: 8, y2: height - 20}));
    const anchor = x(t) < 12 ? 'start' : x(t) > width - 24 ? 'end' : 'middle';
    parts.push(svg('text', {x: x(t), y: height - 6, 'text-anchor': anchor}, s < 1 ? clock(t) : clock(t).replace(/\.0$/, '')));
  }
  const spoken = now.open === null ? now.spoken : [...now.spoken, [now.open, now.duration]];
  for (const [a, b] of spoken)
    if (b > begin) parts.push(svg('rect', {class: 'speech', x: x(Math.max(a, begin)), y: 92, width: Math.max(1, x(b) - x(Math.max(a, begin))), height: 5}));
  for (const g of now.segments) {
    if (scales || g.end <= begin || g.top === null) continue;
    const a = x(Math.max(g.start, begin)), w = Math.max(2, x(g.end) - a - 1), sure = g.label === g.top;
    const r = svg('rect', {class: (sure ? color(g.label) : 'doubt') + (now.live ? '' : ' go'), x: a, y: 62, width: w, height: 26, rx: 3});
    r.append(svg('title', {}, `${clock(g.start)} to ${clock(g.end)}: ${g.label} ${percent(g.probability)}`));
    if (!now.live) r.addEventListener('click', () => seek(g.start));
    parts.push(r);
    const name = sure ? g.label : g.top + '?';
    if (w > 7 * name.length + 6)
      parts.push(svg('text', {class: sure ? 'on' : 'maybe', x: a + w / 2, y: 79, 'text-anchor': 'middle', 'pointer-events': 'none'}, name));
  }
  drawCurves(parts, x, begin);
  if (now.at !== undefined) parts.push(svg('line', {class: 'now', x1: x(now.at), x2: x(now.at), y1: 4, y2: height - 20}));
  box.setAttribute('viewBox', `0 0 ${width} ${height}`);
  const title = svg('title', {id: 'line-title'}, summary());
  box.replaceChildren(title, ...parts);
}

// The probabilities or values of the measurements, an utterance a line.
function drawCurves(parts, x, begin) {
  const y = (p, l) => (scales ? 86 - 78 * part(p, l) : 54 - 46 * p);
  const ends = !scales ? [] : alike ? scales[labels[0]] : ['lowest', 'highest'];
  ends.forEach((v, i) => parts.push(svg('text', {x: 4, y: 90 - 78 * i, 'text-anchor': 'start'}, v)));
  for (const l of labels) {
    let points = [], utterance = -1;
    const flush = () => {
      if (points.length > 1) parts.push(svg('polyline', {class: color(l), points: points.join(' ')}));
      points = [];
    };
    for (const m of now.measured) {
      if (m.utterance !== utterance) flush();
      utterance = m.utterance;
      const middle = (m.start + m.end) / 2;
      if (!isHeard(m) || middle < begin) continue;
      points.push(x(middle).toFixed(1) + ',' + y(numbers(m)[l], l).toFixed(1));
      parts.push(svg('circle', {class: color(l), cx: x(middle), cy: y(numbers(m)[l], l), r: 1.8}));
    }
    flush();
  }
}

function summary() {
  const told = now.segments.filter(s => s.label === s.top);
  if (!now.segments.length) return 'Time line: nobody has spoken yet.';
  if (scales) return `Time line of ${clock(now.duration)}: ` + now.segments.filter(isHeard).slice(0, 20).map(s => `${values(s)} from ${clock(s.start)} to ${clock(s.end)}`).join('; ') + '.';
  return `Time line of ${clock(now.duration)}: ${now.segments.length} segments, ` +
    (told.length ? told.slice(0, 20).map(s => `${s.label} from ${clock(s.start)} to ${clock(s.end)}`).join(', ') : 'none of them sure') + '.';
}

let drawn = false;
function show() {
  $('shown').hidden = false;
  if (drawn) return;
  drawn = true;
  requestAnimationFrame(() => {
    drawn = false;
    showEmotions();
    showSegments();
    drawLine();
  });
}

function begin(name) {
  now = empty(name);
  $('segments').replaceChildren();
  fail('');
}

// ---- files to keep ----

const stamp = (s, mark) => {
  const ms = Math.round(s * 1000), two = n => String(n).padStart(2, '0');
  return two(Math.floor(ms / 3600000)) + ':' + two(Math.floor(ms / 60000) % 60) + ':' + two(Math.floor(ms / 1000) % 60) + mark + String(ms % 1000).padStart(3, '0');
};
const cues = mark => now.segments.filter(s => (scales ? isHeard(s) : s.label === s.top))
  .map((s, i) => `${i + 1}\n${stamp(s.start, mark)} --> ${stamp(s.end, mark)}\n${scales ? values(s).replaceAll(',', '') : s.label}\n`).join('\n');
const quoted = text => (/[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);
const files = {
  srt: () => ['application/x-subrip', cues(',')],
  vtt: () => ['text/vtt', 'WEBVTT\n\n' + cues('.')],
  csv: () => ['text/csv', scales ? [['file', 'start', 'end', ...labels.map(quoted), 'reason'].join(','),
    ...now.segments.map(s => [quoted(now.name), s.start, s.end, ...labels.map(l => numbers(s)[l] ?? ''), s.reason || ''].join(','))].join('\n') + '\n' : ['file,start,end,label,top,probability,margin,share,' + labels.map(l => quoted('p_' + l)).join(','),
    ...now.segments.map(s => [quoted(now.name), s.start, s.end, quoted(s.label), quoted(s.top || ''), s.probability ?? '', s.margin ?? '', s.share ?? '',
      ...labels.map(l => s.probabilities[l] ?? '')].join(','))].join('\n') + '\n'],
};
function keep(kind) {
  const [type, text] = files[kind]();
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], {type}));
  a.download = now.name.replace(/\.[^.]*$/, '') + '.' + kind;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  say(a.download + ' was saved.');
}

// ---- a recording ----

let asked;
async function hear(file) {
  stop();
  if (asked) asked.abort();
  asked = new AbortController();
  begin(file.name);
  say(`${file.name} is heard …`);
  const form = new FormData();
  form.append('response_format', 'verbose_json');
  form.append('file', file, file.name);
  try {
    const answer = await fetch('v1/predict', {method: 'POST', body: form, signal: asked.signal});
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.error.message);
    now.duration = result.duration;
    now.segments = result.segments;
    for (const e of result.events) take(e);
    play(file);
    say(now.segments.length ? `${file.name}: ${now.segments.length} segments in ${clock(now.duration)}.` : `${file.name}: nobody was found to speak.`);
    show();
    $('results').focus({preventScroll: true});
  } catch (why) {
    if (why.name === 'AbortError') return;
    say('');
    fail(`${file.name}: ${why.message}`);
  }
}

let source;
function play(file) {
  const player = $('player');
  if (source) URL.revokeObjectURL(source);
  source = URL.createObjectURL(file);
  player.src = source;
  player.hidden = false;
}

// ---- events, of both ----

function take(e) {
  now.duration = Math.max(now.duration, e.end || e.start || 0);
  if (e.event === 'speech_begins') now.open = e.start;
  if (e.event === 'speech_ends') {
    now.spoken.push([e.start, e.end]);
    now.open = null;
  }
  if (e.event === 'measured') now.measured.push(e);
  if (e.event === 'notice') say(e.text);
}

// ---- a voice ----

let talk;
async function speak() {
  if (talk) {
    stop();
    return;
  }
  const mine = talk = {};
  begin('speech');
  now.live = true;
  $('player').hidden = true;
  say('The microphone is asked for …');
  try {
    mine.stream = await navigator.mediaDevices.getUserMedia(
      {audio: {channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
    mine.context = new AudioContext();
    await mine.context.audioWorklet.addModule('worklet.js');
    if (talk !== mine) throw new Error('it was stopped');
    connect(mine);
  } catch (why) {
    finish(mine, why.name === 'NotAllowedError' ? 'The microphone was not allowed.' : 'No microphone: ' + why.message);
  }
}

function connect(mine) {
  const url = new URL('v1/stream', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = mine.socket = new WebSocket(url);
  socket.onopen = () => socket.send(JSON.stringify({rate: mine.context.sampleRate}));
  socket.onmessage = message => told(mine, JSON.parse(message.data));
  socket.onclose = () => finish(mine, mine.ended ? '' : 'The server was lost.');
}

function told(mine, e) {
  if (e.event === 'ready') {
    const node = mine.node = new AudioWorkletNode(mine.context, 'take', {numberOfOutputs: 0});
    mine.context.createMediaStreamSource(mine.stream).connect(node);
    node.port.onmessage = ({data}) => samples(mine, data);
    $('speak').textContent = 'Stop';
    $('speak').classList.add('on');
    $('level').hidden = false;
    say('Listening. The first answer comes a second after you begin to speak.');
  } else if (e.event === 'segment') {
    now.segments.push(e);
    now.duration = Math.max(now.duration, e.end);
    if (scales) say(isHeard(e) ? `Heard: ${values(e)}.` : 'Nothing was heard.');
    else say(e.label === 'uncertain' ? 'Heard, not sure.' : `Heard: ${e.label}.`);
  } else if (e.event === 'error') {
    mine.ended = true;
    fail(e.message);
  } else if (e.event === 'end') {
    mine.ended = true;
    say(`${clock(e.seconds)} were heard.`);
  } else {
    take(e);
  }
  show();
}

function samples(mine, data) {
  if (mine.socket.readyState !== WebSocket.OPEN || mine.stopping) return;
  mine.socket.send(data.samples);
  mine.seconds = (mine.seconds || 0) + data.samples.byteLength / 2 / mine.context.sampleRate;
  now.duration = Math.max(now.duration, mine.seconds);
  $('level').firstElementChild.style.width = Math.max(0, Math.min(100, 100 + 20 * Math.log10(data.level + 1e-6) * 1.6)) + '%';
  show();
}

// What is open is told before the server closes.
function stop() {
  if (!talk) return;
  const mine = talk;
  if (mine.socket && mine.socket.readyState === WebSocket.OPEN && !mine.stopping) {
    mine.stopping = true;
    mine.socket.send('{"end": true}');
    silence(mine);
  } else if (!mine.stopping) {
    mine.ended = true;
    finish(mine, '');
  }
}

function silence(mine) {
  if (mine.stream) for (const t of mine.stream.getTracks()) t.stop();
  if (mine.context && mine.context.state !== 'closed') mine.context.close();
  $('level').hidden = true;
  $('speak').textContent = 'Speak';
  $('speak').classList.remove('on');
}

function finish(mine, why) {
  if (talk !== mine) return;
  talk = undefined;
  silence(mine);
  if (mine.socket) mine.socket.close();
  if (why) {
    say('');
    fail(why);
  }
}

// ---- the page ----

function drop() {
  const box = $('drop');
  for (const kind of ['dragenter', 'dragover']) document.addEventListener(kind, e => { e.preventDefault(); box.classList.add('over'); });
  document.addEventListener('dragleave', e => { if (!e.relatedTarget) box.classList.remove('over'); });
  document.addEventListener('drop', e => {
    e.preventDefault();
    box.classList.remove('over');
    if (e.dataTransfer.files.length) hear(e.dataTransfer.files[0]);
  });
}

async function about() {
  const answer = await fetch('v1/model');
  model = await answer.json();
  labels = model.labels;
  scales = model.scales || (model.scale && Object.fromEntries(labels.map(l => [l, model.scale])));
  alike = !model.scales;
  if (scales) {
    $('emotions-title').textContent = alike ? `Dimensions, from ${model.scale.join(' to ')}` : 'Dimensions, each on its scale';
    $('of').textContent = 'dimension';
    $('told').textContent = 'values';
    for (const id of ['time', 'sure']) $(id).hidden = true;
  }
  const m = model.models[0];
  $('model').textContent = m.title;
  $('licence').textContent = `Model: ${m.title}. Licence: ${m.licence || 'not known'}${m.noncommercial ? ', not for commercial use' : ''}.` +
    (m.synthetic ? ' It was trained on synthetic speech and knows nothing about real voices.' : '') + ` AudioMood ${model.version}.`;
  $('legend').replaceChildren(...labels.map(l => cell('span', l, color(l))));
}

addEventListener('DOMContentLoaded', async () => {
  drop();
  $('file').addEventListener('change', e => { if (e.target.files.length) hear(e.target.files[0]); e.target.value = ''; });
  $('speak').addEventListener('click', speak);
  for (const kind of ['srt', 'vtt', 'csv']) $(kind).addEventListener('click', () => keep(kind));
  $('player').addEventListener('timeupdate', e => { now.at = e.target.currentTime; drawLine(); });
  addEventListener('resize', () => { if (now) show(); });
  if (!isSecureContext || !navigator.mediaDevices || !window.AudioWorkletNode) {
    $('speak').disabled = true;
    $('speak-hint').hidden = true;
    $('insecure').hidden = false;
  }
  try {
    await about();
  } catch (why) {
    fail('The server does not answer.');
  }
});

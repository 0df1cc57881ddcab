'use strict';
// The page works without this. With it, what people do shows at once and is then confirmed by the house, the house is shown live,
// and an alarm fills the page and sounds.

const texts = document.body.dataset;
const byId = (id) => document.getElementById(id);
const title = document.title;

// --- what the house pushes -------------------------------------------------------------------------------------------------

let page = 0; // the number of this page, once the house has said it
let source, retry, poll;
let heard = Date.now();

function listen() {
  source = new EventSource('/live');
  const on = (kind, take) => source.addEventListener(kind, (e) => {
    heard = Date.now();
    lost('');
    take(JSON.parse(e.data));
  });
  on('hello', (h) => {
    page = h.page;
    clearInterval(poll);
    poll = 0;
    if (h.build !== document.documentElement.dataset.build) location.reload();
    shown.clear();
    confirmAlarm();
  });
  on('parts', (parts) => parts.forEach(draw));
  on('reload', fetchParts); // something is gone
  on('alarm', (alarm) => calls.set(alarm.number, alarm) && confirmAlarm());
  on('ping', () => {});
  source.onerror = async () => {
    page = 0;
    if (source.readyState !== EventSource.CLOSED) return lost(texts.lost); // it tries again by itself
    const ask = new AbortController(); // an event source does not say why it was refused
    const answer = await fetch('/live', { signal: ask.signal }).catch(() => null);
    ask.abort();
    if (answer && answer.status === 401) return signInAgain().then(listen);
    lost(answer && answer.status === 503 ? texts.full : texts.lost);
    if (!poll) poll = setInterval(fetchParts, 20000);
    clearTimeout(retry);
    retry = setTimeout(listen, 10000);
  };
}

// A connection can die without a word, as when a phone sleeps or the house loses its power: then another is made.
setInterval(() => {
  if (Date.now() - heard < 45000 || poll || asking) return;
  lost(texts.lost);
  heard = Date.now();
  source.close();
  listen();
}, 5000);

function lost(text) {
  const line = byId('lost');
  line.hidden = !text;
  line.textContent = text;
}

// fetchParts draws the page anew from a whole one: while it is not live, and after a wish that did not come through.
async function fetchParts() {
  const answer = await fetch('/', { signal: AbortSignal.timeout(patience) }).catch(() => null);
  if (!answer || !answer.ok) return lost(texts.lost);
  if (answer.redirected) return signInAgain().then(fetchParts);
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  arrange(fresh);
  for (const part of fresh.querySelectorAll('.part')) draw({ id: part.id, html: part.innerHTML });
}

function draw(part) {
  const here = byId(part.id);
  if (!here || !here.classList.contains('part')) return isHouse && fetchParts(); // beside the house something else may have that name
  latest.set(part.id, part.html);
  const fresh = document.createElement('div');
  fresh.innerHTML = part.html;
  alike(here, fresh);
  if (part.id === 'alarm') alarmDrawn();
}

// alike makes what is shown like what came, and leaves alone what people have open, chosen, typed or focused.
function alike(here, fresh) {
  const old = [...here.childNodes];
  const wanted = [...fresh.childNodes];
  wanted.forEach((want, i) => {
    const have = old[i];
    if (!have) return here.append(want);
    if (have.nodeType !== want.nodeType || have.nodeName !== want.nodeName || have.id !== want.id) return have.replaceWith(want);
    if (have.nodeType !== Node.ELEMENT_NODE) {
      if (have.data !== want.data) have.data = want.data;
      return;
    }
    if (have.classList.contains('refusal') && have.textContent && !want.textContent || have.dataset.ahead) return; // it stays until the next wish, or its answer
    for (const { name, value } of [...want.attributes]) if (have.getAttribute(name) !== value) have.setAttribute(name, value);
    for (const { name } of [...have.attributes]) if (!want.hasAttribute(name) && name !== 'open' && name !== 'aria-busy') have.removeAttribute(name);
    if (have.nodeName !== 'SELECT' || have.dataset.touched !== 'yes') alike(have, want);
  });
  old.slice(wanted.length).forEach((gone) => gone.remove());
}

document.addEventListener('change', (e) => {
  if (e.target.nodeName === 'SELECT') e.target.dataset.touched = 'yes';
});

// --- what people do --------------------------------------------------------------------------------------------------------

// wish sends the same JSON that a program would, and says next to the thing why it was refused.
async function wish(to, what) {
  say(to, '');
  const answer = await fetch('/api/wish/' + to, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(what),
    keepalive: true, // somebody who has wished may leave
    signal: AbortSignal.timeout(patience),
  }).catch(() => null);
  if (answer && answer.status === 401) return signInAgain().then(() => wish(to, what));
  const verdict = answer && (await answer.json().catch(() => null));
  settle(to, verdict && verdict.granted);
  if (verdict && verdict.granted) return true;
  await fetchParts(); // what was shown ahead of the answer goes back
  say(to, verdict ? verdict.said || verdict.why : texts.failed);
  return false;
}

function say(to, why) {
  const lines = [...document.querySelectorAll('[data-refusal]')].filter((line) => line.dataset.refusal === to);
  for (const line of lines) line.textContent = why;
  if (lines.length === 0 && why) lost(why); // the thing itself is gone
}

function wishOf(form, button) {
  const what = {};
  for (const [key, value] of new FormData(form, button)) {
    if (key === 'to' || value === '') continue;
    what[key] = key === 'target' ? Number(value.replace(',', '.')) : value === 'true' ? true : value === 'false' ? false : value;
  }
  return what;
}

// Who clicks twice has wished once: after the first touch the same place may say the contrary.
document.addEventListener('click', (e) => {
  if (e.detail > 1 && e.target.closest('form:not([data-step]) button')) e.preventDefault();
}, true);

document.addEventListener('submit', async (e) => {
  const form = e.target;
  if (!form.action.endsWith('/do')) return;
  e.preventDefault();
  const button = e.submitter;
  if (form.dataset.step) return step(form, button);
  const to = form.elements.to.value;
  const what = wishOf(form, button);
  if (button.hasAttribute('aria-pressed')) {
    for (const other of form.querySelectorAll('[aria-pressed]')) {
      other.dataset.was ??= other.getAttribute('aria-pressed');
      other.setAttribute('aria-pressed', String(other === button));
    }
  }
  const room = byId(to.replaceAll('/', '-'));
  if (what.target) aim(room, what.target);
  form.setAttribute('aria-busy', 'true');
  const granted = await wish(to, what);
  for (const busy of [form, ...(room || form).querySelectorAll('[aria-busy]')]) busy.removeAttribute('aria-busy');
  for (const choice of form.querySelectorAll('[data-touched]')) delete choice.dataset.touched;
  if (granted && form.closest('.room details')) form.closest('details').open = false;
});

// step changes a target by half a degree at each touch, and sends it once the touching is over.
const steps = new Map();

function step(form, button) {
  const { step: size, low, high } = form.dataset;
  const to = form.elements.to.value;
  const goal = form.querySelector('output');
  const up = button.nextElementSibling === null;
  const now = Number(goal.dataset.ahead || goal.dataset.target);
  const want = Math.min(Number(high), Math.max(Number(low), now + (up ? 1 : -1) * Number(size)));
  aim(form.closest('.part'), want);
  goal.dataset.ahead = want;
  if (steps.has(to)) clearTimeout(steps.get(to).timer);
  const send = async () => {
    steps.delete(to);
    form.setAttribute('aria-busy', 'true');
    await wish(to, { target: want });
    form.removeAttribute('aria-busy');
  };
  steps.set(to, { send, timer: setTimeout(send, 600) });
}

// aim shows a target before the house has confirmed it.
function aim(room, target) {
  const goal = room && room.querySelector('output');
  if (!goal) return;
  write(goal, target);
  goal.closest('form').setAttribute('aria-busy', 'true');
}

// --- alarms ----------------------------------------------------------------------------------------------------------------

const calls = new Map(); // what the house wants told, by the alarm's number
const shown = new Set(); // rounds that this page has confirmed
let audio, siren, blink, focused;

const alarming = () => document.querySelector('.siren');

function alarmDrawn() {
  const alarm = alarming();
  for (const other of document.querySelectorAll('header.bar, main > :not(#alarm), footer')) other.inert = Boolean(alarm);
  document.documentElement.classList.toggle('alarmed', Boolean(alarm));
  if (alarm && focused !== alarm.dataset.alarms) {
    focused = alarm.dataset.alarms;
    byId('acknowledge').focus({ preventScroll: true });
  }
  clearInterval(blink);
  document.title = title;
  if (alarm) {
    let on = false;
    blink = setInterval(() => { document.title = (on = !on) ? '⚠ ' + texts.alarm + ' ⚠' : title; }, 1000);
  }
  sound();
  confirmAlarm();
}

// confirmAlarm tells the house that an alarm is shown here: that somebody could see or hear it counts, not that it arrived.
function confirmAlarm() {
  const alarm = alarming();
  if (!alarm || !page || document.hidden && !(audio && audio.state === 'running')) return;
  for (const number of alarm.dataset.alarms.split(' ')) {
    const call = calls.get(Number(number));
    const round = call && page + '/' + number + '/' + call.round;
    if (!call || shown.has(round)) continue;
    shown.add(round);
    fetch('/api/seen', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ page, alarm: call.number }) })
      .then((answer) => answer.ok || shown.delete(round), () => shown.delete(round));
  }
}

document.addEventListener('visibilitychange', confirmAlarm);

// A browser lets a page sound once somebody has touched it.
function allowSound() {
  if (!audio) audio = new AudioContext();
  audio.resume().then(soundLine).then(sound);
}
for (const touch of ['pointerdown', 'keydown']) document.addEventListener(touch, allowSound, { once: true });

function soundLine() {
  const ready = audio && audio.state === 'running';
  const line = byId('sound');
  line.hidden = false;
  line.textContent = ready ? texts.sounds : texts.sound;
  line.title = ready ? '' : texts.silent;
  line.classList.toggle('ready', Boolean(ready));
}

// sound is three pulses and a pause, as smoke alarms have it, for as long as an alarm waits for an answer.
function sound() {
  if (!alarming() || !audio || audio.state !== 'running') {
    clearInterval(siren);
    siren = 0;
    return;
  }
  if (siren) return;
  const pattern = () => [0, 1, 2].forEach((at) => {
    const tone = audio.createOscillator();
    const level = audio.createGain();
    const begin = audio.currentTime + at;
    tone.type = 'square';
    tone.frequency.value = 880;
    level.gain.setValueAtTime(0.0001, begin);
    level.gain.exponentialRampToValueAtTime(0.3, begin + 0.02);
    level.gain.setValueAtTime(0.3, begin + 0.48);
    level.gain.exponentialRampToValueAtTime(0.0001, begin + 0.5);
    tone.connect(level).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.5);
  });
  pattern();
  siren = setInterval(pattern, 4000);
}

document.documentElement.classList.add('live');
byId('sound').addEventListener('click', allowSound);
soundLine();
alarmDrawn();
listen();

'use strict';
// Pictures are read off by pointer or slider, and renew themselves. Without this they are pictures with a table each.

const words = document.querySelector('main').dataset; // texts is page.js's
const lang = document.documentElement.lang;
const svg = 'http://www.w3.org/2000/svg';
const pasts = new Map(); // what a room's picture is made of, by the room

const number = (n) => n.toLocaleString(lang, { maximumFractionDigits: 1 });
const clock = (() => {
  const shape = { weekday: 'short', hour: '2-digit', minute: '2-digit' };
  try {
    return new Intl.DateTimeFormat(lang, { ...shape, timeZone: words.zone });
  } catch {
    return new Intl.DateTimeFormat(lang, shape); // the house has no zone of its own
  }
})();

// past fetches a room's points once, until its picture is drawn anew.
function past(room) {
  if (!pasts.has(room)) pasts.set(room, fetch('/api/history?room=' + encodeURIComponent(room)).then((r) => (r.ok ? r.json() : Promise.reject(r.status))));
  return pasts.get(room);
}

const heldAt = (all, time) => all.findLast((one) => Date.parse(one.at) <= time);

// roomAt says what held in a room at a share of its picture's time.
async function roomAt(drawing, share) {
  const { room, from, to } = drawing.dataset;
  const known = await past(room);
  const time = (Number(from) + share * (to - from)) * 1000;
  const said = [clock.format(time)];
  if (time > Date.parse(known.until)) return said.concat(words.none).join(' · ');
  const at = heldAt(known.rooms[0]?.points || [], time) || {};
  said.push(at.temperature === undefined ? words.temperature + (lang === 'fr' ? '\u00a0: ' : ': ') + words.none : `${number(at.temperature)} °C`);
  if (at.target !== undefined) said.push(`${words.target} ${number(at.target)} °C`);
  if (at.heating !== undefined) said.push(`${words.heating} ${number(at.heating)} %`);
  if (at.phase) said.push(words[at.phase] + (at.drill ? ` (${words.drill})` : ''));
  return said.join(' · ');
}

// hair marks the place that is read: a line, or the outline of a day.
function hair(drawing, data) {
  let line = drawing.querySelector('.hair');
  if (!line) {
    line = document.createElementNS(svg, 'path');
    line.setAttribute('class', 'hair');
    drawing.append(line);
  }
  line.setAttribute('d', data);
}

const left = 30; // where the axis of a room's picture begins and ends: see pictureroom.go
const right = 354;

// read shows what stands at the slider's place.
async function read(figure) {
  const drawing = figure.querySelector('.drawing svg');
  const slider = figure.querySelector('input[type=range]');
  const line = figure.querySelector('[data-reading]');
  let said;
  if (drawing.dataset.room) {
    const share = slider.value / slider.max;
    const x = left + share * (right - left);
    hair(drawing, `M${x} 2V158`);
    said = await roomAt(drawing, share).catch(() => texts.lost);
    if (share !== slider.value / slider.max) return; // it has moved on
  } else {
    const day = drawing.querySelectorAll('.day')[slider.value];
    const [x, y, w, h] = ['x', 'y', 'width', 'height'].map((name) => Number(day.getAttribute(name)));
    hair(drawing, `M${x - 1} ${y - 1}h${w + 2}v${h + 2}h${-w - 2}z`);
    said = day.textContent;
  }
  line.hidden = false;
  line.textContent = said;
  slider.setAttribute('aria-valuetext', said);
}

// equip gives a picture its slider. Its steps are a quarter of an hour, or a day.
function equip(figure) {
  const drawing = figure.querySelector('.drawing svg');
  const days = drawing.querySelectorAll('.day').length;
  if (!drawing.dataset.room && !days) return;
  const slider = document.createElement('input');
  slider.type = 'range';
  slider.min = 0;
  slider.max = days ? days - 1 : 192;
  slider.value = slider.max;
  slider.setAttribute('aria-label', figure.firstElementChild.textContent);
  figure.querySelector('.drawing').after(slider);
  slider.addEventListener('input', () => read(figure));
  figure.querySelector('.drawing').addEventListener('pointermove', (e) => point(figure, e));
  figure.querySelector('.drawing').addEventListener('pointerdown', (e) => point(figure, e));
}

// point moves the slider to where a pointer is.
function point(figure, e) {
  const drawing = figure.querySelector('.drawing svg');
  const slider = figure.querySelector('input[type=range]');
  if (drawing.dataset.room) {
    const at = drawing.createSVGPoint();
    [at.x, at.y] = [e.clientX, e.clientY];
    const { x } = at.matrixTransform(drawing.getScreenCTM().inverse());
    slider.value = Math.round(((x - left) / (right - left)) * slider.max);
  } else {
    const at = [...drawing.querySelectorAll('.day')].indexOf(e.target);
    if (at < 0) return;
    slider.value = at;
  }
  read(figure);
}

// renew draws what has changed, and leaves alone what people have open or hold.
async function renew() {
  if (document.hidden) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || !answer.ok) return lost(texts.lost);
  if (answer.redirected) return signInAgain().then(renew);
  lost('');
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (fresh.documentElement.dataset.build !== document.documentElement.dataset.build) return location.reload();
  pasts.clear();
  for (const figure of document.querySelectorAll('.picture')) {
    const other = fresh.getElementById(figure.id);
    if (!other) return location.reload();
    for (const part of ['.drawing', 'figcaption']) {
      const [here, there] = [figure.querySelector(part), other.querySelector(part)];
      if (here.innerHTML !== there.innerHTML) here.innerHTML = there.innerHTML;
    }
    if (!figure.querySelector('[data-reading]').hidden) read(figure);
  }
  for (const id of ['decisions', 'evidence-list']) {
    const [here, there] = [document.getElementById(id), fresh.getElementById(id)];
    if (!here !== !there) return location.reload();
    if (here && here.textContent !== there.textContent) here.innerHTML = there.innerHTML;
  }
}

for (const figure of document.querySelectorAll('.picture')) equip(figure);
setInterval(renew, 60000);
document.addEventListener('visibilitychange', renew);

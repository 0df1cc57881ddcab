'use strict';
// The first run works without this. With it, what happens in the house shows by itself, what is typed is kept, the return from
// Netatmo goes on by itself, and a camera reads QR codes where the browser lets it.

const sent = document.querySelector('[data-send]');
if (sent) sent.submit();

const main = document.querySelector('main.first');
const { step: stage } = main ? main.dataset : {}; // step is page.js's

const call = (fields) => fetch('/api/first/' + stage, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) });

// --- what is typed -----------------------------------------------------------------------------------------------------------

document.addEventListener('change', (e) => {
  const { keep } = e.target.dataset;
  if (keep) call({ do: 'keep', [keep]: e.target.value }).catch(() => {}); // it is sent with the form, too
});

// --- what happens ------------------------------------------------------------------------------------------------------------

const inUse = (part) => part.contains(document.activeElement) || [...part.querySelectorAll('input, textarea')].some((i) => i.type !== 'radio' && i.value !== i.defaultValue);

async function look() {
  const answer = await fetch('/api/first').catch(() => null);
  if (answer && answer.status === 401) return signInAgain();
  if (!answer || !answer.ok) return;
  const { version } = await answer.json();
  if (version === main.dataset.version) return;
  const page = await fetch('/first/' + stage).catch(() => null);
  if (!page || !page.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), 'text/html');
  const list = (root) => [...root.querySelectorAll('#found > li')].map((li) => li.id + Boolean(li.querySelector('form'))).join();
  const found = document.getElementById('found');
  if (found && list(document) !== list(fresh) && !inUse(found)) found.replaceWith(fresh.getElementById('found'));
  for (const part of fresh.querySelectorAll('.part:not(#alarm)')) { // page.js shows alarms
    const here = document.getElementById(part.id);
    if (!here || here.innerHTML === part.innerHTML || (here.querySelector('form.fields') && inUse(here))) continue;
    const focused = here.contains(document.activeElement) && document.activeElement;
    here.innerHTML = part.innerHTML;
    const again = focused && [...here.querySelectorAll('a, button')].find((e) => e.href === focused.href && e.value === focused.value);
    if (again) again.focus();
  }
  // What is not a part, such as the sign-in once there is an application: another tab has gone on.
  const whole = (root) => [...root.querySelectorAll('.first > .card :is(h2, h3, label)')].map((e) => e.textContent).join();
  if (whole(document) !== whole(fresh) && !inUse(main)) return location.reload();
  const link = fresh.getElementById('sign-in');
  if (link && document.getElementById('sign-in')) document.getElementById('sign-in').href = link.href;
  main.dataset.version = version;
}

if (main) {
  setInterval(() => document.hidden || look(), 1500);
  const wrong = document.querySelector('[aria-invalid]');
  if (wrong) wrong.focus();
}

// --- the camera --------------------------------------------------------------------------------------------------------------

const scan = document.getElementById('scan');
const codes = () => [...document.querySelectorAll('input.code')];

async function read() {
  const video = document.getElementById('camera');
  const said = document.getElementById('scanned');
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  scan.hidden = true;
  video.hidden = false;
  try {
    video.srcObject = stream;
    await video.play();
    const detector = new BarcodeDetector({ formats: ['qr_code'] });
    for (const until = Date.now() + 60000; Date.now() < until;) {
      const text = (await detector.detect(video)).map((c) => c.rawValue).find((c) => /^X-HM:\/\//i.test(c));
      const field = codes().find((c) => c.matches('.aimed')) || codes()[0];
      if (text && field) {
        field.value = text;
        field.focus();
        said.textContent = text;
        break;
      }
      await new Promise((done) => setTimeout(done, 200));
    }
  } finally { // whatever went wrong, the camera must not go on looking
    stream.getTracks().forEach((t) => t.stop());
    video.hidden = true;
    scan.hidden = false;
  }
}

if (scan && window.isSecureContext && 'BarcodeDetector' in window && navigator.mediaDevices) {
  scan.hidden = false;
  document.addEventListener('focusin', (e) => {
    if (e.target.matches('input.code')) codes().forEach((c) => c.classList.toggle('aimed', c === e.target));
  });
  scan.addEventListener('click', () => read().catch((why) => { document.getElementById('scanned').textContent = why.message; }));
}

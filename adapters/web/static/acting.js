'use strict';
// What can go wrong while people act: the sign-in is over, the house does not answer, a room is gone, a page comes back from the
// past. Nothing that was typed is lost, and nothing that did not come true goes on being shown.

const patience = 15000; // milliseconds that the house gets for an answer
const latest = new Map(); // each part as the house drew it last
const isHouse = document.body.classList.contains('house');

// signInAgain asks for the password in place, once for all who wait for it. Meanwhile the house is not to be seen.
let asking;

function signInAgain() {
  asking ||= new Promise((done) => {
    const dialog = byId('again');
    const form = dialog.querySelector('form');
    const why = dialog.querySelector('.refusal');
    document.documentElement.classList.add('locked');
    dialog.oncancel = (e) => e.preventDefault();
    form.onsubmit = async (e) => {
      e.preventDefault();
      why.textContent = '';
      const answer = await fetch('/sign-in', { method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual' }).catch(() => null);
      if (!answer || answer.type !== 'opaqueredirect') {
        why.textContent = !answer ? texts.failed : answer.status === 429 ? dialog.dataset.wait : dialog.dataset.wrong;
        return form.elements.password.select();
      }
      form.reset();
      dialog.close();
      document.documentElement.classList.remove('locked');
      asking = undefined;
      done();
    };
    dialog.showModal();
  });
  return asking;
}

// write shows a target in the page's language.
function write(goal, target) {
  const text = String(Math.round(target * 10) / 10);
  goal.firstChild.data = document.documentElement.lang === 'fr' ? text.replace('.', ',') : text;
}

// settle ends what was shown ahead of the house's answer: granted, the house's own drawing takes its place; else it goes back,
// even if the house is not there to draw it.
function settle(to, granted) {
  for (const form of document.querySelectorAll('form')) {
    if (!form.elements.to || form.elements.to.value !== to || steps.has(to)) continue;
    const goal = form.querySelector('output[data-target]');
    if (goal) {
      delete goal.dataset.ahead;
      if (!granted) write(goal, Number(goal.dataset.target));
    }
    for (const choice of form.querySelectorAll('[data-was]')) {
      if (!granted) choice.setAttribute('aria-pressed', choice.dataset.was);
      delete choice.dataset.was;
    }
  }
  const id = to.replaceAll('/', '-');
  if (granted && latest.has(id)) draw({ id, html: latest.get(id) });
}

// arrange gives the page the parts that the house has now. A room that is gone says so where it was.
function arrange(fresh) {
  if (!isHouse) return;
  for (const old of document.querySelectorAll('.part')) {
    if (fresh.getElementById(old.id)) continue;
    const name = old.querySelector('h3');
    latest.delete(old.id);
    old.removeAttribute('id');
    old.className = 'gone card';
    old.setAttribute('role', 'status');
    old.textContent = texts.gone.replace('%s', name ? name.textContent : '');
  }
  for (const part of fresh.querySelectorAll('.part')) {
    if (byId(part.id)) continue;
    const before = part.previousElementSibling && byId(part.previousElementSibling.id);
    if (!before) return location.reload();
    before.after(document.importNode(part, true));
  }
}

// Somebody who leaves has wished all the same; somebody who comes back sees the house as it is now.
addEventListener('pagehide', () => {
  for (const one of [...steps.values()]) {
    clearTimeout(one.timer);
    one.send();
  }
  if (source) source.close();
});
addEventListener('pageshow', (e) => {
  if (!e.persisted) return;
  clearTimeout(retry);
  listen();
  fetchParts();
});

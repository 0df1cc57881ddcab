'use strict';
// Pages beside the house: the report of an outage that goes on renews itself.

const report = document.querySelector('[data-renew]');
if (report) {
  const renewal = setInterval(async () => {
    const answer = await fetch(location.pathname).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('.report');
    if (!fresh) return;
    alike(report, fresh);
    if (!fresh.dataset.renew) clearInterval(renewal);
  }, 1000 * report.dataset.renew);
}

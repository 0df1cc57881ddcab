'use strict';
// A person with a browser: Debian's Chromium, driven by playwright-core (npm), looked over by axe-core (npm). Each visitor is a
// browser context of its own. It speaks by lines.js.

const fs = require('node:fs');
const { chromium } = require('playwright-core');
const { serve } = require('./lines.js');

const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const visitors = new Map();
const patience = 40000; // milliseconds; it only guards against hanging
let browser;

const of = (request) => visitors.get(request.visitor);

// handedOut clicks on something that hands out a file, and answers that.
async function handedOut(request) {
  const { page } = of(request);
  const [file] = await Promise.all([page.waitForEvent('download', { timeout: patience }), page.click(request.at, { timeout: patience })]);
  return file;
}

const verbs = {
  // launch maps the house's name to this machine: over plain HTTP and under a name, a browser tells less of where a request
  // comes from than on localhost.
  async launch(request) {
    browser = await chromium.launch({
      executablePath: request.program,
      timeout: 2 * patience,
      args: ['--no-sandbox', `--host-resolver-rules=MAP ${request.host} 127.0.0.1`, ...(request.args || [])],
    });
    return browser.version();
  },
  // open brings a visitor with a language, a screen, a taste for the dark, with or without JavaScript, signed in as another.
  async open(request) {
    const context = await browser.newContext({
      viewport: { width: request.width, height: request.height },
      locale: request.locale,
      colorScheme: request.dark ? 'dark' : 'light',
      javaScriptEnabled: !request.plain,
      bypassCSP: false,
      storageState: request.as ? await visitors.get(request.as).context.storageState() : undefined,
    });
    const page = await context.newPage();
    const visitor = { context, page, faults: [], strangers: [] };
    page.on('pageerror', (why) => visitor.faults.push(String(why)));
    page.on('console', (line) => {
      // A refused wish and a house that is not there are no faults of the page.
      if (line.type() === 'error' && !/net::ERR|status of 422/.test(line.text())) visitor.faults.push(line.text());
    });
    page.on('request', (r) => {
      if (!r.url().startsWith(request.home)) visitor.strangers.push(r.url());
    });
    visitors.set(request.visitor, visitor);
    await page.goto(request.home + '/', { timeout: patience });
    return page.url();
  },
  // go leads to an address. What a click before has begun ends first.
  async go(request) {
    const { page } = of(request);
    await page.goto(request.url, { timeout: patience }).catch(async (why) => {
      if (!String(why).includes('interrupted by another navigation')) throw why;
      await page.waitForLoadState('load', { timeout: patience });
      await page.goto(request.url, { timeout: patience });
    });
    return page.url();
  },
  url: (request) => of(request).page.url(),
  title: (request) => of(request).page.title(),
  fill: (request) => of(request).page.fill(request.at, request.text, { timeout: patience }),
  click: (request) => of(request).page.click(request.at, { timeout: patience }),
  'click twice': (request) => of(request).page.dblclick(request.at, { timeout: patience }),
  choose: (request) => of(request).page.selectOption(request.at, request.value, { timeout: patience }),
  // type presses keys one after the other; a word in <> is the name of one. A page that is just there gives the focus away a moment
  // after it is loaded: who types waits until the cursor blinks.
  async type(request) {
    const waits = () => document.activeElement === document.body && document.querySelector('[autofocus]') !== null;
    for (let look = 0; look < 500 && (await of(request).page.evaluate(waits).catch(() => true)); look++) await new Promise((done) => setTimeout(done, 20));
    for (const key of request.keys.match(/<\w+>|./gs)) await of(request).page.keyboard.press(key.replace(/^<|>$/g, ''));
  },
  text: async (request) => (await of(request).page.locator(request.at).allInnerTexts()).join('\n'),
  // run evaluates; a page that is just being loaded anew is waited for.
  run: (request) => of(request).page.evaluate(request.script).catch(async (why) => {
    if (!String(why).includes('context was destroyed')) throw why;
    await of(request).page.waitForLoadState('load', { timeout: patience });
    return of(request).page.evaluate(request.script);
  }),
  // until waits until an expression is true, and answers after how many milliseconds. It asks again and again from outside: the
  // page's policy lets nothing be evaluated inside.
  async until(request) {
    const began = Date.now();
    for (;;) {
      const yes = await of(request).page.evaluate(`Boolean(${request.script})`).catch(() => false); // it may be on its way to another page
      const took = Date.now() - began;
      if (yes) return took;
      if (took > request.limit) throw new Error(`not within ${took} ms: ${request.script}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  },
  shot: (request) => of(request).page.screenshot({ path: request.file, fullPage: Boolean(request.whole) }).then(() => null),
  // look has axe look for faults that shut people out, and answers the serious ones.
  async look(request) {
    await of(request).page.evaluate(axe);
    const found = await of(request).page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    return found.violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(' | ')})`);
  },
  faults: (request) => of(request).faults,
  strangers: (request) => of(request).strangers,
  close: (request) => of(request).context.close(),
};

if (require.main === module) serve(verbs);

module.exports = { verbs, of, visitors, handedOut, patience };

'use strict';
// What people do with a browser beside looking and clicking: files, paper, the keyboard alone, going back, being cut off. It
// speaks by lines.js, and knows what browser.js knows.

const fs = require('node:fs');
const { serve } = require('./lines.js');
const { verbs, of, visitors, handedOut, patience } = require('./browser.js');

serve({
  ...verbs,
  // tab opens another page of the same browser, which is signed in as that is.
  async tab(request) {
    const page = await of(request).context.newPage();
    visitors.set(request.as, { ...of(request), page, faults: [], strangers: [] });
    await page.goto(request.url, { timeout: patience });
    return null;
  },
  // reach presses Tab until something has the focus, and answers how often.
  async reach(request) {
    const page = of(request).page;
    for (let presses = 1; presses <= 150; presses++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((at) => document.activeElement.matches(at), request.at)) return presses;
    }
    throw new Error(`the keyboard does not reach ${request.at}`);
  },
  upload: (request) => of(request).page.setInputFiles(request.at, request.file, { timeout: patience }),
  // download presses something that hands out a file, and keeps that.
  async download(request) {
    const file = await handedOut(request);
    await file.saveAs(request.file);
    return { name: file.suggestedFilename(), size: fs.statSync(request.file).size };
  },
  // print makes the PDF that a printer would get.
  async print(request) {
    await of(request).page.pdf({ path: request.file, format: 'A4', preferCSSPageSize: true });
    return fs.statSync(request.file).size;
  },
  back: (request) => of(request).page.goBack({ timeout: patience }).then(() => null),
  reload: (request) => of(request).page.reload({ timeout: patience }).then((answer) => answer.status()),
  away: (request) => of(request).context.setOffline(Boolean(request.yes)),
  'close tab': (request) => of(request).page.close(),
  // wire answers what the browser has received for a page so far, in bytes on the wire.
  wire: (request) => of(request).page.evaluate(() => performance.getEntries().filter((e) => e.transferSize).map((e) => [e.name, e.transferSize])),
});

'use strict';
// A person with a browser who looks at pictures: browser.js, with a hand on the pointer and on files.

const fs = require('node:fs');
const { verbs, of, handedOut, patience } = require('./browser.js');
const { serve } = require('./lines.js');

serve({
  ...verbs,
  // save clicks on a link that leads to a file, and answers its name and its content.
  async save(request) {
    const file = await handedOut(request);
    return { name: file.suggestedFilename(), content: fs.readFileSync(await file.path(), 'utf8') };
  },
  // point moves the pointer over something, to a share of its width and height.
  async point(request) {
    const box = await of(request).page.locator(request.at).first().boundingBox();
    await of(request).page.mouse.move(box.x + box.width * request.x, box.y + box.height * request.y);
  },
  focus: (request) => of(request).page.focus(request.at, { timeout: patience }),
});

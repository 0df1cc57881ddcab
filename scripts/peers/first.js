'use strict';
// Somebody at the first run: a person with a browser as in browser.js, whose camera sees a QR code. Debian's Chromium has a camera
// that shows a test picture, and nothing that reads codes, so what reads them is played; all else is the page's and the browser's.

const { serve } = require('./lines.js');
const { verbs, of } = require('./browser.js');

serve({
  ...verbs,
  // sees has the camera of a visitor see a text in a QR code, on the next page.
  sees: (request) => of(request).context.addInitScript((text) => {
    window.BarcodeDetector = class {
      async detect(video) {
        if (!video.videoWidth) throw new Error('there is no picture');
        return [{ rawValue: text }];
      }
    };
  }, request.text),
});

'use strict';
// One JSON object a line on standard input asks for something; each is answered by one on standard
// output. An object without "id" on standard output is news. What the libraries print goes to
// standard error, and the program ends when its standard input does.

const readline = require('node:readline');

function write(object) {
  process.stdout.write(JSON.stringify(object) + '\n');
}

// serve answers {"id":1,"do":"name",...} with what verbs.name(request) resolves to.
function serve(verbs) {
  console.log = console.error;
  process.on('unhandledRejection', (why) => write({ news: 'trouble', why: String(why) }));
  const input = readline.createInterface({ input: process.stdin });
  input.on('close', () => process.exit(0));
  input.on('line', async (line) => {
    const request = JSON.parse(line);
    try {
      write({ id: request.id, answer: (await verbs[request.do](request)) ?? null });
    } catch (why) {
      write({ id: request.id, error: why.message || String(why) });
    }
  });
}

module.exports = { serve, write };

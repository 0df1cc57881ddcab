'use strict';
// A controller as the Home app is one, by the library hap-controller (npm): pairs, reads everything,
// subscribes, writes, adds and removes pairings. It speaks by lines.js.

const { generateKeyPairSync, randomUUID } = require('node:crypto');
const { HttpClient } = require('hap-controller');
const { serve, write } = require('./lines.js');

const withoutAuthentication = 0; // pair-setup method; the library's own default is for chips we have not got

let client;
let keys; // of an identity that somebody else adds
let last; // the request that client was made by

function open(request, pairing) {
  last = request;
  const [host, port] = request.address.split(':');
  client = new HttpClient(request.device, host, Number(port), pairing, {
    usePersistentConnections: true,
    subscriptionsUseSameConnection: true,
  });
  client.on('event', (event) => write({ news: 'event', characteristics: event.characteristics }));
  client.on('event-disconnect', () => write({ news: 'disconnect' }));
}

const own = () => client.getLongTermData();

serve({
  async pair(request) {
    open(request);
    await client.pairSetup(request.code, withoutAuthentication);
    return {
      controller: Buffer.from(own().iOSDevicePairingID, 'hex').toString(),
      accessory: Buffer.from(own().AccessoryPairingID, 'hex').toString(),
      accessoryKey: own().AccessoryLTPK,
    };
  },
  // identity makes the keys of a controller, in the form in which the library keeps them.
  identity() {
    const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const key = Buffer.from(x, 'base64url');
    keys = {
      iOSDevicePairingID: Buffer.from(randomUUID()).toString('hex'),
      iOSDeviceLTSK: Buffer.concat([Buffer.from(d, 'base64url'), key]).toString('hex'),
      iOSDeviceLTPK: key.toString('hex'),
    };
    return { controller: keys.iOSDevicePairingID, key: keys.iOSDeviceLTPK };
  },
  // join uses that identity, which has been added.
  join(request) {
    open({ device: request.accessory, address: request.address }, {
      ...keys, AccessoryPairingID: Buffer.from(request.accessory).toString('hex'), AccessoryLTPK: request.accessoryKey,
    });
  },
  // again connects anew with the pairing that is there.
  async again() {
    const pairing = own();
    await client.close();
    open(last, pairing);
  },
  // move does so at another address.
  async move(request) {
    const pairing = own();
    await client.close();
    open({ ...last, address: request.address }, pairing);
  },
  accessories: () => client.getAccessories(),
  async read(request) {
    return (await client.getCharacteristics(request.ids, { meta: true, perms: true, type: true })).characteristics;
  },
  // write takes {"aid.iid": value}; the library resolves to the statuses if any value was refused.
  write: (request) => client.setCharacteristics(request.values),
  subscribe: (request) => client.subscribeCharacteristics(request.ids),
  add: (request) => client.addPairing(request.controller, Buffer.from(request.key, 'hex'), true),
  unpair: (request) => client.removePairing(Buffer.from(request.controller)),
  close: () => client.close(),
});

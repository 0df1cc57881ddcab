'use strict';
// A controller as the Home app is one, by the library hap-controller (npm): pairs, reads everything,
// subscribes, writes, adds and removes pairings. It speaks by lines.js.

const { generateKeyPairSync, randomUUID } = require('node:crypto');
const { HttpClient } = require('hap-controller');
const tlv = require('hap-nodejs/dist/lib/util/tlv');
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

// bytes reads a characteristic of base64.
const bytes = async (id) => Buffer.from((await client.getCharacteristics([id])).characteristics[0].value, 'base64');

// refused throws if a write was; the library resolves to the statuses then.
async function refused(answer) {
  const failed = ((answer && answer.characteristics) || []).find((one) => one.status);
  if (failed) throw new Error(`status ${failed.status}`);
}

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
  // image is a camera's picture.
  async image(request) {
    return (await client.getImage(request.width, request.height, request.aid)).toString('base64');
  },
  // endpoints negotiates a stream by the SetupEndpoints at an id, and says what the camera answers. The
  // names of the numbers are those of RTPStreamManagement of hap-nodejs.
  async endpoints(request) {
    const key = Buffer.from(request.key, 'hex');
    const crypto = tlv.encode(1, 0, 2, key.subarray(0, 16), 3, key.subarray(16));
    const address = tlv.encode(1, 0, 2, '127.0.0.1', 3, tlv.writeUInt16(request.port), 4, tlv.writeUInt16(request.port + 2));
    const value = tlv.encode(1, Buffer.from(request.session, 'hex'), 3, address, 4, crypto, 5, crypto);
    await refused(await client.setCharacteristics({ [request.at]: value.toString('base64') }));
    const answer = tlv.decode(await bytes(request.at));
    const there = answer[3] && tlv.decode(answer[3]);
    const video = answer[4] && tlv.decode(answer[4]);
    return {
      session: answer[1].toString('hex'),
      status: answer[2][0],
      address: there && there[2].toString(),
      port: there && there[3].readUInt16LE(0),
      key: video && Buffer.concat([video[2], video[3]]).toString('hex'),
      source: answer[6] && answer[6].readUInt32LE(0),
    };
  },
  // order starts (1) or ends (0) a stream by the SelectedRTPStreamConfiguration at an id.
  async order(request) {
    const control = tlv.encode(1, Buffer.from(request.session, 'hex'), 2, request.order);
    const seconds = Buffer.alloc(4);
    seconds.writeFloatLE(0.5);
    const source = Buffer.from([1, 2, 3, 4]);
    const packets = tlv.encode(1, 99, 2, source, 3, tlv.writeUInt16(2000), 4, seconds, 5, tlv.writeUInt16(1378));
    const size = tlv.encode(1, tlv.writeUInt16(1280), 2, tlv.writeUInt16(720), 3, 30);
    const video = tlv.encode(1, 0, 2, tlv.encode(1, 1, 2, 0, 3, 0), 3, size, 4, packets);
    const sound = tlv.encode(1, 3, 2, tlv.encode(1, 1, 2, 0, 3, 2, 4, 20), 3, tlv.encode(1, 110, 2, source, 3, tlv.writeUInt16(24), 4, seconds, 6, 13), 4, 0);
    const value = request.order === 1 ? tlv.encode(1, control, 2, video, 3, sound) : tlv.encode(1, control);
    await refused(await client.setCharacteristics({ [request.at]: value.toString('base64') }));
  },
  // offered reads what a camera offers: codec, sizes, cryptographic suite, and whether the place is in use.
  async offered(request) {
    const codec = tlv.decode(tlv.decode(await bytes(request.video))[1]);
    const all = tlv.decodeWithLists(tlv.decode(await bytes(request.video))[1]);
    return {
      codec: codec[1][0],
      sizes: all[3].map((one) => tlv.decode(one)).map((one) => [one[1].readUInt16LE(0), one[2].readUInt16LE(0), one[3][0]]),
      sound: tlv.decode(tlv.decode(await bytes(request.audio))[1])[1][0],
      suite: tlv.decode(await bytes(request.rtp))[2][0],
      inUse: tlv.decode(await bytes(request.status))[1][0],
    };
  },
  add: (request) => client.addPairing(request.controller, Buffer.from(request.key, 'hex'), true),
  unpair: (request) => client.removePairing(Buffer.from(request.controller)),
  close: () => client.close(),
});

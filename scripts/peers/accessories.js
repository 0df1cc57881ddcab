'use strict';
// Accessories served by the library hap-nodejs (npm), as a Netatmo relay serves its house: a bridge
// with a relay switch, three thermostats (one goes no lower than 10 °C), a CO and a smoke sensor, a
// switch named Siren and the contact of a door. Speaks by lines.js.
//
//   node accessories.js PORT FOLDER DEVICE-ID SETUP-CODE [ADDRESS], 127.0.0.1 if none is named

const { EventEmitter } = require('node:events');
const advertising = require('hap-nodejs/dist/lib/Advertiser.js');

// Nobody is told by multicast: tests stay on this machine.
class Silence extends EventEmitter {
  static protocolVersionService = advertising.CiaoAdvertiser.protocolVersionService;
  initPort() {}
  async startAdvertising() {}
  updateAdvertisement() {}
  async destroy() {}
}
advertising.CiaoAdvertiser = Silence;

const { Accessory, Bridge, Categories, Characteristic, HAPStorage, Service, uuid } = require('hap-nodejs');
const { serve, write } = require('./lines.js');

const [port, folder, username, pincode, address = '127.0.0.1'] = process.argv.slice(2);
HAPStorage.setCustomStoragePath(folder);

const bridge = new Bridge('Relay of others', uuid.generate(`bridge ${username}`));
const services = new Map(); // accessory name -> the service that matters

function add(name, serial, kind, settings = () => {}) {
  const accessory = new Accessory(name, uuid.generate(`${username} ${name}`));
  accessory.getService(Service.AccessoryInformation)
    .setCharacteristic(Characteristic.Manufacturer, 'Others')
    .setCharacteristic(Characteristic.Model, kind.name)
    .setCharacteristic(Characteristic.SerialNumber, serial);
  const service = accessory.addService(kind, name);
  settings(service);
  // Only what a controller writes is news; values that are set here have no connection.
  for (const characteristic of service.characteristics) {
    characteristic.on('change', ({ newValue, reason }) => {
      if (reason === 'write') {
        write({ news: 'write', accessory: name, characteristic: characteristic.displayName, value: newValue });
      }
    });
  }
  services.set(name, service);
  bridge.addBridgedAccessory(accessory);
}

function thermostat(lowest, current, target) {
  return (service) => {
    service.getCharacteristic(Characteristic.TargetTemperature)
      .setProps({ minValue: lowest, maxValue: 30, minStep: 0.5 });
    service.updateCharacteristic(Characteristic.CurrentTemperature, current);
    service.updateCharacteristic(Characteristic.TargetTemperature, target);
    service.updateCharacteristic(Characteristic.TargetHeatingCoolingState, 1);
  };
}

// Serial numbers are hardware addresses, by which a house knows that a device is the one that its
// vendor's cloud speaks of, too. The second valve is nobody's but ours.
add('Boiler', 'AE:5A:01:00:00:01', Service.Switch);
add('Living room', '04:00:00:00:00:01', Service.Thermostat, thermostat(5, 19.5, 19));
add('Bedroom', '09:00:00:00:00:01', Service.Thermostat, thermostat(10, 17.5, 17));
add('Study', 'AE:5A:01:00:00:04', Service.Thermostat, thermostat(5, 18.5, 18));
add('Cellar CO', 'AE:5A:01:00:00:05', Service.CarbonMonoxideSensor);
add('Landing smoke', 'AE:5A:01:00:00:06', Service.SmokeSensor);
add('Siren', 'AE:5A:01:00:00:07', Service.Switch);
add('Front door', 'AE:5A:01:00:00:08', Service.ContactSensor);

const characteristicOf = (request) => {
  const service = services.get(request.accessory);
  return service.getCharacteristic(Characteristic[request.characteristic.replaceAll(' ', '')]);
};
const connections = () => [...bridge._server.httpServer.connections];

serve({
  async serve() {
    const listening = new Promise((done) => { bridge.once('listening', done); });
    await bridge.publish({
      username, pincode, port: Number(port), bind: address, category: Categories.BRIDGE, addIdentifyingMaterial: false,
    });
    return listening;
  },
  set(request) {
    characteristicOf(request).updateValue(request.value);
  },
  get: (request) => characteristicOf(request).value,
  connections: () => connections().length,
  // forget removes every pairing, as somebody does who resets an accessory to pair it elsewhere.
  forget() {
    const info = bridge._accessoryInfo;
    info.pairedClients = {};
    info.pairedAdminClients = 0;
    info.save();
    for (const connection of connections()) connection.close();
  },
});

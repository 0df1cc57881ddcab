# A relay that goes out of reach is off by its own clock; nothing keeps it on.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
device t1 thermometer room=bath foreign face=mqtt
relay boiler rooms=bath heats=electric

16:00 reading boiler relay no from=mqtt
16:00 reading t1 temperature 18 from=mqtt
16:01 wish "Home app" bath 20 for=8h
> 16:01:00 wish: Bath: 20 °C until 00:01 (asked for in Home app)
> 16:01:00 heating: boiler is switched on (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:01:00 mqtt/boiler/relay = yes until Wed 16:16 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
# it obeys once, then its link is gone, and it says so when it is back
> 16:01:40 alarm: boiler does not switch on (it shows no echo of the order within 30 s; it is told again after 1, 2 and then every 5 minutes)
> 16:02:00 mqtt/boiler/relay = yes until Wed 16:17 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:02:05 reading boiler relay yes from=mqtt
> 16:02:05 device: boiler is on, as it was told (it shows its state again)
> 16:07:05 mqtt/boiler/relay = yes until Wed 16:22 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:07:12 outcome mqtt/boiler/relay "the MQTT broker is not there" from=mqtt
> 16:07:22 mqtt/boiler/relay = yes until Wed 16:22 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:07:42 alarm: boiler does not switch on (it shows no echo of the order within 30 s; it is told again after 1, 2 and then every 5 minutes; last answer: the MQTT broker is not there)
> 16:09:22 mqtt/boiler/relay = yes until Wed 16:24 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:14:22 mqtt/boiler/relay = yes until Wed 16:29 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:17:05 reading boiler relay no from=mqtt
> 16:17:35 heating: boiler is switched on (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:17:35 mqtt/boiler/relay = yes until Wed 16:32 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:18:15 alarm: boiler does not switch on (it shows no echo of the order within 30 s; it is told again after 1, 2 and then every 5 minutes; last answer: the MQTT broker is not there)
> 16:18:35 mqtt/boiler/relay = yes until Wed 16:33 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:20 reading boiler relay yes from=mqtt
> 16:20:00 device: boiler is on, as it was told (it shows its state again)
> 16:20:20 heating: Bath: there has been no temperature for 20 min: look after the sensor and its battery (no temperature to go by: heated 76 % of the time, as was usual)
16:22 nothing

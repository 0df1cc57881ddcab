# A relay that shows no echo is told again after 1, 2 and then every 5 minutes, the alarm is raised, and no
# other relay of its rooms starts meanwhile.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
device t1 thermometer room=bath foreign face=mqtt
relay radiator rooms=bath heats=radiator
relay boiler rooms=bath heats=boiler

16:00 reading t1 temperature 18 from=mqtt
# nothing is ordered before their states were read
16:00 wish "Home app" bath 20 for=8h
> 16:00:00 wish: Bath: 20 °C until 00:00 (asked for in Home app)
16:02 reading radiator relay no from=mqtt
> 16:05:00 heating: radiator is switched on (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:05:00 mqtt/radiator/relay = yes until Wed 16:20 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:05:40 alarm: radiator does not switch on (it shows no echo of the order within 30 s; it is told again after 1, 2 and then every 5 minutes)
> 16:06:00 mqtt/radiator/relay = yes until Wed 16:21 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:08:00 mqtt/radiator/relay = yes until Wed 16:23 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:10 reading boiler relay no from=mqtt
> 16:10:00 heating: boiler does not heat (radiator heats the same rooms and does not answer)
> 16:13:00 mqtt/radiator/relay = yes until Wed 16:28 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:18:00 mqtt/radiator/relay = yes until Wed 16:33 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:20 reading radiator relay yes from=mqtt
> 16:20:00 device: radiator is on, as it was told (it shows its state again)
> 16:20:00 heating: boiler is switched on (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:20:00 mqtt/boiler/relay = yes until Wed 16:35 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:20:30 reading boiler relay yes from=mqtt
16:21 nothing
> 16:21:00 heating: Bath: there has been no temperature for 21 min: look after the sensor and its battery (no temperature to go by: heated 0 % of the time, as was usual)

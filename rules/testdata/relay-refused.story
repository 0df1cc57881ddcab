# A relay whose adapter says that it cannot end a lease is not used, and is told so once; people cannot
# switch it by hand either.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
device t1 thermometer room=bath foreign face=mqtt
relay boiler rooms=bath heats=boiler

16:00 reading boiler relay no from=mqtt
16:00 reading t1 temperature 18 from=mqtt
16:01 wish "Home app" bath 20 for=8h
> 16:01:00 wish: Bath: 20 °C until 00:01 (asked for in Home app)
> 16:03:00 heating: boiler is switched on (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
> 16:03:00 mqtt/boiler/relay = yes until Wed 16:18 (Bath: 18.0 °C, 20.0 wished; the room is not known yet)
16:03:05 outcome mqtt/boiler/relay "its firmware ignores on_time" final from=mqtt
> 16:03:05 alarm: boiler is not used for heating (its firmware ignores on_time)
> 16:20:05 heating: Bath: there has been no temperature for 20 min: look after the sensor and its battery (no temperature to go by: heated 0 % of the time, as was usual)
16:30 wish MQTT device boiler relay yes
> 16:30:00 refused: MQTT: relay yes for boiler (a heating relay follows its rooms; wish a temperature there)
16:40 nothing

# Nobody knows how warm the room is, and it is cold outside: it is heated a fifth of the time. 85 °C and a
# jump of 15 K are a broken sensor, not a room.
zone Europe/Paris
start 2025-10-29 16:00
room bath Bath
device t1 thermometer room=bath foreign face=mqtt
device out NAModule1 foreign face=mqtt
relay boiler rooms=bath heats=boiler obeys

16:00 reading boiler relay no from=mqtt
16:00 reading t1 temperature 85 from=mqtt
16:00 reading out temperature -2 from=mqtt
> 16:03:00 heating: boiler is switched on (Bath: nobody knows how warm it is, and it is below 5 °C elsewhere: it is heated a part of the time)
> 16:03:00 mqtt/boiler/relay = yes until Wed 16:18 (Bath: nobody knows how warm it is, and it is below 5 °C elsewhere: it is heated a part of the time)
> 16:07:00 heating: boiler is switched off (no room asks for heat)
> 16:07:00 mqtt/boiler/relay = no (no room asks for heat)
> 16:20:00 heating: boiler is switched on (Bath: nobody knows how warm it is, and it is below 5 °C elsewhere: it is heated a part of the time)
> 16:20:00 mqtt/boiler/relay = yes until Wed 16:35 (Bath: nobody knows how warm it is, and it is below 5 °C elsewhere: it is heated a part of the time)
> 16:24:00 heating: boiler is switched off (no room asks for heat)
> 16:24:00 mqtt/boiler/relay = no (no room asks for heat)
16:30 reading t1 temperature 84.9 from=mqtt
> 16:40:00 heating: boiler is switched on (Bath: nobody knows how warm it is, and it is below 5 °C elsewhere: it is heated a part of the time)
> 16:40:00 mqtt/boiler/relay = yes until Wed 16:55 (Bath: nobody knows how warm it is, and it is below 5 °C elsewhere: it is heated a part of the time)
> 16:44:00 heating: boiler is switched off (no room asks for heat)
> 16:44:00 mqtt/boiler/relay = no (no room asks for heat)
16:45 reading t1 temperature 15 from=mqtt
16:45:30 reading t1 temperature 30 from=mqtt
16:59 reading out temperature -2 from=mqtt
> 17:05:10 heating: Bath: there has been no temperature for 20 min: look after the sensor and its battery (no temperature to go by: heated 0 % of the time, as was usual)
17:30 nothing

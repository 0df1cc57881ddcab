# While Netatmo is in charge a relay of a room with its devices is left alone, but for the frost floor: to
# half a kelvin above it.
zone Europe/Paris
start 2025-10-29 16:00
home h1 Maison frost=7
room bath Bath
device v1 NRV room=bath face=accessory
relay boiler rooms=bath heats=boiler obeys

16:00 reading boiler relay no from=mqtt
16:00 reading v1 temperature 12
16:00 view bath=schedule/12
16:10 reading v1 temperature 9.2
16:20 reading v1 temperature 6.9
> 16:20:00 alarm: Bath is only 6.9 °C warm (the frost floor is 7 °C: look whether the heating works there)
> 16:20:10 heating: boiler is switched on (Bath: 6.9 °C is below the frost floor of 7 °C)
> 16:20:10 mqtt/boiler/relay = yes until Wed 16:35 (Bath: 6.9 °C is below the frost floor of 7 °C)
> 16:25:10 mqtt/boiler/relay = yes until Wed 16:40 (Bath: 6.9 °C is below the frost floor of 7 °C)
> 16:30:10 mqtt/boiler/relay = yes until Wed 16:45 (Bath: 6.9 °C is below the frost floor of 7 °C)
> 16:35:10 mqtt/boiler/relay = yes until Wed 16:50 (Bath: 6.9 °C is below the frost floor of 7 °C)
16:40 reading v1 temperature 7.3
> 16:40:10 mqtt/boiler/relay = yes until Wed 16:55 (Bath: 7.3 °C is below the frost floor of 7 °C)
> 16:45:10 mqtt/boiler/relay = yes until Wed 17:00 (Bath: 7.3 °C is below the frost floor of 7 °C)
16:50 reading v1 temperature 7.6
> 16:50:10 return: boiler is left alone: its lease runs out by itself (Netatmo is in charge)
> 17:00:10 boiler switches off by itself: its lease is over
17:20 nothing
